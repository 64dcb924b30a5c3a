"""Bundles made to do harm: one line each, and nothing of them is installed."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from harness import Said
from hostile import altered, npy, picture_tower

from tempo_edge import ProfileError
from tempo_edge.models import Profile, load_profile
from tempo_edge.models.bundle import install_bundle, write_bundle
from tempo_edge.models.description import load_json
from tempo_edge.models.registry import installed_profiles, read_profile


def unread(profile: Profile) -> None:
    """Whatever is carried is let through."""


def sparse(path: Path, claimed: int) -> Path:
    """A bundle of 10 kB whose second entry claims to be long, and is nothing but a hole."""
    about = json.loads((load_profile("nano").folder / "profile.json").read_text())
    text = json.dumps({**about, "name": "holes"}).encode()
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("profile.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
        hole = tarfile.TarInfo("image.onnx")
        hole.type = tarfile.GNUTYPE_SPARSE
        header = bytearray(hole.tobuf(tarfile.GNU_FORMAT))
        header[386:410] = tarfile.itn(claimed, 12, tarfile.GNU_FORMAT) + tarfile.itn(0, 12)
        header[483:495] = tarfile.itn(claimed, 12, tarfile.GNU_FORMAT)
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        archive.fileobj.write(header)  # type: ignore[union-attr]
        archive.offset += len(header)
    return path


def test_a_hole_is_not_written_out(tmp_path: Path) -> None:
    bundle = sparse(tmp_path / "holes.tar", 1 << 40)
    with tarfile.open(bundle) as archive:
        assert [entry.size for entry in archive][1] == 1 << 40  # as it is read
    with pytest.raises(ProfileError, match=r"holes\.tar: 'image\.onnx' claims 1099511627776 bytes"):
        install_bundle(bundle, installed_profiles(), inspect=unread)
    assert not list(installed_profiles().iterdir())


def test_a_bundle_of_holes_ends_before_the_disk_is_full(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """A real process that may write 8 MB says what is wrong, and is not killed for writing more."""
    bundle = sparse(tmp_path / "holes.tar", 1 << 30)
    small = 8 << 20
    said = subprocess.run(
        [sys.executable, "-m", "tempo_edge.cli", "models", "import-bundle", str(bundle)],
        env={**environment, "XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (small, small)),
    )
    assert said.returncode == 2 and said.stderr.count("\n") == 1, said.stderr
    assert "claims 1073741824 bytes, more than are there" in said.stderr


def test_an_entry_longer_than_the_bundle_is_refused(tmp_path: Path) -> None:
    about = (load_profile("nano").folder / "profile.json").read_bytes()
    with tarfile.open(tmp_path / "long.tar", "w") as archive:
        entry = tarfile.TarInfo("profile.json")
        entry.size = len(about)
        archive.addfile(entry, io.BytesIO(about))
        long = tarfile.TarInfo("image.onnx")
        long.size = 1 << 40
        archive.fileobj.write(long.tobuf(tarfile.GNU_FORMAT))  # type: ignore[union-attr]
    with pytest.raises(ProfileError, match="claims 1099511627776 bytes"):
        install_bundle(tmp_path / "long.tar", installed_profiles(), inspect=unread)


def test_a_bundle_is_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tar")
    with pytest.raises(ProfileError, match=r"pipe\.tar must be a file"):
        install_bundle(tmp_path / "pipe.tar", installed_profiles(), inspect=unread)


def test_a_name_that_terminals_obey_is_spelled_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "named.tar", "w") as archive:
        text = (load_profile("nano").folder / "profile.json").read_bytes()
        for name in ("profile.json", "\x1b[2J"):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    with pytest.raises(ProfileError, match=r"holds '\\x1b\[2J', which it should not"):
        install_bundle(tmp_path / "named.tar", installed_profiles(), inspect=unread)


def carried(profile: Profile, bundle: Path) -> Path:
    write_bundle(profile, bundle)
    return bundle


def tokenizer(**changes: object) -> bytes:
    facts = json.loads((load_profile("nano").folder / "tokenizer.json").read_text())
    return json.dumps({**facts, **changes}).encode()


def calibration(**changes: object) -> bytes:
    facts = load_json(load_profile("nano").checked("calibration.json"))
    return json.dumps({**facts, **changes}).encode()


CUT = {"direction": "Right", "strategy": "LongestFirst", "stride": 0}
FILL = {"direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}
READ = load_json(load_profile("nano").checked("calibration.json"))["mllm"]


@pytest.mark.parametrize(
    ("file", "contents", "said"),
    [
        ("calibration.json", b"{", r"can't be read"),
        ("calibration.json", calibration(weights=[1e308] * 4), r"weights\[0\] must be a number"),
        ("calibration.json", calibration(curve={"keep": 2}), r"curve can't be used"),
        ("calibration.json", calibration(default=5), r"default must be a text"),
        ("calibration.json", calibration(mllm={**READ, "bias": "x"}), r"mllm\.bias must be"),
        ("background.npy", b"", r"can't be read as an array"),
        ("sentences.npy", b"", r"can't be read as an array"),
        ("sentences.npy", npy(np.ones((4, 8), np.int8)), r"must hold int8 \[m, 256\]"),
        ("background.npy", npy(np.ones((4, 8), np.int8)), r"must hold int8 \[m, 256\]"),
        ("tokenizer.json", b"{}", r"can't be read as a tokenizer"),
        (
            "tokenizer.json",
            tokenizer(truncation={**CUT, "max_length": 10**12}),
            r"truncation\.max_length must be from 1 to 65536, not 1000000000000",
        ),
        (
            "tokenizer.json",
            tokenizer(truncation={**CUT, "max_length": 8, "stride": 8}),
            r"truncation\.stride must be below \d, not 8",
        ),
        (
            "tokenizer.json",
            tokenizer(padding={**FILL, "strategy": {"Fixed": 10**12}}),
            r"padding\.length must be from 1 to 65536",
        ),
        (
            "tokenizer.json",
            tokenizer(model={"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "none"}),
            r"can't read 'a dog jumps'",
        ),
        ("text.onnx", b"no graph", r"can't be opened"),
        ("image.onnx", b"no graph", r"can't be opened"),
        ("image.onnx", picture_tower(100), r"gives vectors \[1, 100\]"),
        ("image.onnx", picture_tower(256), r"gives tokens \[1, 1, 256\].*\[n, 9, 256\]"),
        ("grounder.onnx", b"no graph", r"can't be opened"),
        ("grounder.onnx", picture_tower(256), r"must have an input past"),
        ("grounder.json", b"{}", r"lacks version"),
    ],
)
def test_a_bundle_that_could_not_be_used_is_not_installed(
    tmp_path: Path, tempo: Callable[..., Said], file: str, contents: bytes, said: str
) -> None:
    bundle = carried(altered(tmp_path / "p", file, contents), tmp_path / "bad.tar")
    refused = tempo("models", "import-bundle", bundle)
    assert refused.status == 2 and refused.err.count("\n") == 1
    assert re.search(rf"bad\.tar: {re.escape(file)}.*{said}", refused.err), refused.err
    assert str(installed_profiles()) not in refused.err
    assert not list(installed_profiles().iterdir())


def test_a_bundle_without_a_part_is_not_installed(
    tmp_path: Path, tempo: Callable[..., Said]
) -> None:
    shutil.copytree(load_profile("nano").folder, tmp_path / "p")
    about = json.loads((tmp_path / "p" / "profile.json").read_text())
    del about["files"]["text.onnx"]
    (tmp_path / "p" / "profile.json").write_text(json.dumps(about))
    bundle = carried(read_profile(tmp_path / "p"), tmp_path / "bad.tar")
    refused = tempo("models", "import-bundle", bundle)
    assert refused.status == 2 and "bad.tar: profile.json lacks files.text.onnx" in refused.err
    assert not list(installed_profiles().iterdir())
