"""A film is known by all of its bytes, and what no file holds any more goes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness import Shelf

import tempo_edge
from tempo_edge.indexing.session import WritingSession


def videos(shelf: Shelf) -> float:
    with tempo_edge.Library.open(shelf.path) as library:
        return library.totals()["videos"]


def test_two_films_that_begin_alike_are_two(shelf: Shelf, takes: Path) -> None:
    report = shelf.index(takes)
    assert (report.indexed, report.reused) == (2, 0)
    assert videos(shelf) == 2


def test_a_film_whose_end_was_changed_is_read_again(
    shelf: Shelf, takes: Path, tmp_path: Path
) -> None:
    film = Path(shutil.copy(takes / "one.avi", tmp_path / "film.avi"))
    os.utime(film, (1, 1))
    shelf.index(film)
    shutil.copyfile(takes / "two.avi", film)
    report = shelf.index(film)
    assert (report.indexed, report.reused) == (1, 0)
    assert videos(shelf) == 1, "of the film as it was nothing is left"


def test_a_long_file_is_hashed_block_by_block_and_left_when_asked_to(
    shelf: Shelf, takes: Path
) -> None:
    """A film may be of a hundred gigabytes: nobody waits until all of it was read."""
    asked: list[str] = []

    def stopping() -> bool:
        asked.append("")
        return asked.count("") > 4

    with (
        tempo_edge.Library.open(shelf.path) as library,
        WritingSession(library.store, library.profile, "pyav", None, None, stopping) as indexer,
    ):
        assert indexer.index([takes / "one.avi"]).stopped
    assert shelf.states() == {}


def test_a_file_that_can_not_be_used_keeps_no_frames_of_others(shelf: Shelf, footage: Path) -> None:
    """A row without a video is no reason to keep every video."""
    (footage / "bad.mp4").write_bytes(b"bad")
    assert shelf.index(footage).skipped == 1
    (footage / "beach.mp4").unlink()
    assert shelf.index(footage).dropped == 1
    assert videos(shelf) == 2
