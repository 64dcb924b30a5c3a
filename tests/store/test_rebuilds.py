"""A vector cache is built anew when it must be, and not before: of a large library it is costly."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest
from made_up import Films

from tempo_edge.store.embedded import vectors as module
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.vectors import FaissVectors

Change = Callable[[Films], None]


def nothing(films: Films) -> None:
    pass


def some_films_more(films: Films) -> None:
    for number in range(6):
        films.add(f"new {number}", 10)


def a_quarter_more(films: Films) -> None:
    films.add("new", 100)


def a_third_less(films: Films) -> None:
    films.drop("b")


def the_newest_gone(films: Films) -> None:
    films.drop("c")


def all_but_one_replaced(films: Films) -> None:
    for name in "ac":
        films.drop(name)
        films.add(f"{name} again", 30)


def opened_again(films: Films) -> None:
    films.catalogue.close()
    films.catalogue = SqliteCatalogue(films.path)


def put_in_order(films: Films) -> None:
    films.catalogue.close()
    with closing(sqlite3.connect(films.path)) as rows:
        rows.execute("VACUUM")
    films.catalogue = SqliteCatalogue(films.path)


def put_back_from_a_copy(films: Films) -> None:
    films.catalogue.close()
    copy = films.path.with_name("copy")
    shutil.copy(films.path, copy)
    copy.replace(films.path)
    films.catalogue = SqliteCatalogue(films.path)


def carried_elsewhere(films: Films) -> None:
    films.catalogue.close()
    there = films.path.parent / "elsewhere"
    there.mkdir()
    shutil.copy2(films.path, there)
    shutil.copytree(films.folder, there / films.folder.name)
    films.path, films.folder = there / films.path.name, there / films.folder.name
    films.catalogue = SqliteCatalogue(films.path)


@pytest.mark.parametrize("writing", [False, True], ids=["searching", "writing"])
@pytest.mark.parametrize(
    "change",
    [
        *(nothing, some_films_more, a_quarter_more, a_third_less, the_newest_gone),
        *(all_but_one_replaced, opened_again, put_in_order, put_back_from_a_copy),
        carried_elsewhere,
    ],
    ids=lambda change: change.__name__.replace("_", " "),
)
def test_a_cache_outlives(films: Films, builds: list[int], change: Change, writing: bool) -> None:
    """Whoever holds it, and whoever opens it next."""
    for name, frames in (("a", 130), ("b", 140), ("c", 130)):
        films.add(name, frames)
    FaissVectors(films.folder, films.catalogue).refresh(writing=True)
    assert builds == [1]
    catalogue, held = films.catalogue, films.cache()
    change(films)
    if films.catalogue is catalogue:
        held.refresh(writing=writing)
    files = {path: path.stat().st_mtime_ns for path in films.folder.iterdir()}
    cache = FaissVectors(films.folder, films.catalogue)
    for _ in range(2):
        cache.refresh(writing=writing)
    assert builds == [1]
    assert {path: path.stat().st_mtime_ns for path in films.folder.iterdir()} == files
    query = np.ones(32, np.float32) / np.float32(32**0.5)
    truth = films.similarities(query)
    hits = cache.search(query, 5)
    assert set(hits.ids.tolist()) <= set(truth) and len(hits.ids) == 5
    assert truth[int(hits.ids[0])] == pytest.approx(max(truth.values()), abs=0.005)


def test_a_reader_that_finds_the_file_written_to_keeps_its_cache(
    films: Films, builds: list[int]
) -> None:
    """The log of a writer that ended was put into the file; what the file holds is the same."""
    vectors = films.add("a", 300)
    films.cache()
    films.catalogue.close()
    reader = SqliteCatalogue(films.path, readonly=True)
    cache = FaissVectors(films.folder, reader)
    try:
        cache.refresh()
        os.utime(films.path, (5, 5))
        with reader.snapshot():
            cache.refresh()
            assert cache.search(vectors[7], 1).ids.tolist() == [8]
        assert reader.reopened == 1
    finally:
        reader.close()
    assert builds == [1]


@pytest.mark.parametrize(("more", "built"), [(100, 0), (101, 1)])
def test_a_quarter_may_wait_outside(films: Films, builds: list[int], more: int, built: int) -> None:
    films.add("a", 400)
    films.cache()
    builds.clear()
    films.add("b", more)
    films.cache()
    assert len(builds) == built


@pytest.mark.parametrize(("more", "built"), [(64, 0), (65, 1)])
def test_of_a_few_frames_a_few_more_may_wait(
    films: Films, builds: list[int], more: int, built: int
) -> None:
    films.add("a", 10)
    films.cache()
    builds.clear()
    films.add("b", more)
    films.cache()
    assert len(builds) == built


def test_what_waits_outside_may_be_much_only_while_somebody_searches(
    films: Films, builds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FLAT_LIMIT", 200)
    monkeypatch.setattr(module, "_TAIL_PATIENCE", 300)
    films.add("a", 210)
    films.cache()
    builds.clear()
    films.add("b", 300)
    films.cache()
    assert builds == []
    films.add("c", 1)
    films.cache()
    assert builds == [1]
