"""One process writes a library at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said

from tempo_edge.errors import FootageError, LibraryError
from tempo_edge.store.embedded.database_file import beside
from tempo_edge.store.embedded.lock import WriterLock


def test_of_who_held_it_before_nothing_is_told(tmp_path: Path) -> None:
    """What a process left that had a longer number."""
    (tmp_path / "films.lock").write_text("98765432109876543210")
    second = WriterLock(tmp_path / "films.db")
    with WriterLock(tmp_path / "films.db"), pytest.raises(LibraryError) as refused:
        second.__enter__()
    assert f"(pid {os.getpid()}) is writing to" in str(refused.value)


def test_a_link_to_a_library_has_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "other.db").symlink_to("films.db")
    second = WriterLock(tmp_path / "other.db")
    with WriterLock(tmp_path / "films.db"), pytest.raises(LibraryError):
        second.__enter__()


@pytest.mark.parametrize(
    ("library", "lock"),
    [("films.db", "films.lock"), ("films", "films.lock"), ("films.lock", "films.lock.lock")],
)
def test_a_lock_is_never_the_library_itself(tmp_path: Path, library: str, lock: str) -> None:
    assert beside(tmp_path / library, ".lock") == tmp_path / lock


def test_a_folder_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="can't be written") as refused:
        WriterLock(tmp_path / "file" / "library.db").__enter__()
    assert "another --library" in str(refused.value)


def other_program(path: Path) -> None:
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE a(b)")
    made.commit()
    made.close()


# What lies where a library was named, and what is said of it.
OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "noext": (lambda path: path.write_bytes(b"\0\0\0\x20ftypisom" * 999), "file is not a database"),
    "film.mp4": (lambda path: path.write_bytes(b"\0\0\0\x20ftypisom"), "file is not a database"),
    "letter": (lambda path: path.write_bytes(b"x"), "file is not a database"),
    "head": (lambda path: path.write_bytes(b"SQLite format 3\0" * 99), "file is not a database"),
    "notes.db": (lambda path: path.write_text("notes"), "file is not a database"),
    "other.db": (other_program, "another program's database"),
    "empty.mp4": (Path.touch, "is named as a video"),
    "pipe": (os.mkfifo, "is no file"),
    "folder": (Path.mkdir, "is a folder"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_left_beside_what_is_no_library(
    tempo: Callable[..., Said], footage: Path, name: str
) -> None:
    make, said = OTHERS[name]
    place = footage / name
    make(place)
    there = sorted(footage.iterdir())
    before = place.read_bytes() if place.is_file() else b""
    with pytest.raises((LibraryError, FootageError), match=said), WriterLock(place):
        pass
    refused = tempo("index", footage, "--library", place)
    assert refused.status == 2 and refused.err.count("\n") == 1
    assert said in refused.err and str(place) in refused.err
    assert sorted(footage.iterdir()) == there
    assert not place.is_file() or place.read_bytes() == before


def test_a_lock_takes_the_place_of_no_footage(tmp_path: Path) -> None:
    (tmp_path / "films.lock").write_bytes(b"\0\0\0\x20ftypisom")
    with (
        pytest.raises(FootageError, match=r"films\.lock holds media"),
        WriterLock(tmp_path / "films.db"),
    ):
        pass
    assert (tmp_path / "films.lock").stat().st_size == 12
