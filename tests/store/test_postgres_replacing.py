"""A library on a server takes the place of another one: whole, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import VIDEO
from postgres_server import Server, server

from tempo_edge.errors import LibraryError
from tempo_edge.store.interface import Store
from tempo_edge.store.opening import open_store
from tempo_edge.store.postgres import replacing
from tempo_edge.store.rows import FileRow, FrameRow


@pytest.fixture(scope="module")
def here() -> Server:
    return server()


@pytest.fixture
def database(here: Server) -> str:
    return here.new_database()


def put(store: Store, name: str, *, frames: int = 1, profile: str = "") -> None:
    nothing = np.zeros(0, np.uint8), np.zeros((0, 8), np.int8)
    rows = [FrameRow(pts, 0.5, False, np.ones(8, np.int8), *nothing) for pts in range(frames)]
    with store.writer() as writer:
        if profile:
            writer.set_meta("profile", profile)
        with writer.transaction():
            video = writer.put_video(name.encode(), VIDEO, rows, np.zeros((0, 2), np.float32))
            writer.put_file(FileRow(f"/{name}", "", 1, 1, "indexed", "", video))


def held(store: Store) -> tuple[list[str], int]:
    with store.reader() as reader, reader.snapshot():
        return list(reader.files()), reader.count_frames()


def schemas(here: Server, database: str) -> list[str]:
    rows = here.run("SELECT nspname FROM pg_namespace ORDER BY nspname", database=database)
    return [name for (name,) in rows if not name.startswith(("pg_", "information_"))]


@pytest.mark.parametrize("schema", ["", "films", 'the "old" films, 1'])
def test_the_draft_takes_its_place(here: Server, database: str, schema: str) -> None:
    name = here.name(database)
    if schema:
        quoted = '"' + schema.replace('"', '""') + '"'
        here.run(f"CREATE SCHEMA {quoted}", database=database)
        kept = "".join(each if each.isalnum() else f"\\{each}" for each in quoted)
        name = here.name(database, kept)
    before = schemas(here, database)
    store = open_store(name)
    put(store, "old", frames=3, profile="one")
    draft = store.draft("two")
    assert store.draft("two") == draft != name
    assert len(schemas(here, database)) == len(before) + 1
    put(open_store(draft), "new", frames=5, profile="two-1")
    put(open_store(draft), "other", frames=2, profile="two-2")
    assert held(store) == (["/old"], 3)
    with store.reader() as reader:
        with reader.snapshot():
            assert list(reader.files()) == ["/old"]
        with store.lock(), open_store(draft).lock():
            store.take_over(draft)
        with pytest.raises(LibraryError, match="is another library now"), reader.snapshot():
            pass
        assert reader.is_replaced
    assert held(store) == (["/new", "/other"], 7)
    put(store, "later", frames=4, profile="two-3")
    assert held(store) == (["/later", "/new", "/other"], 11)
    assert schemas(here, database) == before


def test_who_reads_is_waited_for(
    here: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(here.name(database))
    put(store, "old")
    draft = store.draft("two")
    put(open_store(draft), "new")
    monkeypatch.setattr(replacing, "_PATIENCE", "50ms")
    with store.reader() as reader, reader.snapshot():
        assert list(reader.files()) == ["/old"]
        with pytest.raises(LibraryError, match=r"is being read .* all the time: run it again"):
            store.take_over(draft)
        assert list(reader.files()) == ["/old"]
    assert held(store)[0] == ["/old"] and held(open_store(draft))[0] == ["/new"]
    store.take_over(draft)
    assert held(store)[0] == ["/new"]


def test_what_is_no_draft_takes_no_place(here: Server, database: str) -> None:
    store = open_store(here.name(database))
    put(store, "old")
    for other in (here.name(database), store.draft("two")):
        with pytest.raises(LibraryError, match="is no library that could take the place of"):
            store.take_over(other)
    assert held(store)[0] == ["/old"]


def test_who_may_not_make_a_schema_is_told_what_to_ask_for(here: Server, database: str) -> None:
    here.run("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
    here.run("GRANT ALL ON SCHEMA public TO guest", database=database)
    name = here.name(database, user="guest")
    put(open_store(name), "old")
    with pytest.raises(LibraryError, match=r"may not make schema 'public_two_draft'; GRANT CREATE"):
        open_store(name).draft("two")
    here.run("CREATE SCHEMA public_two_draft AUTHORIZATION guest", database=database)
    draft = open_store(name).draft("two")
    put(open_store(draft), "new")
    open_store(name).take_over(draft)
    assert held(open_store(name))[0] == ["/new"]
