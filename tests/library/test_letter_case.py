"""Indexing and watching where names in other cases of letters lead to the same file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_folding import folding_folder
from harness import Shelf
from test_watching import Watching, quick, watch

from tempo_edge._files.letter_case import as_listed, is_as_listed

__all__ = ["quick", "watch"]  # fixtures


@pytest.fixture(scope="module")
def folding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that doesn't tell cases apart."""
    mounted = folding_folder(tmp_path_factory.mktemp("case"))
    try:
        folder = mounted.__enter__()
    except LookupError as error:
        pytest.skip(f"no folder that folds cases can be mounted: {error}")
    yield folder
    mounted.__exit__(None, None, None)


@pytest.fixture
def folder(folding: Path, originals: Path) -> Iterator[Path]:
    """A folder of that kind, with a film that has not changed for long."""
    made = folding / "Films"
    made.mkdir()
    shutil.copyfile(originals / "garden.mp4", made / "Garden.mp4")
    os.utime(made / "Garden.mp4", (1, 1))
    yield made
    shutil.rmtree(made)


def test_paths_are_spelled_as_they_are_listed(folder: Path, tmp_path: Path) -> None:
    path = str(folder / "Garden.mp4")
    assert as_listed(str(folder.parent / "FILMS" / "garden.MP4")) == path
    assert is_as_listed(path) and not is_as_listed(str(folder / "GARDEN.mp4"))
    assert as_listed(str(folder / "none.mp4")) == str(folder / "none.mp4")
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "A.mp4").hardlink_to(tmp_path / "a.mp4")  # cases are told apart here
    assert is_as_listed(str(tmp_path / "a.mp4")) and is_as_listed(str(tmp_path / "A.mp4"))


def test_whatever_it_is_called_a_file_is_indexed_once(folder: Path, shelf: Shelf) -> None:
    assert shelf.index(folder).indexed == 1
    for way in (folder.parent / "films", folder / "GARDEN.MP4", folder):
        report = shelf.index(way)
        assert (report.indexed, report.dropped) == (0, 0)
    assert shelf.found_names() == {"Garden.mp4"}


def test_a_file_and_a_folder_that_were_renamed_in_case_alone(folder: Path, shelf: Shelf) -> None:
    shelf.index(folder.parent)
    (folder / "Garden.mp4").rename(folder / "garden.mp4")
    report = shelf.index(folder.parent)
    assert (report.reused, report.dropped, report.indexed) == (1, 1, 0)
    assert shelf.found_names() == {"garden.mp4"}
    folder.rename(folder.parent / "films")
    report = shelf.index(folder.parent)
    assert (report.reused, report.dropped, report.indexed) == (1, 1, 0)
    assert {m.path for m in shelf.found()} == {folder.parent / "films" / "garden.mp4"}


@pytest.mark.parametrize("polling", [False, True], ids=["notified", "polling"])
def test_such_renames_are_noticed(
    watch: Watching, folder: Path, originals: Path, shelf: Shelf, polling: bool
) -> None:
    with watch(folder.parent, polling=polling) as told:
        told.wait("indexed", "Garden.mp4")
        (folder / "Garden.mp4").rename(folder / "garden.mp4")
        told.wait("dropped", "Garden.mp4")
        told.wait("reused", "garden.mp4")
        told.settle()
        assert {m.path for m in shelf.found()} == {folder / "garden.mp4"}
        told.events.clear()
        folder.rename(folder.parent / "films")
        told.wait("dropped", "garden.mp4")
        told.wait("reused", "garden.mp4")
        told.settle()
        assert {m.path for m in shelf.found()} == {folder.parent / "films" / "garden.mp4"}
    assert sorted(told.events) == [("dropped", "garden.mp4"), ("reused", "garden.mp4")]
