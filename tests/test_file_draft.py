"""A file comes to lie in its place whole, or not at all, and whatever goes wrong is an OSError."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Thread

import pytest
from harness import PATIENCE

from tempo_edge._draft import draft_of


def written(path: Path, text: str) -> None:
    with draft_of(path) as draft:
        draft.write_text(text)


def test_what_was_there_is_replaced_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "x.txt"
    place.write_text("old")
    with draft_of(place) as draft:
        draft.write_text("new")
        assert place.read_text() == "old"
    assert place.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


def test_what_goes_wrong_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "x.txt"
    place.write_text("old")
    with pytest.raises(ZeroDivisionError), draft_of(place) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert place.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        written(Path(name), "x")


@pytest.mark.parametrize("name", ["x" * 250, "短" * 80])
def test_the_longest_names_have_a_draft(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, "x")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    written(pipe, "through")
    reader.join(PATIENCE / 9)
    assert read == ["through"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_disk_that_can_not_be_written_to_is_the_error_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(FileNotFoundError):
        written(tmp_path / "none" / "x", "x")
