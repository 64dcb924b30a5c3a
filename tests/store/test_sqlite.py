"""What is SQLite's own in a library: what else a file may hold, logs, pages and ids."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tempo_edge.errors import LibraryError, NoLibraryError
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.schema import SCHEMA_VERSION
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

VIDEO = VideoRow("h264", 64, 48, 10.0, Fraction(25), Fraction(1, 1000), Fraction(0))
CURVE = np.zeros((0, 2), np.float32)


def frame(pts: int, value: int = 1) -> FrameRow:
    vector = np.full(4, value, np.int8)
    return FrameRow(pts, 0.5, False, vector, np.zeros(0, np.uint8), np.zeros((0, 4), np.int8))


def put(catalogue: SqliteCatalogue, name: str, frames: int) -> int:
    with catalogue.transaction():
        video = catalogue.put_video(
            name.encode(), VIDEO, [frame(pts) for pts in range(frames)], CURVE
        )
        catalogue.put_file(FileRow(f"/{name}", "", 1, 1, "indexed", "", video))
    return video


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def writer(path: Path) -> Iterator[SqliteCatalogue]:
    catalogue = SqliteCatalogue(path)
    yield catalogue
    catalogue.close()


# -- what is no library --------------------------------------------------------------------------


def test_a_library_that_is_being_made(tmp_path: Path) -> None:
    """Whoever looks at this very moment sees none yet, or a library; never another's database."""
    for number in range(60):
        path = tmp_path / f"{number}.db"
        making = threading.Thread(target=lambda path=path: SqliteCatalogue(path).close())
        making.start()
        while making.is_alive():
            with suppress(NoLibraryError):
                SqliteCatalogue(path, readonly=True).close()
        making.join()


def test_an_empty_file_is_a_library_to_be(path: Path) -> None:
    path.touch()
    with pytest.raises(NoLibraryError, match="holds no library yet"):
        SqliteCatalogue(path, readonly=True)
    SqliteCatalogue(path).close()
    SqliteCatalogue(path, readonly=True).close()


@pytest.mark.parametrize("readonly", [True, False])
def test_a_folder(tmp_path: Path, readonly: bool) -> None:
    with pytest.raises(LibraryError, match="is a folder: a library is a file"):
        SqliteCatalogue(tmp_path, readonly=readonly)


@pytest.mark.parametrize("readonly", [True, False])
def test_a_text_file_stays_as_it_is(path: Path, readonly: bool) -> None:
    path.write_text("my diary\n" * 1000)
    with pytest.raises(LibraryError, match=r"not a database.*choose another --library"):
        SqliteCatalogue(path, readonly=readonly)
    assert path.read_text() == "my diary\n" * 1000


@pytest.mark.parametrize("readonly", [True, False])
@pytest.mark.parametrize("version", [0, 1, 87])
def test_another_programs_database_stays_as_it_is(path: Path, version: int, readonly: bool) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE meta (key, value)")
    other.execute(f"PRAGMA user_version={version}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(LibraryError, match="another program's database"):
        SqliteCatalogue(path, readonly=readonly)
    assert path.read_bytes() == before


@pytest.mark.parametrize("readonly", [True, False])
def test_a_newer_schema(path: Path, readonly: bool) -> None:
    SqliteCatalogue(path).close()
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    newer.close()
    with pytest.raises(LibraryError) as refused:
        SqliteCatalogue(path, readonly=readonly)
    assert str(refused.value) == (
        f"{path} has schema version {SCHEMA_VERSION + 1}, this tempo-edge reads up to "
        f"{SCHEMA_VERSION}: upgrade tempo-edge"
    )


class WithoutFts5(sqlite3.Connection):
    """A database as an SQLite without full-text search has it: it knows no such module."""

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if "fts5" in sql or "evidence_words" in sql.partition(" MATCH ")[0].partition("FROM ")[2]:
            raise sqlite3.OperationalError("no such module: fts5")
        return super().execute(sql, *values)  # type: ignore[arg-type]


def test_an_sqlite_without_full_text_search_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = r"SQLite [\d.]+ of this Python lacks FTS5, .* install Python of your system"
    connect = sqlite3.connect

    def without(*place: str, **how: Any) -> sqlite3.Connection:
        return connect(*place, **how, factory=WithoutFts5)

    for is_new in (True, False):
        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", without)
            with pytest.raises(LibraryError, match=said):
                SqliteCatalogue(path)
            if not is_new:
                reader = SqliteCatalogue(path, readonly=True)
                with pytest.raises(LibraryError, match=said), closing(reader), reader.snapshot():
                    reader.matching_lines(["dog"], 1)
        SqliteCatalogue(path).close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="unable to open database file"):
        SqliteCatalogue(tmp_path / "no" / "library.db")


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "#1.db", "line\nend.db", "é.db"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    SqliteCatalogue(tmp_path / name).close()
    assert (tmp_path / name).stat().st_size > 0
    SqliteCatalogue(tmp_path / name, readonly=True).close()


# -- logs and pages --------------------------------------------------------------------------------


def test_what_was_committed_outlives_a_power_cut(writer: SqliteCatalogue, path: Path) -> None:
    """The log is brought onto the disk before the database is overwritten with it."""
    (mode,) = writer._db.execute("PRAGMA journal_mode").fetchone()
    (level,) = writer._db.execute("PRAGMA synchronous").fetchone()
    assert mode == "wal" and level >= 1
    reopened = SqliteCatalogue(path)
    (level,) = reopened._db.execute("PRAGMA synchronous").fetchone()
    reopened.close()
    assert level >= 1


def test_a_damaged_database_is_said_to_be_one(writer: SqliteCatalogue, path: Path) -> None:
    for name in "abcdef":
        put(writer, name, frames=50)
    writer.close()
    with closing(sqlite3.connect(path)) as opened:
        (last,) = opened.execute("SELECT max(rootpage) FROM sqlite_master").fetchone()
    content = bytearray(path.read_bytes())
    tables = (last + 2) * 4096  # what is said of the tables themselves lies before that
    assert len(content) > tables
    content[tables:] = b"\xa5" * (len(content) - tables)
    path.write_bytes(content)
    damaged = SqliteCatalogue(path, readonly=True)
    reason = r"can't be read .*: put a copy of it back, or delete it"
    with pytest.raises(LibraryError, match=reason), damaged.snapshot():
        damaged.frame_span()
        damaged.files()
        list(damaged.vectors_after(0))
    damaged.close()


# -- rows ------------------------------------------------------------------------------------------


def test_ids_may_pass_four_thousand_million(writer: SqliteCatalogue, path: Path) -> None:
    put(writer, "a", frames=1)
    many = 2**40
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE sqlite_sequence SET seq=?", (many,))
    other.close()
    video = put(writer, "b", frames=2)
    assert video == many + 1
    ((ids, _),) = writer.vectors_of([video])
    assert ids.dtype == np.int64 and ids.tolist() == [many + 1, many + 2]
    assert writer.frame_keys(ids.tolist()) == [(many + 1, video, 0), (many + 2, video, 1)]
