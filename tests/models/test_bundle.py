"""Profiles go from machine to machine whole, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tempo_edge import ProfileError
from tempo_edge.models import Profile, load_profile, profile_names
from tempo_edge.models import bundle as bundles
from tempo_edge.models.bundle import install_bundle, remove, write_bundle
from tempo_edge.models.registry import installed_profiles, read_profile
from tempo_edge.search.inspection import inspect

Entry = tuple[str, bytes]


def small(folder: Path, name: str = "tiny", **files: bytes) -> Profile:
    """A profile of a few bytes, of no use but to be carried."""
    contents = files or {"image.onnx": b"sees" * 1000, "text.onnx": b"reads", "tokenizer.json": b""}
    folder.mkdir(parents=True)
    for file, data in contents.items():
        (folder / file).write_bytes(data)
    about: dict[str, Any] = {
        "name": name,
        "version": "1",
        "dim": 4,
        "image_size": 32,
        "tokens_per_frame": 9,
        "files": {f: {"sha256": hashlib.sha256(d).hexdigest()} for f, d in contents.items()},
    }
    (folder / "profile.json").write_text(json.dumps(about))
    return read_profile(folder)


def unread(profile: Profile) -> None:
    """Whatever is carried is let through."""


def entries(bundle: Path) -> list[Entry]:
    with tarfile.open(bundle) as archive:
        return [(e.name, archive.extractfile(e).read()) for e in archive]  # type: ignore[union-attr]


def rewrite(bundle: Path, contents: list[Entry], kind: bytes = tarfile.REGTYPE) -> None:
    with tarfile.open(bundle, "w") as archive:
        for name, data in contents:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            if name != "profile.json":
                entry.type = kind
            archive.addfile(entry, io.BytesIO(data))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.tar"
    assert write_bundle(small(tmp_path / "source" / "tiny"), path) == path.stat().st_size
    return path


def test_a_profile_arrives_as_it_was(bundle: Path, tmp_path: Path) -> None:
    installed = install_bundle(bundle, installed_profiles(), inspect=unread)
    assert installed == load_profile("tiny") and "tiny" in profile_names()
    for file in installed.files:
        there = installed.checked(file).read_bytes()
        assert there == (tmp_path / "source" / "tiny" / file).read_bytes()
    assert [path.name for path in installed_profiles().iterdir()] == ["tiny"]


def test_the_same_profile_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    install_bundle(bundle, installed_profiles(), inspect=unread)
    write_bundle(load_profile("tiny"), tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == bundle.read_bytes()


def test_the_built_in_profile_can_be_carried(tmp_path: Path) -> None:
    write_bundle(load_profile("nano"), tmp_path / "nano.tar")
    installed = install_bundle(tmp_path / "nano.tar", installed_profiles(), inspect=inspect)
    assert load_profile("nano").folder == installed.folder
    assert installed.text_tower.encode(["a dog"]).shape == (1, installed.dim)
    remove("nano")
    assert load_profile("nano").folder != installed.folder


def altered(contents: list[Entry]) -> list[Entry]:
    return [(n, d[:-1] + b"!" if n == "image.onnx" else d) for n, d in contents]


def swapped(contents: list[Entry]) -> list[Entry]:
    first, *rest = contents
    names = [name for name, _ in rest]
    return [first, *zip(names, [data for _, data in reversed(rest)], strict=True)]


def incomplete(contents: list[Entry]) -> list[Entry]:
    about = json.loads(contents[0][1])
    del about["version"]
    return [("profile.json", json.dumps(about).encode()), *contents[1:]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (altered, r"image\.onnx has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}"),
        (swapped, r"image\.onnx has SHA-256"),
        (lambda c: c[:-1], r"lacks tokenizer\.json"),
        (lambda c: [*c, ("more", b"")], "holds 'more', which it should not"),
        (lambda c: [*c, c[1]], "holds 'image.onnx', which it should not"),
        (lambda c: c[1:], r"must begin with profile\.json"),
        (lambda c: [], r"must begin with profile\.json"),
        (lambda c: [("profile.json", b"{"), *c[1:]], "can't be read"),
        (lambda c: [("profile.json", b"[]"), *c[1:]], "must be an object, not a list of 0"),
        (incomplete, r"profile\.json lacks version"),
    ],
)
def test_a_bad_bundle_leaves_nothing(
    bundle: Path, change: Callable[[list[Entry]], list[Entry]], said: str
) -> None:
    rewrite(bundle, change(entries(bundle)))
    with pytest.raises(ProfileError, match=f"{bundle.name}.*{said}"):
        install_bundle(bundle, installed_profiles(), inspect=unread)
    assert "tiny" not in profile_names()
    assert not installed_profiles().exists() or not list(installed_profiles().iterdir())


@pytest.mark.parametrize(
    "name",
    ["../escaped", "a/../x", "image.onnx/../x", "x/..", "a/b", "/x", "a\\..\\x", "..", ".hidden"],
)
def test_a_file_of_a_bundle_lies_in_its_own_folder(bundle: Path, name: str) -> None:
    """The description and the archive agree on a name, and both mean harm."""
    about, *files = entries(bundle)
    facts = json.loads(about[1])
    facts["files"][name] = facts["files"].pop("text.onnx")
    renamed = [(name if file == "text.onnx" else file, data) for file, data in files]
    rewrite(bundle, [("profile.json", json.dumps(facts).encode()), *renamed])
    said = re.escape(f"profile.json: files names {name!a}, a file must be named like")
    with pytest.raises(ProfileError, match=said):
        install_bundle(bundle, installed_profiles(), inspect=unread)
    assert "tiny" not in profile_names()
    assert not list(installed_profiles().iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_what_is_no_file_is_refused(bundle: Path, kind: bytes) -> None:
    rewrite(bundle, [(n, d if n == "profile.json" else b"") for n, d in entries(bundle)], kind)
    with pytest.raises(ProfileError, match=r"holds 'image\.onnx', which it should not"):
        install_bundle(bundle, installed_profiles(), inspect=unread)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_bundle_that_was_cut_short_is_refused(bundle: Path, share: float) -> None:
    whole = bundle.read_bytes()
    # The end of a tar archive is padding.
    data = len(whole) - 10240 + 4000
    bundle.write_bytes(whole[: int(share * data)])
    with pytest.raises(ProfileError, match=bundle.name):
        install_bundle(bundle, installed_profiles(), inspect=unread)
    assert "tiny" not in profile_names()


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
@pytest.mark.parametrize("size", [1 << 21, 1 << 40, -512])
def test_a_header_that_claims_more_than_a_block_is_not_read(
    tmp_path: Path, kind: bytes, size: int
) -> None:
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = kind, size
    path = tmp_path / "hostile.tar"
    with path.open("wb") as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
        file.truncate(3 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(ProfileError, match=r"hostile\.tar can't be read: "):
            install_bundle(path, tmp_path / "profiles", inspect=unread)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert not list(tmp_path.glob("profiles/**/*"))


def test_an_installed_profile_makes_room_only_if_told_to(bundle: Path, tmp_path: Path) -> None:
    install_bundle(bundle, installed_profiles(), inspect=unread)
    newer = tmp_path / "newer.tar"
    write_bundle(small(tmp_path / "other" / "tiny", **{"image.onnx": b"new"}), newer)
    with pytest.raises(ProfileError, match=r"'tiny' is in .* already"):
        install_bundle(newer, installed_profiles(), inspect=unread)
    assert "text.onnx" in load_profile("tiny").files
    broken = tmp_path / "broken.tar"
    broken.write_bytes(newer.read_bytes())
    rewrite(broken, altered(entries(newer)))
    with pytest.raises(ProfileError):
        install_bundle(broken, installed_profiles(), inspect=unread, replace=True)
    assert "text.onnx" in load_profile("tiny").files
    install_bundle(newer, installed_profiles(), inspect=unread, replace=True)
    assert list(load_profile("tiny").files) == ["image.onnx"]
    assert [path.name for path in installed_profiles().iterdir()] == ["tiny"]


def test_an_altered_profile_is_not_carried_on(bundle: Path, tmp_path: Path) -> None:
    source = read_profile(tmp_path / "source" / "tiny")
    (source.folder / "text.onnx").write_bytes(b"other")
    before = bundle.read_bytes()
    with pytest.raises(ProfileError, match=r"text\.onnx has SHA-256 .*: install it again"):
        write_bundle(source, bundle)
    assert bundle.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.tar*")) == ["tiny.tar"]


def test_what_is_half_written_is_no_profile(tmp_path: Path) -> None:
    small(installed_profiles() / ".tiny.1.partial")
    assert ".tiny.1.partial" not in profile_names() and "tiny" not in profile_names()


def test_only_what_was_installed_can_be_removed(bundle: Path) -> None:
    install_bundle(bundle, installed_profiles(), inspect=unread)
    for name in ("nano", "../tiny", "huge"):
        with pytest.raises(ProfileError, match=r"must be one of the installed \['tiny'\]"):
            remove(name)
    place = remove("tiny")
    assert not place.exists() and "tiny" not in profile_names()


def test_a_file_of_any_size_has_room_in_a_bundle() -> None:
    entry = bundles._entry("grounder-weights.data", 17 << 30)
    header = entry.tobuf(bundles._FORMAT)
    with tarfile.open(fileobj=io.BytesIO(header)) as archive:
        read = archive.next()
    assert read is not None and (read.name, read.size) == (entry.name, 17 << 30)


def test_what_is_no_bundle_is_not_overwritten(tmp_path: Path) -> None:
    profile, film = small(tmp_path / "source" / "tiny"), tmp_path / "film.mp4"
    film.write_bytes(b"a film")
    with pytest.raises(ProfileError, match=r"can't be written: what is there is no bundle"):
        write_bundle(profile, film)
    for folder in (tmp_path, Path(), Path("/")):
        with pytest.raises(ProfileError, match="can't be written: Is a directory"):
            write_bundle(profile, folder)
    (tmp_path / "tiny.tar").touch()  # a place that a script has taken
    assert film.read_bytes() == b"a film"
    write_bundle(profile, tmp_path / "tiny.tar")
    write_bundle(profile, tmp_path / "tiny.tar")
