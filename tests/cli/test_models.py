"""``tempo-edge models``: what a person sees of profiles."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from snapshots import check

from tempo_edge.models import load_profile
from tempo_edge.models.checkpoint import ABOUT, Checkpoint, installed_checkpoints
from tempo_edge.models.registry import installed_profiles


def test_the_way_of_a_bundle(
    tempo: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"data": installed_profiles()}
    check("models list", tempo("models", "list"), **places)
    check("models export-bundle", tempo("models", "export-bundle", "nano", "nano.tar"), **places)
    said = tempo("models", "import-bundle", "nano.tar")
    check("models import-bundle", said, **places)
    check("models import-bundle, again", tempo("models", "import-bundle", "nano.tar"), **places)
    check("models list, installed", tempo("models", "list"), **places)
    check("models verify", tempo("models", "verify"), **places)
    with (installed_profiles() / "nano" / "tokenizer.json").open("ab") as file:
        file.write(b" ")
    said = tempo("models", "verify", "nano")
    assert said.status == 2 and said.out == ""
    assert "tokenizer.json has SHA-256" in said.err and "install it again" in said.err
    check("models remove", tempo("models", "remove", "nano"), **places)
    check("models remove, again", tempo("models", "remove", "nano"), **places)
    assert tempo("models", "verify").status == 0


def test_profiles_as_json(tempo: Callable[..., Said]) -> None:
    (row,) = json.loads(tempo("models", "list", "--json").out)
    nano = load_profile("nano")
    assert row["name"] == "nano" and row["version"] == nano.version and row["built_in"]
    assert row["bytes"] == sum((nano.folder / file).stat().st_size for file in nano.files)
    assert row["licence"] == "Apache-2.0"


def test_no_bundle_is_an_error_of_one_line(tempo: Callable[..., Said]) -> None:
    said = tempo("models", "import-bundle", "nowhere.tar")
    assert said.status == 2 and said.out == ""
    assert said.err.count("\n") == 1 and "bundle nowhere.tar can't be read" in said.err


@pytest.mark.parametrize("place", [".", "none/x.tar"])
def test_a_bundle_that_can_not_be_written_is_an_error_of_one_line(
    tempo: Callable[..., Said], place: str
) -> None:
    said = tempo("models", "export-bundle", "nano", place)
    reason = "Is a directory" if place == "." else "No such file or directory"
    assert said.error == f"bundle {place} can't be written: {reason}"


def test_a_profile_that_lacks_a_file_is_listed(tempo: Callable[..., Said]) -> None:
    nano = load_profile("nano")
    place = installed_profiles() / "nano"
    shutil.copytree(nano.folder, place)
    (place / "text.onnx").unlink()
    said = tempo("models", "list", "--json")
    assert said.status == 0, said.err
    (row,) = json.loads(said.out)
    expected = sum((nano.folder / f).stat().st_size for f in nano.files if f != "text.onnx")
    assert (row["folder"], row["bytes"]) == (str(place), expected)
    assert "lacks text.onnx" in tempo("models", "verify").error


def test_of_a_model_and_its_profile_both_are_verified(tempo: Callable[..., Said]) -> None:
    name = "smolvlm2-500m-video-instruct"
    profile, pulled = installed_profiles() / name, installed_checkpoints() / name
    shutil.copytree(load_profile("nano").folder, profile)
    about = json.loads((profile / "profile.json").read_text())
    (profile / "profile.json").write_text(json.dumps({**about, "name": name}))
    pulled.mkdir(parents=True)
    (pulled / ABOUT).write_text(
        Checkpoint(name, "a", "b", "grounder", "MIT", {}, pulled).describe()
    )
    said = tempo("models", "verify", name)
    assert said.status == 0, said.err
    assert said.out.splitlines() == [
        f"{name} {about['version']}: {len(about['files'])} files as published",
        f"{name}: 0 files as pulled",
    ]
