"""A checkpoint is pulled whole, as it was pinned, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import PATIENCE, Said
from hub import Hub, running

from tempo_edge import ProfileError
from tempo_edge.models.checkpoint import installed_checkpoints, pulled_names, read_checkpoint
from tempo_edge.models.published import PUBLISHED, Published, find_published
from tempo_edge.models.pull import pull, pulled_bytes

constants = pytest.importorskip("huggingface_hub.constants")

REVISION = "a" * 40
WEIGHTS = bytes(range(256)) * 50000  # more than the library keeps in memory
FILES = {
    "config.json": b'{"model_type": "clip"}',
    "tokenizer.json": b'{"version": "1.0"}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"a pickle",
    "README.md": b"hello",
    "onnx/config.json": b"{}",
}
TINY = Published("tiny", "someone/tiny", REVISION, "encoder", "MIT", len(WEIGHTS))
TAKEN = {"config.json", "tokenizer.json", "model.safetensors"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running(Hub({"someone/tiny": dict(FILES)}, REVISION)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield hub


def test_only_descriptions_and_weights_are_taken(hub: Hub, tmp_path: Path) -> None:
    checkpoint = pull(TINY, tmp_path, quiet=True)
    assert set(checkpoint.files) == TAKEN
    assert {path.name for path in checkpoint.folder.iterdir()} == {*TAKEN, "checkpoint.json"}
    assert checkpoint.revision == REVISION and checkpoint.repository == "someone/tiny"
    assert (checkpoint.folder / "model.safetensors").read_bytes() == WEIGHTS
    checkpoint.verify()
    assert pulled_names(tmp_path) == ["tiny"]


def test_what_was_pulled_is_not_pulled_again(hub: Hub, tmp_path: Path) -> None:
    pull(TINY, tmp_path, quiet=True)
    with pytest.raises(ProfileError, match=r"model 'tiny' is in .* already"):
        pull(TINY, tmp_path, quiet=True)


def test_what_a_removal_left_is_in_nobodys_way(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in TAKEN - {"model.safetensors"}:
        (source / name).write_bytes(FILES[name])
    (source / "model.safetensors").write_bytes(b"weights")
    remains = pull(TINY, tmp_path / "store", source=source)
    (remains.folder / "checkpoint.json").unlink()  # a removal goes on from there
    checkpoint = pull(TINY, tmp_path / "store", source=source)
    checkpoint.verify()
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["tiny"]


def test_a_transfer_that_broke_off_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.cut = {"model.safetensors": 12_000_000}
    pull(TINY, tmp_path, quiet=True)
    began = [first for method, name, first in hub.asked if name == "model.safetensors" and first]
    assert began and min(began) > 10_000_000


def test_contents_that_were_not_announced_are_refused(hub: Hub, tmp_path: Path) -> None:
    hub.altered = {"model.safetensors": WEIGHTS[:-1] + b"!"}
    with pytest.raises(ProfileError, match=r"model\.safetensors has SHA-256 .* pull it again"):
        pull(TINY, tmp_path, quiet=True)
    assert pulled_names(tmp_path) == []
    hub.altered = {}
    pull(TINY, tmp_path, quiet=True).verify()


def test_a_small_file_is_compared_with_its_name_in_git(hub: Hub, tmp_path: Path) -> None:
    hub.altered = {"config.json": b'{"model_type": "CLIP"}'}
    with pytest.raises(ProfileError, match=r"config\.json is git's blob"):
        pull(TINY, tmp_path, quiet=True)
    assert "model.safetensors" not in {name for _, name, _ in hub.asked}


def test_weights_must_be_those_that_are_known_here(hub: Hub, tmp_path: Path) -> None:
    known = Published(
        "tiny", "someone/tiny", REVISION, "encoder", "MIT", 1, {"model.safetensors": "0" * 64}
    )
    with pytest.raises(ProfileError, match=f"expected {'0' * 64}"):
        pull(known, tmp_path, quiet=True)


@pytest.mark.parametrize("lacking", sorted(TAKEN))
def test_a_checkpoint_must_be_one(hub: Hub, tmp_path: Path, lacking: str) -> None:
    del hub.repositories["someone/tiny"][lacking]
    with pytest.raises(ProfileError, match=r"'tiny' (lacks|has no weights)"):
        pull(TINY, tmp_path, quiet=True)


def test_a_hub_out_of_reach_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between its attempts
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(ProfileError, match="model 'tiny' can't be pulled: ") as error:
        pull(TINY, tmp_path, quiet=True)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(
        ": try again, name a mirror in HF_ENDPOINT, or a folder that holds it by --from DIR"
    )
    assert capfd.readouterr() == ("", ""), "none of the library's own attempts"


def test_offline_means_offline(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ProfileError, match="HF_HUB_OFFLINE is set"):
        pull(TINY, tmp_path, quiet=True)
    assert hub.asked == []


def test_a_folder_takes_the_place_of_the_hub(tmp_path: Path) -> None:
    folder = tmp_path / "copied"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    known = Published("tiny", "a/b", REVISION, "encoder", "MIT", 1, {"model.safetensors": digest})
    assert set(pull(known, tmp_path / "store", source=folder).files) == TAKEN
    with pytest.raises(ProfileError, match="can't be read"):
        pull(TINY, tmp_path / "other", source=tmp_path / "nowhere")


def test_an_altered_checkpoint_is_named(hub: Hub, tmp_path: Path) -> None:
    checkpoint = pull(TINY, tmp_path, quiet=True)
    with (checkpoint.folder / "model.safetensors").open("r+b") as file:
        file.write(b"!")
    with pytest.raises(ProfileError, match=r"'tiny': model\.safetensors has SHA-256"):
        checkpoint.verify()
    (checkpoint.folder / "model.safetensors").unlink()
    with pytest.raises(ProfileError, match=r"'tiny' lacks model\.safetensors"):
        checkpoint.verify()
    (checkpoint.folder / "checkpoint.json").write_text("{")
    with pytest.raises(ProfileError, match=r"checkpoint\.json can't be read"):
        read_checkpoint("tiny", tmp_path)


def test_every_published_model_is_pinned() -> None:
    for each in PUBLISHED.values():
        assert len(each.revision) == 40 and int(each.revision, 16)
        assert each.licence in ("MIT", "Apache-2.0")
        assert each.kind in ("encoder", "grounder")
        assert all(len(digest) == 64 for digest in each.sha256.values())
        assert find_published(each.repository) is each
    with pytest.raises(ProfileError, match=r"model 'giant' must be one of \['pe-core"):
        find_published("giant")


def test_a_killed_pull_is_no_checkpoint_and_goes_on(
    tmp_path: Path, command: Callable[..., list[str]], environment: dict[str, str]
) -> None:
    """A real process, the mirror that it is told of, and a `kill -9` amid the weights."""
    model = PUBLISHED["smolvlm2-500m-video-instruct"]
    files = {**FILES, "model.safetensors": WEIGHTS * 4}
    with running(Hub({model.repository: files}, model.revision)) as hub:
        told = {**environment, "HF_ENDPOINT": hub.url, "XDG_DATA_HOME": os.environ["XDG_DATA_HOME"]}
        told |= {"HF_HUB_OFFLINE": "0"}
        start = [sys.executable, "-m", "tempo_edge.cli", "models", "pull", model.name, "--quiet"]
        room = installed_checkpoints() / f".{model.name}.partial"
        process = subprocess.Popen(start, env=told, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + PATIENCE
        while not any(room.glob("**/*.incomplete")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if pulled_names():
            pytest.skip("the pull was done before it could be killed")
        ended = subprocess.run(start, env=told, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode == 0, ended.stderr
        assert f"pulled {model.name} into" in ended.stderr
    read_checkpoint(model.name).verify()


def test_what_a_person_sees(
    hub: Hub, tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PUBLISHED, "tiny", TINY)
    said = tempo("models", "pull", "someone/tiny", "--quiet")
    assert said.status == 0 and said.out == ""
    assert f"pulling someone/tiny at {REVISION[:12]}: 0.0 GB, MIT\n" in said.err
    assert "make a profile of it with: tempo-edge export tiny" in said.err
    rows = json.loads(tempo("models", "list", "--json").out)
    assert [(row["kind"], row["name"]) for row in rows] == [("profile", "nano"), ("pulled", "tiny")]
    assert "tiny: 3 files as pulled" in tempo("models", "verify").out
    assert tempo("models", "remove", "tiny").status == 0
    assert tempo("models", "verify", "tiny").status == 2


def test_what_has_come_so_far_is_counted_in_files(tmp_path: Path) -> None:
    assert pulled_bytes(TINY.name, tmp_path) == 0
    room = tmp_path / f".{TINY.name}.partial"
    (room / "onnx").mkdir(parents=True)
    (room / "config.json").write_bytes(b"a" * 1000)
    (room / "onnx" / "weights.part").write_bytes(b"b" * 234)
    assert pulled_bytes(TINY.name, tmp_path) == 1234
