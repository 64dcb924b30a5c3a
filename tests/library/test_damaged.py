"""A library whose rows were edited, or whose pages a disk got wrong: one line, and nothing else."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said

import tempo_edge
from tempo_edge.errors import LibraryError, TempoEdgeError
from tempo_edge.store.embedded.catalogue import SqliteCatalogue

Tempo = Callable[..., Said]

FIND = ("find", "a beach", "--min-confidence", "0")
READ = (*FIND, "--grounder", "mllm")
STATUS = ("status",)

# What was done to a library, the column that is named, and the command that comes upon it.
EDITS = {
    "time base of zero": ("UPDATE videos SET time_base='0/1'", "time_base", FIND),
    "time base by zero": ("UPDATE videos SET time_base='1/0'", "time_base", FIND),
    "no fraction": ("UPDATE videos SET time_base='fast'", "time_base", FIND),
    "a number of a billion digits": (
        "UPDATE videos SET time_base='1e999999999'",
        "time_base",
        FIND,
    ),
    "negative time base": ("UPDATE videos SET time_base='-1/25'", "time_base", FIND),
    "start time": ("UPDATE videos SET start_time='1/0'", "start_time", FIND),
    "rate": ("UPDATE videos SET rate='0'", "rate", FIND),
    "infinite duration": ("UPDATE videos SET duration_seconds=9e999", "duration_seconds", FIND),
    "infinite, counted": ("UPDATE videos SET duration_seconds=9e999", "duration_seconds", STATUS),
    "no duration": ("UPDATE videos SET duration_seconds='long'", "duration_seconds", STATUS),
    "negative": ("UPDATE videos SET duration_seconds=-1", "duration_seconds", STATUS),
    "width": ("UPDATE videos SET width='wide'", "width", FIND),
    "codec": ("UPDATE videos SET codec=x'00'", "codec", FIND),
    "frame count": ("UPDATE videos SET frame_count=-5", "frame_count", FIND),
    "short vector": ("UPDATE frames SET vector=x'01' WHERE id=2", "vector", FIND),
    "short vectors": ("UPDATE frames SET vector=x'01'", "vector", FIND),
    "no vector": ("UPDATE frames SET vector=x''", "vector", FIND),
    "vector as text": ("UPDATE frames SET vector='one'", "vector", FIND),
    "time as text": ("UPDATE frames SET pts='soon' WHERE id=1", "pts", FIND),
    "cut": ("UPDATE frames SET cut='yes'", "cut", FIND),
    "tokens": ("UPDATE frames SET tokens=x'0102'", "tokens", READ),
    "fewer cells": ("UPDATE frames SET cells=x'00'", "tokens", READ),
    "cells beyond the grid": (
        "UPDATE frames SET cells=CAST(printf('%.*c', length(cells), 'z') AS BLOB) "
        "WHERE length(cells)>0",
        "cells",
        READ,
    ),
    "path": ("UPDATE files SET path=x'00FF' WHERE path LIKE '%beach%'", "path", STATUS),
    "size": ("UPDATE files SET size='big'", "size", STATUS),
    "time of change": ("UPDATE files SET mtime_ns='now'", "mtime_ns", STATUS),
    "reason": ("UPDATE files SET reason=x'01'", "reason", STATUS),
    "kind of words": ("UPDATE evidence SET kind='sung' WHERE id=2", "kind", STATUS),
    "holes": ("INSERT INTO meta VALUES ('holes of video 1', '[[1, 1e99]]')", "holes", FIND),
    "nested holes": (
        f"INSERT INTO meta VALUES ('holes of video 1', '{'[' * 5000}')",
        "holes",
        FIND,
    ),
}


@pytest.fixture
def library_path(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / "library.db"))


def edit(library: Path, *statements: str) -> None:
    edited = sqlite3.connect(library)
    with edited:
        for statement in statements:
            edited.execute("PRAGMA ignore_check_constraints=ON")
            edited.execute(statement)
    edited.close()


@pytest.mark.parametrize("name", EDITS)
def test_a_value_that_can_not_be_is_named(tempo: Tempo, library_path: Path, name: str) -> None:
    statement, column, command = EDITS[name]
    edit(library_path, statement)
    said = tempo(*command)
    assert said.status == 2
    assert str(library_path) in said.error and f" {column} of " in said.error


@pytest.mark.parametrize("name", EDITS)
def test_to_index_again_is_no_traceback(
    tempo: Tempo, library_path: Path, footage: Path, name: str
) -> None:
    edit(library_path, EDITS[name][0])
    said = tempo("index", footage, "--quiet")
    assert said.status in (0, 2)
    assert said.status == 0 or said.error


# What was done to lines of words, and the column that is named.
LINES = {
    "start": ("start_seconds='soon'", "start_seconds of a line"),
    "infinite": ("end_seconds=9e999", "end_seconds of a line"),
    "backwards": ("end_seconds=start_seconds", "span "),
    "text": ("text=x'00FF'", "text of a line"),
    "no text": ("text=''", "text of 0 letters"),
    "a long text": ("text=printf('%.*c', 9999, 'z')", "text of 9999 letters"),
    "language": ("language=x'01'", "language of a line"),
    "confidence": ("confidence=2", "confidence of a line"),
    "source": ("source=x'00'", "source of a line"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_that_can_not_be_is_named(
    tempo: Tempo, library_path: Path, tmp_path: Path, name: str
) -> None:
    change, said = LINES[name]
    edit(library_path, f"UPDATE evidence SET {change} WHERE text='beach'")
    with tempo_edge.Library.open(library_path) as library:
        with pytest.raises(LibraryError, match=said) as caught:
            library.lines("beach")
        assert f"{library_path} is damaged: " in str(caught.value)
    assert said in tempo("backup", tmp_path / "copy.db").err
    assert said in tempo(*FIND).err
    assert tempo(*FIND, "--seen").status == 0, "frames are as they were"


def test_an_index_of_words_that_is_damaged_is_said(library_path: Path) -> None:
    edit(library_path, "UPDATE evidence_words_data SET block=x'0102030405' WHERE id>1")
    with tempo_edge.Library.open(library_path) as library:
        try:
            library.lines("beach")
        except LibraryError as error:
            assert "can't be read (" in str(error)


def test_a_curve_is_checked(library_path: Path) -> None:
    edit(library_path, "UPDATE videos SET curve=x'010203'")
    with tempo_edge.Library.open(library_path) as library:
        path = library.files()[0].path
        with pytest.raises(LibraryError, match="curve of video"):
            library.variation(path)


@pytest.mark.parametrize("name", EDITS)
def test_a_damaged_library_is_copied_and_it_is_said(
    tempo: Tempo, library_path: Path, tmp_path: Path, name: str
) -> None:
    statement, column, _ = EDITS[name]
    # What refers to paths goes first.
    edit(library_path, "DELETE FROM verified", "DELETE FROM captures")
    edit(library_path, "UPDATE evidence SET file_id=NULL")
    edit(library_path, "DELETE FROM words_read", statement)
    target = tmp_path / "copy.db"
    said = tempo("backup", target)
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert f"wrote {target}" in said.err and f"but {library_path} is damaged: " in said.err
    assert f" {column} of " in said.err and "draft" not in said.err
    assert rows(target) == rows(library_path)
    assert {file.name for file in tmp_path.glob(".*draft*")} == set()


def rows(library: Path) -> list[str]:
    with sqlite3.connect(library) as opened:
        return list(opened.iterdump())


def test_a_damaged_page_and_a_lost_video_are_said(
    tempo: Tempo, library_path: Path, tmp_path: Path
) -> None:
    lost = Path(shutil.copy(library_path, tmp_path / "lost.db"))
    edit(lost, "PRAGMA foreign_keys=OFF", "DELETE FROM videos WHERE id=1")
    said = tempo("backup", tmp_path / "lost-copy.db", "--library", lost)
    assert said.status == 2 and "of a videos that is not there" in said.err
    with sqlite3.connect(library_path) as opened:
        (page,) = opened.execute(
            "SELECT rootpage FROM sqlite_master WHERE name='frames_by_time'"
        ).fetchone()
    damaged = bytearray(library_path.read_bytes())
    start = (page - 1) * 4096
    damaged[start : start + 4096] = bytes(4096)
    library_path.write_bytes(damaged)
    said = tempo("backup", tmp_path / "copy.db")
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert f"wrote {tmp_path / 'copy.db'}" in said.err and "can't be read (" in said.err
    assert (tmp_path / "copy.db").read_bytes()[start : start + 4096] == bytes(4096)


def test_a_sound_backup_is_not_replaced_by_a_damaged_one(
    tempo: Tempo, library_path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    said = tempo("backup", target)
    assert said.status == 0 and said.err.startswith("wrote ")
    before = target.read_bytes()
    edit(library_path, "UPDATE videos SET width='wide'")
    said = tempo("backup", target)
    assert said.status == 2 and target.read_bytes() == before
    assert f"backup {target} stays" in said.error and "width of video 1" in said.error
    edit(target, "UPDATE videos SET width='wide'")
    assert f"wrote {target}" in tempo("backup", target).err, "one that is no better is replaced"


@pytest.mark.parametrize(
    ("column", "value"), [("size", "'big'"), ("sample", "'s'"), ("packets", "7"), ("whole", "0.5")]
)
def test_what_is_known_of_bytes_and_can_not_be_is_named(
    tempo: Tempo, library_path: Path, footage: Path, tmp_path: Path, column: str, value: str
) -> None:
    edit(library_path, f"UPDATE contents SET {column}={value} WHERE video_id=1")
    said = tempo("backup", tmp_path / "copy.db")
    assert f"{column} of the contents of video 1 is " in said.err
    said = tempo("index", "--verify", footage)
    if column != "sample":  # whatever else it is, it is not the one that is looked for
        assert f"{column} of the contents of video 1 is " in said.error


def test_a_run_that_can_not_be_is_named(tempo: Tempo, library_path: Path, tmp_path: Path) -> None:
    edit(library_path, "INSERT OR REPLACE INTO verified SELECT path, -1 FROM files LIMIT 1")
    assert " run of the verification of " in tempo("backup", tmp_path / "copy.db").err


@pytest.mark.parametrize("version", [-1, 0])
@pytest.mark.parametrize("readonly", [True, False])
def test_an_older_schema(library_path: Path, version: int, readonly: bool) -> None:
    edit(library_path, f"PRAGMA user_version={version}")
    before = library_path.read_bytes()
    with pytest.raises(LibraryError, match=f"has schema version {version}, .* reads 1 to 5: "):
        SqliteCatalogue(library_path, readonly=readonly)
    assert library_path.read_bytes() == before


def test_pages_that_were_flipped(library_path: Path, tmp_path: Path) -> None:
    """Whatever they do, it is an answer or one line."""
    whole = library_path.read_bytes()
    draws = random.Random(0)
    refused = 0
    for number in range(60):
        damaged = bytearray(whole)
        for _ in range(draws.choice((1, 20, 400))):
            damaged[draws.randrange(len(damaged))] ^= 1 << draws.randrange(8)
        path = tmp_path / f"{number}.db"
        path.write_bytes(damaged)
        try:
            with tempo_edge.Library.open(path) as library:
                library.files()
                library.totals()
                library.find("a beach", min_confidence=0)
        except TempoEdgeError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 10
