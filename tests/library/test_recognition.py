"""A video is known again by a sample of its bytes and its packet table, else by all its bytes."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from harness import Shelf
from tabled import make_padded, of_before, place_between, unsampled
from videos import make_video, motion

import tempo_edge
from tempo_edge.indexing.digests import FileDigests
from tempo_edge.indexing.recognition import Recognizer
from tempo_edge.media.packet_digest import packet_digest


@pytest.fixture
def padded(tmp_path: Path) -> Path:
    """A film of 6 MiB whose packet table its sample leaves out."""
    path = tmp_path / "padded.mp4"
    make_padded(path)
    return path


def videos(shelf: Shelf) -> float:
    with tempo_edge.Library.open(shelf.path) as library:
        return library.totals()["videos"]


def altered(film: Path, at: int, value: bytes) -> Path:
    """A copy of a film with other bytes in one place."""
    content = bytearray(film.read_bytes())
    assert content[at : at + len(value)] != value
    content[at : at + len(value)] = value
    return_path = film.with_name("altered.mp4")
    return_path.write_bytes(content)
    return return_path


def with_one_packet_smaller(film: Path) -> Path:
    """A copy whose last packet is a byte smaller."""
    at = place_between(film, b"stsz")
    content = film.read_bytes()
    (count,) = struct.unpack_from(">I", content, at + 8)
    last = at + 12 + 4 * (count - 1)
    (size,) = struct.unpack_from(">I", content, last)
    return altered(film, last, struct.pack(">I", size - 1))


def test_films_alike_in_their_samples_that_differ_in_a_packets_size_are_two(
    shelf: Shelf, padded: Path
) -> None:
    other = with_one_packet_smaller(padded)
    digests = [packet_digest(path) for path in (padded, other)]
    assert None not in digests and digests[0] != digests[1]
    for film in (padded, other):
        assert shelf.index(film).indexed == 1
    assert videos(shelf) == 2


def test_films_alike_in_all_that_is_looked_at_are_one(
    shelf: Shelf, padded: Path, hashed: list[str]
) -> None:
    """What differs between the blocks of a sample is not seen, and not read."""
    shelf.index(padded)
    start, end = unsampled()[-1]
    other = altered(padded, (start + end) // 2, b"other")
    assert shelf.index(other).reused == 1 and videos(shelf) == 1
    assert hashed == []


@pytest.mark.parametrize("together", [False, True])
def test_a_sound_film_does_not_have_the_damage_of_one_that_is_alike(
    shelf: Shelf, tmp_path: Path, hashed: list[str], together: bool
) -> None:
    sound = make_video(
        tmp_path / "b.ts", shots=[(motion(1), 4)], size=(640, 480), gop=1, options={"crf": "6"}
    ).path
    content = bytearray(sound.read_bytes())
    start, end = max(unsampled(len(content)), key=lambda each: each[1] - each[0])
    assert end - start > 40_000, "pictures lie there"
    content[start:end] = bytes(end - start)
    damaged = tmp_path / "a.ts"
    damaged.write_bytes(content)
    if together:
        assert shelf.index(tmp_path).indexed == 2
    else:
        assert [shelf.index(film).indexed for film in (damaged, sound)] == [1, 1]
    assert sorted(hashed) == ["a.ts", "b.ts"]
    with tempo_edge.Library.open(shelf.path) as library:
        told = {Path(row.path).name: row.reason for row in library.files()}
    assert told["a.ts"].startswith("damaged: ") and told["b.ts"] == ""
    # Once more alike, and it is known.
    shutil.copy(damaged, tmp_path / "c.ts")
    assert shelf.index(tmp_path).reused == 1


def test_a_new_film_is_neither_hashed_nor_opened_to_be_recognized(
    shelf: Shelf, padded: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    recognize = Recognizer.recognize

    def noting(self: Recognizer, *arguments: object) -> object:
        monkeypatch.setattr(self, "_packet_digest", lambda path: asked.append(path))
        try:
            return recognize(self, *arguments)  # type: ignore[arg-type]
        finally:
            monkeypatch.undo()

    monkeypatch.setattr(Recognizer, "recognize", noting)
    assert shelf.index(padded).indexed == 1
    assert asked == [] and hashed == []


def test_a_film_that_is_moved_and_copied_is_neither_hashed_nor_decoded(
    shelf: Shelf, padded: Path, hashed: list[str], decoded: list[str], tmp_path: Path
) -> None:
    shelf.index(padded)
    decoded.clear()
    (tmp_path / "elsewhere").mkdir()
    moved = padded.rename(tmp_path / "elsewhere" / "moved.mp4")
    copy = Path(shutil.copy(moved, tmp_path / "elsewhere" / "copy.mp4"))
    report = shelf.index(padded, moved.parent)
    assert (report.reused, report.dropped, report.indexed) == (2, 1, 0)
    assert decoded == [] and hashed == [] and copy.exists()
    assert videos(shelf) == 1


def test_a_film_that_an_earlier_run_died_at_is_not_opened_to_be_recognized(
    shelf: Shelf, padded: Path
) -> None:
    shelf.index(padded)
    copy = Path(shutil.copy(padded, padded.with_name("copy.mp4")))
    facts = copy.stat()
    with closing(sqlite3.connect(shelf.path)) as rows, rows:
        rows.execute(
            "INSERT INTO meta VALUES ('file under way', ?)",
            (f'{{"{copy}": [{facts.st_size}, {facts.st_mtime_ns}]}}',),
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "tempo_edge.media.packet_digest.open_container",
            lambda *_: pytest.fail("it was opened"),
        )
        assert shelf.index(copy).reused == 1


# -- libraries of before -------------------------------------------------------------------------


@pytest.fixture
def old(shelf: Shelf, padded: Path, decoded: list[str]) -> Iterator[Shelf]:
    shelf.index(padded)
    of_before(shelf.path)
    decoded.clear()
    yield shelf
    assert decoded == [], "nothing of it is decoded again"


def test_what_lies_where_it_lay_is_not_read(
    old: Shelf, padded: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileDigests, "sample", lambda *_: pytest.fail("it was read"))
    assert old.index(padded).unchanged == 1
    assert hashed == []


def test_what_was_moved_is_hashed_once_and_known_by_its_sample_then(
    old: Shelf, padded: Path, hashed: list[str]
) -> None:
    moved = padded.rename(padded.with_name("moved.mp4"))
    report = old.index(padded, moved)
    assert (report.reused, report.dropped) == (1, 1) and hashed == ["moved.mp4"]
    again = moved.rename(padded.with_name("again.mp4"))
    assert old.index(again).reused == 1 and hashed == ["moved.mp4"]
    assert videos(old) == 1


def test_what_was_moved_while_nothing_held_its_video_is_known(
    old: Shelf, padded: Path, hashed: list[str]
) -> None:
    """As when a watcher learns of the end of one name before it learns of the other."""
    with closing(sqlite3.connect(old.path)) as rows, rows:
        rows.execute("DELETE FROM files")
    assert old.index(padded).reused == 1 and hashed == ["padded.mp4"]


def test_its_packet_table_is_noted_as_well(old: Shelf, padded: Path, shelf: Shelf) -> None:
    copy = Path(shutil.copy(padded, padded.with_name("copy.mp4")))
    assert old.index(copy).reused == 1
    with tempo_edge.Library.open(shelf.path) as library, library.store.writer() as writer:
        known = writer.contents(1)
    assert known.size == padded.stat().st_size
    assert known.whole == hashlib.sha256(padded.read_bytes()).digest()
    assert known.packets == packet_digest(padded) is not None


def test_a_new_film_of_another_size_is_not_hashed(
    shelf: Shelf, padded: Path, takes: Path, hashed: list[str]
) -> None:
    shelf.index(padded)
    of_before(shelf.path)
    assert shelf.index(takes / "one.avi").indexed == 1 and hashed == []


def test_a_new_film_of_the_same_size_is_hashed_and_is_another(
    shelf: Shelf, padded: Path, hashed: list[str]
) -> None:
    shelf.index(padded)
    of_before(shelf.path)
    other = altered(padded, padded.stat().st_size - 5, b"other")
    assert shelf.index(other).indexed == 1 and hashed == ["altered.mp4"]
    assert videos(shelf) == 2
