"""A library that was written before the store had an interface opens, and says what it said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

import tempo_edge
from tempo_edge.errors import LibraryError
from tempo_edge.library_copy import copy_library
from tempo_edge.store.embedded.schema import SCHEMA_VERSION, WAYS_UP
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import Contents, FileRow, VideoRow
from tempo_edge.words.line import Line

# As `iterdump` wrote it down then. What is here stays as it is: it is what people have.
DUMP = """
CREATE TABLE files (
  path TEXT PRIMARY KEY,
  volume TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('indexed', 'skipped')),
  reason TEXT NOT NULL DEFAULT '',
  video_id INTEGER REFERENCES videos(id)
) WITHOUT ROWID;
INSERT INTO files VALUES('/films/a é.mp4','8:1:/',123456,1700000000123456789,'indexed','odd',1);
INSERT INTO files VALUES('/films/notes.mp4','',7,-5,'skipped','is no video',NULL);
CREATE TABLE frames (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
  pts INTEGER NOT NULL,
  variation REAL NOT NULL,
  cut INTEGER NOT NULL,
  vector BLOB NOT NULL,
  cells BLOB NOT NULL,
  tokens BLOB NOT NULL
);
INSERT INTO frames VALUES(1,1,0,0.25,1,X'7F00FD05',X'0008',X'0001020304050607');
INSERT INTO frames VALUES(2,1,3003,1.0,0,X'017F0280',X'',X'');
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('holes of video 1','[[3003, 9009]]');
INSERT INTO meta VALUES('library_id','4231869f74cb49ce88bd6e57488fe9af');
INSERT INTO meta VALUES('remark of video 1','odd');
CREATE TABLE videos (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_hash BLOB NOT NULL UNIQUE,
  codec TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  duration_seconds REAL NOT NULL,
  rate TEXT,
  time_base TEXT NOT NULL,
  start_time TEXT NOT NULL,
  frame_count INTEGER NOT NULL,
  curve BLOB NOT NULL
);
INSERT INTO videos VALUES(1,X'00FF','h264',640,480,2.5,'30000/1001','1/90000','-1/3',2,
  X'000000000000803E0000C03F0000003F');
CREATE UNIQUE INDEX frames_by_time ON frames (video_id, pts);
CREATE INDEX files_by_video ON files (video_id);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('videos',1);
INSERT INTO sqlite_sequence VALUES('frames',2);
PRAGMA application_id=1416458309;
PRAGMA user_version=1;
"""
# What version 2 had besides, as `iterdump` wrote it down then.
DUMP_2 = """
CREATE TABLE contents (
  video_id INTEGER PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
  size INTEGER,
  sample BLOB,
  packets BLOB,
  whole BLOB
);
INSERT INTO contents VALUES(1,123456,X'05',NULL,X'00FF');
CREATE TABLE verified (
  path TEXT PRIMARY KEY REFERENCES files(path) ON DELETE CASCADE,
  run INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO verified VALUES('/films/a é.mp4',7);
CREATE INDEX contents_by_sample ON contents (sample);
CREATE INDEX contents_by_size ON contents (size) WHERE sample IS NULL;
PRAGMA user_version=2;
"""
VIDEO = VideoRow(
    "h264",
    640,
    480,
    2.5,
    Fraction(30000, 1001),
    Fraction(1, 90000),
    Fraction(-1, 3),
    ((3003, 9009),),
)
INDEXED = FileRow("/films/a é.mp4", "8:1:/", 123456, 1700000000123456789, "indexed", "odd", 1)
SKIPPED = FileRow("/films/notes.mp4", "", 7, -5, "skipped", "is no video")


@pytest.fixture
def before(tmp_path: Path) -> Path:
    path = tmp_path / "library.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(DUMP)
    return path


@pytest.fixture
def before_words(before: Path) -> Path:
    """A library of version 2."""
    with closing(sqlite3.connect(before)) as made:
        made.executescript(DUMP_2)
    return before


@pytest.mark.parametrize("since", ["before", "before_words"])
@pytest.mark.parametrize("writing", [False, True])
def test_every_row_is_read(request: pytest.FixtureRequest, since: str, writing: bool) -> None:
    store = open_store(request.getfixturevalue(since))
    with store.writer() if writing else store.reader() as catalogue, catalogue.snapshot():
        assert catalogue.files() == {row.path: row for row in (INDEXED, SKIPPED)}
        assert catalogue.lines(1) == catalogue.matching_lines(["odd"], 1) == []
        assert catalogue.line_counts() == {} and list(catalogue.word_remarks()) == []
        assert catalogue.video(1) == VIDEO and catalogue.remark(1) == "odd"
        assert catalogue.video_by_hash(b"\0\xff") == 1
        assert catalogue.curve(1).tolist() == [[0.0, 0.25], [1.5, 0.5]]
        first, second = catalogue.frames_of(1, 0, 9009)
        assert (first.pts, first.variation, first.cut) == (0, 0.25, True)
        assert first.vector.tolist() == [127, 0, -3, 5] and first.cells.tolist() == [0, 8]
        assert first.tokens.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
        assert second.vector.tolist() == [1, 127, 2, -128] and second.tokens.shape == (0, 4)
        assert catalogue.frame_keys([1, 2, 3]) == [(1, 1, 0), (2, 1, 3003)]
        vectors = store.vectors(catalogue)
        vectors.refresh()
        assert vectors.search(first.vector / 127.0, 1).ids.tolist() == [1]


def test_it_is_a_library_like_any_other(before: Path, footage: Path) -> None:
    with tempo_edge.Library.open(before) as library:
        assert library.files() == [INDEXED, SKIPPED]
        assert library.totals()["frames"] == 2
        assert library.forget("/films") == 2
        assert library.index(footage / "beach.mp4").indexed == 1
        assert [row.video_id for row in library.files()] == [2], "ids go on where they were"


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as opened:
        return int(opened.execute("PRAGMA user_version").fetchone()[0])


def test_whoever_writes_brings_it_up_and_whoever_reads_leaves_it(before: Path) -> None:
    store = open_store(before)
    with store.reader():
        pass
    assert version(before) == 1
    with store.writer() as writer:
        assert writer.contents(1) == Contents(123456, None, None, b"\0\xff")
        assert writer.lacks_samples(123456) and not writer.lacks_samples(123457)
    assert version(before) == SCHEMA_VERSION
    with store.writer() as writer:  # once is enough
        writer.note_contents(1, Contents(123456, b"s"))
        assert writer.contents(1) == Contents(123456, b"s", None, b"\0\xff")


def test_what_version_2_knew_is_known_still(before_words: Path) -> None:
    with open_store(before_words).writer() as writer:
        assert writer.contents(1) == Contents(123456, b"\5", None, b"\0\xff")
        assert writer.verified(INDEXED.path) == 7
    assert version(before_words) == SCHEMA_VERSION


def test_a_reader_finds_the_words_that_it_is_given_once_it_is_brought_up(before: Path) -> None:
    store = open_store(before)
    with store.reader() as reader:
        with reader.snapshot():
            assert reader.lines(1) == []
        with store.writer() as writer:
            said = Line(0.0, 1.0, "subtitle", "good morning")
            writer.put_lines(1, ["subtitle"], [said])
            with reader.snapshot():
                assert reader.lines(1) == [said]
                assert [hit.line for hit in reader.matching_lines(["morning"], 1)] == [said]


def test_a_reader_goes_on_while_it_is_brought_up(before: Path) -> None:
    store = open_store(before)
    with store.reader() as reader:
        with reader.snapshot():
            assert len(reader.files()) == 2
        with store.writer():
            pass
        with reader.snapshot():
            assert len(reader.files()) == 2 and not reader.is_replaced


def test_it_is_brought_up_as_a_whole_or_not_at_all(
    before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WAYS_UP, 1, WAYS_UP[1] + "INSERT INTO nowhere VALUES (1);")
    with pytest.raises(LibraryError), open_store(before).writer():
        pass
    monkeypatch.undo()
    assert version(before) == 1
    with closing(sqlite3.connect(before)) as opened:
        names = {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}
    assert "contents" not in names
    with open_store(before).writer() as writer:
        assert writer.contents(1).size == 123456


def test_a_video_that_no_file_holds_may_be_of_any_size(before: Path) -> None:
    with closing(sqlite3.connect(before)) as opened, opened:
        opened.execute("DELETE FROM files")
    with open_store(before).writer() as writer:
        assert writer.contents(1) == Contents(None, None, None, b"\0\xff")
        assert writer.lacks_samples(1)


def test_a_copy_of_it_is_as_sound_as_it_is(before: Path, tmp_path: Path) -> None:
    assert open_store(before).back_up(tmp_path / "copy.db").fault == ""
    assert version(tmp_path / "copy.db") == 1


@pytest.mark.parametrize("since", ["before", "before_words"])
def test_it_is_copied_and_stays_as_it_is(
    request: pytest.FixtureRequest, since: str, tmp_path: Path
) -> None:
    origin = request.getfixturevalue(since)
    was = version(origin)
    copied = str(tmp_path / "copied.db")
    assert copy_library(str(origin), copied).is_whole and version(origin) == was
    with open_store(copied).reader() as catalogue, catalogue.snapshot():
        assert catalogue.files() == {row.path: row for row in (INDEXED, SKIPPED)}
        assert catalogue.video(1) == VIDEO and len(catalogue.frames_of(1, 0, 9009)) == 2
