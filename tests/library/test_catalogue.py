"""The database: what it refuses to open, what a reader sees, what a broken transaction leaves."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

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


def put(catalogue: SqliteCatalogue, name: str, frames: int, path: str | None = None) -> int:
    with catalogue.transaction():
        video = catalogue.put_video(
            name.encode(), VIDEO, [frame(pts) for pts in range(frames)], CURVE
        )
        catalogue.put_file(FileRow(path or f"/{name}", "", 1, 1, "indexed", "", video))
    return video


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


@pytest.fixture
def writer(path: Path) -> Iterator[SqliteCatalogue]:
    catalogue = SqliteCatalogue(path)
    yield catalogue
    catalogue.close()


@pytest.fixture
def reader(writer: SqliteCatalogue, path: Path) -> Iterator[SqliteCatalogue]:
    catalogue = SqliteCatalogue(path, readonly=True)
    yield catalogue
    catalogue.close()


# -- what is no library --------------------------------------------------------------------------


def test_nothing_there(path: Path) -> None:
    with pytest.raises(NoLibraryError, match="run `tempo-edge index PATH` first"):
        SqliteCatalogue(path, readonly=True)
    assert not path.exists()


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


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="unable to open database file"):
        SqliteCatalogue(tmp_path / "no" / "library.db")


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "what?.db", "#1.db", "line\nend.db", "é.db"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    SqliteCatalogue(tmp_path / name).close()
    assert (tmp_path / name).stat().st_size > 0
    SqliteCatalogue(tmp_path / name, readonly=True).close()


# -- readers and the writer ------------------------------------------------------------------------


def test_a_reader_sees_what_was_committed_since(
    writer: SqliteCatalogue, reader: SqliteCatalogue
) -> None:
    assert reader.frame_span() == (0, 0)
    put(writer, "a", frames=3)
    assert reader.frame_span() == (3, 3)


def test_a_reader_waits_for_no_writer(writer: SqliteCatalogue, reader: SqliteCatalogue) -> None:
    put(writer, "a", frames=3)
    with writer.transaction():
        writer.drop_files(["/a"])
        writer.prune()
        assert reader.frame_span() == (3, 3)
        assert list(reader.files()) == ["/a"]
    assert reader.frame_span() == (0, 0)


def test_a_snapshot_is_of_one_instant(writer: SqliteCatalogue, reader: SqliteCatalogue) -> None:
    put(writer, "a", frames=3)
    with reader.snapshot():
        assert reader.frame_span() == (3, 3)
        put(writer, "b", frames=2)
        assert reader.frame_span() == (3, 3)
        assert reader.count_frames([1, 2]) == 3
    assert reader.frame_span() == (5, 5)


def test_a_snapshot_ends_with_an_error(writer: SqliteCatalogue, reader: SqliteCatalogue) -> None:
    with pytest.raises(KeyError), reader.snapshot():
        raise KeyError
    with reader.snapshot():
        pass


def test_a_broken_transaction_leaves_nothing(writer: SqliteCatalogue) -> None:
    with pytest.raises(KeyboardInterrupt), writer.transaction():
        writer.put_file(FileRow("/a", "", 1, 1, "skipped", "half"))
        raise KeyboardInterrupt
    assert writer.files() == {}
    put(writer, "b", frames=1)


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
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    damaged = SqliteCatalogue(path, readonly=True)
    reason = r"can't be read .*: put a copy of it back, or delete it"
    with pytest.raises(LibraryError, match=reason), damaged.snapshot():
        damaged.frame_span()
        damaged.files()
        list(damaged.vectors_after(0))
    damaged.close()


# -- rows ------------------------------------------------------------------------------------------


def test_ids_are_never_used_twice(writer: SqliteCatalogue) -> None:
    put(writer, "a", frames=3)
    with writer.transaction():
        writer.drop_files(["/a"])
        assert writer.prune() == 1
    assert writer.frame_span() == (0, 0)
    put(writer, "b", frames=1)
    assert writer.frame_span() == (1, 4)


def test_ids_may_pass_four_thousand_million(writer: SqliteCatalogue, path: Path) -> None:
    put(writer, "a", frames=1)
    many = 2**40
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE sqlite_sequence SET seq=?", (many,))
    other.close()
    video = put(writer, "b", frames=2)
    assert video == many + 1
    ids, _ = writer.vectors_of([video])
    assert ids.dtype == np.int64 and ids.tolist() == [many + 1, many + 2]
    assert writer.frame_keys(ids.tolist()) == [(many + 1, video, 0), (many + 2, video, 1)]


def test_frames_that_no_file_shows_are_not_found(writer: SqliteCatalogue) -> None:
    video = put(writer, "a", frames=2)
    assert writer.frame_keys([1, 2, 3]) == [(1, video, 0), (2, video, 1)]
    with writer.transaction():
        writer.drop_files(["/a"])
    assert writer.frame_keys([1, 2, 3]) == []


def test_files_at_or_under_a_path(writer: SqliteCatalogue) -> None:
    for path in ("/v/a.mp4", "/v/b/c.mp4", "/v.mp4", "/va/d.mp4", "/v0", "/V/e.mp4"):
        put(writer, path, frames=1, path=path)
    assert sorted(writer.files(Path("/v"))) == ["/v/a.mp4", "/v/b/c.mp4"]
    assert sorted(writer.files(Path("/v/b/c.mp4"))) == ["/v/b/c.mp4"]
    assert len(writer.files(Path("/"))) == len(writer.files()) == 6


def test_a_list_of_videos_may_be_long(writer: SqliteCatalogue) -> None:
    put(writer, "a", frames=2)
    assert writer.count_frames(range(100_000)) == 2


def test_seconds_are_exact_far_from_the_start() -> None:
    video = VideoRow("h264", 1, 1, 1.0, None, Fraction(1001, 30000), Fraction(1, 3))
    pts = np.asarray([2**53 + 1], np.int64)
    exact = (2**53 + 1) * Fraction(1001, 30000) - Fraction(1, 3)
    assert video.seconds(pts)[0] == float(exact)


def test_frames_and_holes_come_back_as_they_were_put_however_far_from_zero(path: Path) -> None:
    holes = ((-(2**40), -5), (127, 2**62))
    tokens = np.arange(8, dtype=np.int8).reshape(2, 4)
    put = [
        FrameRow(-(2**62), 0.25, True, np.full(4, 3, np.int8), np.array([0, 8], np.uint8), tokens),
        frame(0),
        frame(2**62),
    ]
    with closing(SqliteCatalogue(path)) as catalogue:
        with catalogue.transaction():
            video = catalogue.put_video(b"far", replace(VIDEO, holes=holes), put, CURVE)
        assert catalogue.video(video).holes == holes
        kept = catalogue.frames_of(video, -(2**62), 2**62)
        assert [each.pts for each in kept] == [each.pts for each in put]
        assert (kept[0].variation, kept[0].cut, kept[1].cut) == (0.25, True, False)
        assert kept[0].vector.tolist() == [3] * 4 and kept[0].cells.tolist() == [0, 8]
        assert kept[0].tokens.tolist() == tokens.tolist()
        assert [each.pts for each in catalogue.frames_of(video, 0, 2**62 - 1)] == [0]
