"""What is a library's on a server alone: names, sessions, partitions, indexes."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import VIDEO
from postgres_server import Server, new_server, server
from psycopg import errors

from tempo_edge.errors import LibraryError, MissingExtraError, NoLibraryError, RefusedRowError
from tempo_edge.quantization import dequantize
from tempo_edge.store.interface import Store, WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.postgres import trouble
from tempo_edge.store.postgres.schema import SCHEMA_VERSION
from tempo_edge.store.rows import FileRow, FrameRow
from tempo_edge.volumes.volume import Volume
from tempo_edge.words.line import KINDS, Line

DIM = 16
CURVE = np.zeros((0, 2), np.float32)


@pytest.fixture(scope="module")
def here() -> Server:
    return server()


@pytest.fixture
def database(here: Server) -> str:
    return here.new_database()


@pytest.fixture
def store(here: Server, database: str) -> Store:
    return open_store(here.name(database))


@pytest.fixture
def writer(store: Store) -> Iterator[WritableCatalogue]:
    with store.writer() as catalogue:
        yield catalogue  # type: ignore[misc]


def frames(vectors: np.ndarray) -> list[FrameRow]:
    nothing = np.zeros(0, np.uint8), np.zeros((0, vectors.shape[1]), np.int8)
    return [FrameRow(pts, 0.5, False, vector, *nothing) for pts, vector in enumerate(vectors)]


def put(writer: WritableCatalogue, name: str, vectors: np.ndarray) -> int:
    with writer.transaction():
        video = writer.put_video(name.encode(), VIDEO, frames(vectors), CURVE)
        writer.put_file(FileRow(f"/{name}", "", 1, 1, "indexed", "", video))
    return video


def drawn(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, (count, DIM)).astype(np.int8)


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "postgresql://me:s3cret@host/films",
        "postgresql://me:s3cret@/films?host=/run/x",
        "postgresql://me:s3/c@ret@host/films",
        "postgresql://me@host/films?password=s3cret",
        "postgresql://me@host/films?sslmode=require&PASSWORD=s3cret",
    ],
)
def test_a_password_in_a_name_is_refused_and_never_shown(name: str) -> None:
    for each in (name, Path(name)):
        with pytest.raises(LibraryError) as refused:
            open_store(each)
        said = str(refused.value)
        assert "s3" not in said and "ret" not in said.replace("secret", "") and "\n" not in said


@pytest.mark.parametrize("name", ["postgresql:///films", "postgresql://host", "postgresql://h/"])
def test_a_name_without_a_database_is_refused(name: str) -> None:
    with pytest.raises(LibraryError, match=r"no database: as postgresql://USER@HOST/DATABASE"):
        open_store(name)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from tempo_edge.store.postgres import store

    monkeypatch.setattr(store, "find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=r"psycopg is not installed: pip install .*team"):
        open_store("postgresql://me@host/films")


# -- what may be there -----------------------------------------------------------------------------


def test_who_is_not_let_in_is_told_so_in_a_line(
    here: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.run("DROP ROLE IF EXISTS locked", "CREATE ROLE locked LOGIN PASSWORD 's3cret'")
    locked = open_store(here.name(database, user="locked"))
    for told in ("no password", "password authentication failed"):
        with pytest.raises(LibraryError, match=told) as refused:
            locked.reader()
        assert "PGPASSWORD" in str(refused.value) and "\n" not in str(refused.value)
        monkeypatch.setenv("PGPASSWORD", "wr0ng")
    assert "wr0ng" not in str(refused.value)
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    with pytest.raises(NoLibraryError):
        locked.reader()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("postgresql://me@localhost:1/films", "Connection refused"),
        ("postgresql://me@/films?host=/nowhere", "No such file"),
        ("postgresql://me@localhost/films?odd=1", "invalid URI query parameter"),
    ],
)
def test_a_server_that_is_not_there_is_told(here: Server, name: str, told: str) -> None:
    store = open_store(name)
    for use in (store.reader, store.writer, store.lock().__enter__, store.identity):
        with pytest.raises(LibraryError, match=told) as refused:
            use()
        assert name in str(refused.value) and "\n" not in str(refused.value)
    assert store.sizes().database == 0


def test_who_may_not_make_pgvector_is_told_what_to_run(here: Server) -> None:
    bare = here.new_database(pgvector=False)
    here.run("DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN")
    here.run("GRANT CREATE ON SCHEMA public TO plain", database=bare)
    with pytest.raises(LibraryError, match=r"lacks pgvector .*CREATE EXTENSION vector"):
        open_store(here.name(bare, user="plain")).writer()
    with open_store(here.name(bare)).writer():
        assert here.run("SELECT 1 FROM pg_extension WHERE extname='vector'", database=bare)


def test_an_older_schema_is_refused(here: Server, database: str, store: Store) -> None:
    store.writer().close()
    here.run("UPDATE tempo_edge_library SET schema_version=0", database=database)
    for use in (store.reader, store.writer):
        with pytest.raises(LibraryError, match=r"schema version 0, this tempo-edge reads 1 to \d"):
            use()


def test_an_older_schema_is_brought_up_by_who_writes_and_never_back(
    here: Server, database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tempo_edge.store.postgres import database as opened
    from tempo_edge.store.postgres import session

    with store.writer() as writer:
        put(writer, "a", drawn(2))
    more = "CREATE TABLE more (a {vector}.halfvec)"
    with monkeypatch.context() as newer:
        for module in (opened, session):
            newer.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        newer.setattr(opened, "WAYS_UP", {SCHEMA_VERSION: f"{more}; SELECT 1/0"})
        with pytest.raises(LibraryError, match="division by zero"):
            store.writer()
        assert here.run("SELECT schema_version FROM tempo_edge_library", database=database) == [
            (SCHEMA_VERSION,)
        ]
        newer.setattr(opened, "WAYS_UP", {SCHEMA_VERSION: "ALTER TABLE files ADD more text"})
        with monkeypatch.context() as hasty, store.reader() as reader, reader.snapshot():
            assert list(reader.files()) == ["/a"]
            hasty.setattr(opened, "_PATIENCE", "50ms")
            with pytest.raises(LibraryError, match=r"held by another process .* run it again"):
                store.writer()
        newer.setattr(opened, "WAYS_UP", {SCHEMA_VERSION: more})
        with store.writer() as writer:
            assert list(writer.files()) == ["/a"]
        store.writer().close()
    newer_one = rf"schema version {SCHEMA_VERSION + 1}, .* upgrade tempo-edge"
    with pytest.raises(LibraryError, match=newer_one):
        store.reader()


def _shape(here: Server, database: str) -> list[object]:
    """All columns and constraints of a library."""
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, collation_name "
        "FROM information_schema.columns WHERE table_schema='public' ORDER BY 1, 2"
    )
    constraints = (
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace='public'::regnamespace ORDER BY 1, 2"
    )
    return [here.run(each, database=database) for each in (columns, constraints)]


def test_the_first_version_becomes_what_a_new_library_is(
    here: Server, database: str, store: Store
) -> None:
    with store.writer() as writer:
        put(writer, "a", drawn(2))
        writer.note_words("/a", "mark")
    new = _shape(here, database)
    before = [
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_path_fkey, ADD CONSTRAINT "
        f"{table}_path_fkey FOREIGN KEY (path) REFERENCES files(path) ON DELETE CASCADE"
        for table in ("verified", "captures", "words_read")
    ]
    back = ["DROP TABLE volumes", "UPDATE tempo_edge_library SET schema_version=1"]
    here.run(*before, *back, database=database)
    with store.reader() as reader:
        with reader.snapshot():  # who reads is content with it
            assert list(reader.files()) == ["/a"] and reader.volumes() == []
        with store.writer() as writer:
            assert writer.word_marks(["/a"]) == {"/a": "mark"}
            writer.put_volume(Volume("nas", "0" * 32, True, "", "/"))
        with reader.snapshot():
            assert [each.volume.name for each in reader.volumes()] == ["nas"]
    assert _shape(here, database) == new


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.DiskFull, "make room on its server"),
        (errors.ReadOnlySqlTransaction, "can't be written"),
        (errors.InsufficientPrivilege, "GRANT"),
        (errors.LockNotAvailable, "held by another process"),
        (errors.AdminShutdown, "can't be reached"),
        (errors.UndefinedTable, "gone or empty"),
    ],
)
def test_trouble_is_told_in_a_line_that_says_what_to_do(
    here: Server, error: type[Exception], told: str
) -> None:
    with pytest.raises(LibraryError, match=told) as refused, trouble.told("postgresql://h/films"):
        raise error("what PostgreSQL says\nLINE 1: SELECT")
    assert not isinstance(refused.value, RefusedRowError)
    said = str(refused.value)
    assert "what PostgreSQL says" in said and "postgresql://h/films" in said and "\n" not in said


@pytest.fixture
def cramped() -> Iterator[tuple[Server, Path]]:
    """A server of its own, and a disk of some megabytes, on which its database `small` is.

    What is not written yet when a disk is full stays so, for whoever asks for a checkpoint.
    """
    alone = new_server()
    folder = Path(tempfile.mkdtemp(prefix="tempo-pg-small-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        alone.clear()
        pytest.skip("mounts are not allowed here")
    try:
        alone.own(folder)
        alone.run(
            f"CREATE TABLESPACE small LOCATION '{folder}'", "CREATE DATABASE small TABLESPACE small"
        )
        alone.run("CREATE EXTENSION vector", database="small")
        yield alone, folder
    finally:
        alone.clear()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def test_a_server_whose_disk_is_full_keeps_what_was_stored(cramped: tuple[Server, Path]) -> None:
    alone, small_disk = cramped
    store = open_store(alone.name("small"))
    with store.writer() as writer:
        stored = []
        with pytest.raises(LibraryError, match=r"make room on its server and run it again") as full:
            for number in range(10_000):
                put(writer, f"film {number}", drawn(2000, number))
                stored.append(f"/film {number}")
        assert not isinstance(full.value, RefusedRowError) and "\n" not in str(full.value)
        assert stored
        with store.reader() as reader, reader.snapshot():
            assert sorted(reader.files()) == sorted(stored)
            assert reader.count_frames() == 2000 * len(stored)
        make_room = ["mount", "-o", "remount,size=64m", str(small_disk)]
        subprocess.run(make_room, check=True)
        put(writer, "later", drawn(2000))
    with store.reader() as reader, reader.snapshot():
        assert sorted(reader.files()) == sorted([*stored, "/later"])


# -- sessions --------------------------------------------------------------------------------------


def test_transactions_do_not_nest(writer: WritableCatalogue) -> None:
    with pytest.raises(RefusedRowError), writer.transaction(), writer.transaction():
        pass
    with writer.snapshot(), pytest.raises(RefusedRowError), writer.transaction():
        pass
    writer.set_meta("x", "y")


def test_a_server_that_was_away(here: Server, store: Store) -> None:
    with store.writer() as writer, store.reader() as reader:
        put(writer, "a", drawn(3))
        lock = store.lock()
        lock.__enter__()
        with pytest.raises(LibraryError, match="can't be reached"), writer.transaction():
            writer.drop_files(["/a"])
            here.stop()
            here.start()
            writer.prune()
        with store.lock():
            pass  # that of a session that is gone holds nothing
        lock.__exit__(None, None, None)
        with pytest.raises(LibraryError), writer.transaction():
            pass
        with pytest.raises(LibraryError), reader.snapshot():
            reader.files()
        with reader.snapshot():
            assert list(reader.files()) == ["/a"] and reader.count_frames() == 3
    with store.writer() as again:
        put(again, "b", drawn(1))


def test_a_row_that_was_refused_can_not_be_passed_over(writer: WritableCatalogue) -> None:
    with pytest.raises(RefusedRowError, match="nothing of the rest"), writer.transaction():
        writer.set_meta("x", "y")
        with suppress(RefusedRowError):
            writer.put_file(FileRow("/a", "", 1, 1, "odd"))
    assert writer.get_meta("x") is None


# -- words -----------------------------------------------------------------------------------------

WORDS = [
    *("the", "the", "the", "a", "dog", "dogs", "café", "Café", "cafe", "jumps"),
    *("über", "uber", "ÉTÉ", "it's", "42", "so", "sorry", "noise"),
]
UNSPACED = ["今日はいい天気ですね", "これはAppleです", "天気がいい", "明日の天気", "ที่ไหนดี"]


def test_lines_are_found_and_ranked_as_in_a_file(writer: WritableCatalogue, tmp_path: Path) -> None:
    drawing = random.Random(0)
    lines = []
    for at in range(400):
        words = drawing.choices(WORDS, k=drawing.randint(1, 9))
        text = drawing.choice(UNSPACED) if at % 10 == 0 else " ".join(words)
        kind = "name" if at % 7 == 0 else "subtitle"
        lines.append(Line(float(at), at + 1.0, kind, text, "en", 1.0, ""))
    asked = [[drawing.choice(WORDS) for _ in range(drawing.randint(1, 4))] for _ in range(60)]
    asked += [
        ["so sorry", "noise"],
        ["the dog"],
        ["天気"],
        ["いい天気", "これは"],
        ["いい天気"],
        ["今日"],
    ]
    answers = []
    with open_store(tmp_path / "library.db").writer() as file:
        for catalogue in (file, writer):
            video = put(catalogue, "a", drawn(1))
            catalogue.put_lines(video, KINDS, lines)
            found = []
            for phrases in asked:
                for least in range(1, len(phrases) + 1):
                    for kinds in (None, ["name"]):
                        hits = catalogue.matching_lines(phrases, least, kinds=kinds, limit=500)
                        ranked = {hit.line.start_seconds: (hit.found, hit.rank) for hit in hits}
                        found.append(dict(sorted(ranked.items())))
            answers.append((found, catalogue.rarities([each[0] for each in asked])))
    (in_file, rare), (on_server, rare_there) = answers
    assert rare_there == pytest.approx(rare)
    for one, other in zip(in_file, on_server, strict=True):
        assert list(one) == list(other)
        for at, (count, rank) in one.items():
            assert other[at][0] == count and other[at][1] == pytest.approx(rank, rel=1e-6)


# -- vectors ---------------------------------------------------------------------------------------


def test_half_floats_hold_every_number_of_eight_bits(writer: WritableCatalogue) -> None:
    every = np.arange(-128, 128, dtype=np.int8).reshape(16, 16)
    video = put(writer, "a", every)
    kept = writer.frames_between(video, -(2**63), 2**63 - 1)[2]
    assert kept.tobytes() == every.tobytes()


def test_each_profile_has_a_partition(
    here: Server, database: str, store: Store, writer: WritableCatalogue
) -> None:
    put(writer, "a", drawn(3))
    for profile in ("nano-1", "o'dd-2"):
        writer.set_meta("profile", profile)
        put(writer, profile, drawn(2, len(profile)))
        put(writer, f"{profile} again", drawn(1, 9))
    rows = here.run("SELECT tableoid::regclass::text, count(*) FROM frames GROUP BY 1 ORDER BY 1",
                    database=database)  # fmt: skip
    assert rows == [("frames_0", 3), ("frames_1", 3), ("frames_2", 3)]
    with store.reader() as reader, reader.snapshot():
        assert len(reader.frame_keys(range(100))) == 9
        writer.set_meta("profile", "while others read")
        put(writer, "beside", drawn(1, 8))  # which would end after a while if it had to wait
        assert len(reader.frame_keys(range(100))) == 9
    with pytest.raises(KeyError), writer.transaction():
        writer.set_meta("profile", "lost")
        writer.put_video(b"lost", VIDEO, frames(drawn(1)), CURVE)
        raise KeyError
    writer.set_meta("profile", "lost")
    put(writer, "kept", drawn(1, 4))
    with writer.snapshot():
        vectors = store.vectors(writer)
        vectors.refresh()
        assert len(vectors.search(np.eye(DIM, dtype=np.float32)[0], 99).ids) == 11


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from tempo_edge.store.postgres import vector_index

    monkeypatch.setattr(vector_index, "_SCAN_LIMIT", 1000)


def graph(run: Callable[..., object]) -> None:
    run(f"CREATE INDEX ON frames_0 USING hnsw ((vector::halfvec({DIM})) halfvec_cosine_ops)")


@pytest.mark.parametrize("kind", ["IVFFlat", "HNSW"])
def test_many_frames_are_found_by_an_index_which_is_told(
    few_are_many: None,
    here: Server,
    database: str,
    store: Store,
    writer: WritableCatalogue,
    kind: str,
) -> None:
    def refreshed() -> None:
        with writer.snapshot():
            vectors.refresh(writing=True, must_save=True)
        with writer.snapshot():  # what was just laid out is of no snapshot before
            vectors.refresh()

    vectors = store.vectors(writer)
    put(writer, "small", drawn(900, 1))
    refreshed()
    with writer.snapshot():
        assert store.how_searched(writer).startswith("exact")
    if kind == "HNSW":
        graph(lambda statement: here.run(statement, database=database))
    videos = [put(writer, f"film {n}", drawn(400, n)) for n in range(2, 7)]
    refreshed()
    with writer.snapshot():
        assert store.how_searched(writer).startswith(kind)
    assert store.sizes().cache > 0
    everything = dequantize(np.concatenate([drawn(900, 1), *(drawn(400, n) for n in range(2, 7))]))
    (first,) = here.run("SELECT min(id) FROM frames", database=database)[0]
    recalled = 0
    for seed in range(5):
        query = dequantize(drawn(1, 100 + seed))[0]
        exact = everything @ query
        hits = vectors.search(query, 50)
        assert hits.similarities == pytest.approx(exact[hits.ids - first], abs=1e-5)
        assert len(hits.ids) == 50 and (np.diff(hits.similarities) <= 0).all()
        recalled += len(set(hits.ids.tolist()) & set((np.argsort(-exact)[:50] + first).tolist()))
        assert len(vectors.search(query, 50, videos[:1]).ids) == 50
    assert recalled >= 0.8 * 250
    put(writer, "grown", drawn(3500 if kind == "IVFFlat" else 50, 50))
    refreshed()
    with writer.snapshot():
        assert store.how_searched(writer).startswith(kind)


def test_contents_that_two_put_are_stored_once(store: Store, writer: WritableCatalogue) -> None:
    first = put(writer, "a", drawn(3))
    with store.writer() as other:
        other.put_file(FileRow("/copy", "", 1, 1, "indexed", "", first))
        again = other.put_video(b"a", replace(VIDEO, width=1), frames(drawn(9)), CURVE, "late")
        assert again == first and other.count_frames() == 3
