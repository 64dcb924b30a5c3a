"""What is held beside each other to tell what is new, changed and gone; no file is opened."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tempo_edge.indexing.indexer import Indexer
from tempo_edge.indexing.report import IndexEvent, IndexReport
from tempo_edge.indexing.survey import KnownRows
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow
from tempo_edge.volumes.mounts import volume_of


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[WritableCatalogue]:
    with open_store(tmp_path / "library.db").writer() as opened:
        yield opened


def know(catalogue: WritableCatalogue, *paths: Path) -> None:
    """Write files, and rows that say that they are indexed as they are."""
    with catalogue.transaction():
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
            facts, volume = path.stat(), volume_of(str(path.parent))
            row = FileRow(str(path), volume, facts.st_size, facts.st_mtime_ns, "indexed")
            catalogue.put_file(row)


def run(catalogue: WritableCatalogue, *roots: Path) -> tuple[IndexReport, list[str]]:
    """What a run reports, and the files that it dropped; nothing needs to be read in it."""
    dropped: list[str] = []

    def told(event: IndexEvent) -> None:
        assert event.kind == "dropped"
        dropped.append(event.path)

    indexer = Indexer(catalogue, None, None, told)  # type: ignore[arg-type]
    return indexer.index(roots), dropped


def test_memory_does_not_grow_with_files_that_are_as_they_were(
    catalogue: WritableCatalogue, tmp_path: Path
) -> None:
    def peak(folders: int) -> int:
        footage = tmp_path / f"{folders} folders"
        names = [f"{folder}/clip {number}.mp4" for folder in range(folders) for number in range(50)]
        know(catalogue, *(footage / name for name in names))
        run(catalogue, footage)
        tracemalloc.start()
        try:
            report, _ = run(catalogue, footage)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert report.unchanged == len(names)

    few, many = 5, 85
    assert (peak(many) - peak(few)) / (50 * (many - few)) < 60, "bytes a file"


def test_what_is_gone_is_told_in_the_order_of_paths_wherever_it_lay(
    catalogue: WritableCatalogue, tmp_path: Path
) -> None:
    footage = tmp_path / "footage"
    stays = [footage / "b" / "1.mp4", footage / "z.mp4"]
    goes = [footage / name for name in ("a.mp4", "b/c/d/2.mp4", "b/0.mp4", "b-/3.mp4", "y/x/4.mp4")]
    know(catalogue, *stays, *goes, tmp_path / "elsewhere" / "5.mp4")
    for path in goes:
        path.unlink()
    shutil.rmtree(footage / "y")
    report, dropped = run(catalogue, footage)
    assert dropped == sorted(map(str, goes))
    assert (report.unchanged, report.dropped) == (2, 5)
    assert len(catalogue.files()) == 3


@pytest.mark.parametrize("order", [1, -1], ids=["outer first", "inner first"])
def test_a_file_counts_once_though_roots_overlap(
    catalogue: WritableCatalogue, tmp_path: Path, order: int
) -> None:
    inner = tmp_path / "a" / "b"
    thrown = tmp_path / "a" / ".Trash" / "5.mp4"
    paths = [tmp_path / "a" / "1.mp4", inner / "2.mp4", inner / "c" / "3.mp4", thrown]
    know(catalogue, *paths, inner / "4.mp4")
    (inner / "4.mp4").unlink()
    roots = [tmp_path / "a", inner, inner, inner / "2.mp4", thrown.parent]
    report, dropped = run(catalogue, *roots[::order])
    assert dropped == [str(inner / "4.mp4")]
    assert (report.unchanged, report.dropped) == (4, 1)


def test_a_folder_where_a_file_was_and_a_file_where_a_folder_was(
    catalogue: WritableCatalogue, tmp_path: Path
) -> None:
    footage = tmp_path / "footage"
    know(catalogue, footage / "a.mp4" / "1.mp4")
    shutil.rmtree(footage / "a.mp4")
    know(catalogue, footage / "a.mp4")
    assert run(catalogue, footage / "a.mp4")[1] == [str(footage / "a.mp4" / "1.mp4")]
    (footage / "a.mp4").unlink()
    (footage / "a.mp4").mkdir()
    assert run(catalogue, footage)[1] == [str(footage / "a.mp4")]


def test_a_volume_that_lies_elsewhere_now_is_written_down(
    catalogue: WritableCatalogue, tmp_path: Path
) -> None:
    paths = [tmp_path / "footage" / f"{number}.mp4" for number in range(3)]
    know(catalogue, *paths)
    before = catalogue.files()
    with catalogue.transaction():
        for row in before.values():
            catalogue.put_file(replace(row, volume="1:/elsewhere"))
    assert run(catalogue, tmp_path / "footage")[0].unchanged == 3
    assert catalogue.files() == before


def test_rows_are_taken_once_in_whatever_order_and_the_rest_is_left(
    catalogue: WritableCatalogue, tmp_path: Path
) -> None:
    names = ("a/1.mp4", "a/b/2.mp4", "a/b/c/3.mp4", "a/b/4.mp4", "d/e/5.mp4", "6.mp4")
    paths = [str(tmp_path / name) for name in names]
    know(catalogue, *map(Path, paths))
    known = KnownRows(catalogue, str(tmp_path))
    for path in (paths[2], paths[5], paths[0], paths[1]):
        row = known.take(path)
        assert row is not None and row.path == path
        assert known.take(path) is None
    assert known.take(str(tmp_path / "a" / "new.mp4")) is None
    assert list(known.rest()) == [paths[3], paths[4]]
    assert known.take(paths[3]) is not None and list(known.rest()) == [paths[4]]


def test_from_the_root_of_all(catalogue: WritableCatalogue) -> None:
    with catalogue.transaction():
        for path in ("/1.mp4", "/v/2.mp4"):
            catalogue.put_file(FileRow(path, "", 1, 1, "indexed"))
    known = KnownRows(catalogue, os.sep)
    assert known.take("/1.mp4") is not None
    assert list(known.rest()) == ["/v/2.mp4"]
