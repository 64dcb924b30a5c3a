"""`list` says what is indexed: a line a file, as it is read."""

from __future__ import annotations

import json
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from harness import Said
from shelves import Archive

from tempo_edge import Library, QueryError
from tempo_edge._console import text
from tempo_edge.holdings import Holdings
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, VideoRow

Tempo = Callable[..., Said]


@pytest.fixture
def library_path(archive: Archive) -> Path:
    """The archive's library, which is only read."""
    return archive.library


def rows(said: Said) -> list[list[str]]:
    """The cells of each line below the heading."""
    assert (said.status, said.err) == (0, "")
    heading, *lines = said.out.splitlines()
    assert heading.split() == [
        *("length", "picture", "size", "frames", "lines", "heard", "scanned", "indexed", "file")
    ]
    return [line.split(maxsplit=10) for line in lines]


def test_every_file_has_a_line(tempo: Tempo, archive: Archive) -> None:
    listed = rows(tempo("list"))
    names = sorted(str(path) for path in (*archive.films[:-1], archive.copy))
    assert [cells[-1] for cells in listed] == [f"{archive.offline}  (offline)", *names]
    here = datetime.now().strftime("%Y-")
    for length, picture, size, unit, frames, lines, heard, scanned, day, _, _ in listed:
        assert (length, picture, unit, lines) == ("00:01", "64x48", "kB", "0")
        assert float(size) > 0 and int(frames) > 0 and (heard, scanned) == ("-", "-")
        assert day.startswith(here[:3])


def test_json_is_one_object_a_line(tempo: Tempo, archive: Archive) -> None:
    said = tempo("list", "--json", "--in", archive.twice, "--sort", "time")
    (row,) = map(json.loads, said.out.splitlines())
    assert row["path"] == str(archive.twice) and row["size"] == archive.twice.stat().st_size
    indexed = datetime.fromisoformat(row.pop("indexed"))
    assert indexed.tzinfo is not None and indexed <= datetime.now(timezone.utc)
    assert set(row) == {
        *("path", "video", "duration_seconds", "width", "height", "codec", "size", "frames"),
        *("lines", "passes", "state", "remark", "outdated_profile"),
    }
    assert (row["codec"], row["state"], row["outdated_profile"]) == ("h264", "here", None)
    offline = json.loads(tempo("list", "--json", "--in", archive.offline).out)
    assert offline["state"] == "offline"


def test_it_is_sorted_and_cut(tempo: Tempo, archive: Archive) -> None:
    with Library.open(archive.library) as library:
        latest = [each.file.path for each in library.videos(order="time", limit=3)]
        with pytest.raises(QueryError, match="order 'age' must be one of name, time"):
            library.videos(order="age")
        with pytest.raises(QueryError, match="limit 0 must be"):
            library.videos(limit=0)
    assert len(latest) == 3
    said = rows(tempo("list", "--sort", "time", "-n", "3"))
    assert [cells[-1].removesuffix("  (offline)") for cells in said] == latest
    assert len(rows(tempo("list", "-n", "9" * 20))) == 61
    largest = [
        json.loads(x)["size"]
        for x in tempo("list", "--json", "--sort", "size").out.split("\n")[:-1]
    ]
    assert largest == sorted(largest, reverse=True) and len(largest) == 61


def test_of_nothing_it_says_what_to_type(tempo: Tempo, tmp_path: Path) -> None:
    place = ("--library", tmp_path / "empty.db")
    said = tempo("list", *place)
    assert said.status == 2 and "run `tempo-edge index PATH` first" in said.err
    (tmp_path / "empty").mkdir()
    tempo("index", "-q", tmp_path / "empty", *place)
    assert tempo("list", *place) == Said(
        1, "", "nothing is indexed: run `tempo-edge index PATH` first\n"
    )
    for command in ("list", "copies", "find x"):
        said = tempo(*command.split(), "--in", tmp_path)
        assert said.status == 2 and f"footage at or under {tmp_path}" in said.err.replace(
            "nothing at", "footage at"
        )
    assert tempo("status", tmp_path).error == tempo("forget", tmp_path).error


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("--sort", "age"), "--sort 'age' must be one of name, time, length, size"),
        (("--limit", "0"), "--limit 0 must be at least 1"),
        (("--limit", "many"), "--limit 'many' must be a whole number, at least 1"),
    ],
)
def test_what_it_refuses(tempo: Tempo, asked: tuple[str, str], why: str) -> None:
    assert tempo("list", *asked) == Said(2, "", f"tempo-edge: error: {why}\n")


def made_up(place: Path, files: int) -> None:
    video = VideoRow("h264", 64, 48, 3.0, Fraction(25), Fraction(1, 1000), Fraction(0))
    with open_store(place).writer() as catalogue, catalogue.transaction():
        number = catalogue.put_video(b"one", video, [], np.zeros((0, 2), np.float32))
        for at in range(files):
            catalogue.put_file(FileRow(f"/v/{at:06}.mp4", "", at, 0, "indexed", "", number))


def test_memory_does_not_grow_with_files(
    tempo: Tempo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def count(write: object) -> None:
        nonlocal written
        written += 1

    monkeypatch.setattr(text, "_write_results", count)

    def peak(files: int) -> int:
        place = tmp_path / f"{files}.db"
        made_up(place, files)
        tempo("list", "--library", place)
        tracemalloc.start()
        try:
            tempo("list", "--library", place)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert (peak(4000) - peak(500)) / 3500 < 20, "bytes a file"
    assert written == 2 * (16 + 2), "lines are written while others are read"


def test_a_library_of_before_tells_no_time_and_is_listed(tempo: Tempo, tmp_path: Path) -> None:
    place = tmp_path / "before.db"
    made_up(place, 1)
    with closing(sqlite3.connect(place)) as opened, opened:
        opened.execute("DROP TABLE indexed_at")
        opened.execute("UPDATE meta SET value='nano-of before' WHERE key='profile'")
    with Holdings(place) as held:
        assert [each.indexed_seconds for each in held.videos()] == [None]
    assert json.loads(tempo("list", "--json", "--library", place).out)["indexed"] is None


def test_how_far_words_are_is_told(tempo: Tempo, tmp_path: Path) -> None:
    from tempo_edge.store.passes import PassState

    place = tmp_path / "heard.db"
    made_up(place, 1)
    with open_store(place).writer() as catalogue:
        catalogue.note_pass("speech", 1, PassState("1", 1.5))
        catalogue.note_pass("screen", 1, PassState("1", 3.0, True))
    line = tempo("list", "--library", place).out.splitlines()[-1]
    assert "  50 %      yes  " in line
