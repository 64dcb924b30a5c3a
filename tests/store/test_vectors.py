"""The vector cache: it may be missing, torn, another's or old, and finds what is nearest."""

from __future__ import annotations

import json
import os
import shutil
import threading
import tracemalloc

import numpy as np
import pytest
from made_up import DIM, Films, Vectors

from tempo_edge.errors import LibraryError
from tempo_edge.quantization import dequantize
from tempo_edge.store.embedded import vectors as module
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.vector_files import VectorFiles
from tempo_edge.store.embedded.vectors import FaissVectors


def check(films: Films, cache: FaissVectors, query: Vectors) -> None:
    """The best ten are those of a plain scan, as far as eight bits a component can tell."""
    hits = cache.search(query, 10)
    truth = films.similarities(query)
    tenth = sorted(truth.values())[-10]
    assert len(set(hits.ids.tolist())) == 10
    assert all(truth[i] > tenth - 0.005 for i in hits.ids.tolist())
    assert np.all(np.diff(hits.similarities) <= 0)


def test_an_empty_library_has_no_hits(films: Films) -> None:
    hits = films.cache().search(np.ones(DIM, np.float32), 5)
    assert len(hits.ids) == len(hits.similarities) == 0
    assert not films.folder.exists()


def test_it_is_built_once_and_loaded_after(films: Films, builds: list[int]) -> None:
    vectors = films.add("a", 300)
    for _ in range(3):
        check(films, films.cache(), vectors[0])
    assert len(builds) == 1


def test_new_frames_are_found_at_once_and_by_others(films: Films, builds: list[int]) -> None:
    films.add("a", 1000)
    cache = films.cache()
    vectors = films.add("b", 50)
    cache.refresh()
    assert cache.search(vectors[3], 1).ids.tolist() == [1004]
    assert films.cache().search(vectors[3], 1).ids.tolist() == [1004]
    assert len(builds) == 1


def test_it_is_rebuilt_before_much_is_new(films: Films, builds: list[int]) -> None:
    films.add("a", 100)
    cache = films.cache()
    films.add("b", 1000)
    cache.refresh()
    assert len(builds) == 2
    assert len(cache.sample()) == 1100, "the sample is of the whole library"


@pytest.mark.parametrize("limit", [0, 1000], ids=["by the cache", "by a scan"])
def test_few_videos_are_searched(films: Films, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(module, "_SCAN_LIMIT", limit)
    films.add("a", 2)
    vectors = films.add("b", 1000)
    cache = films.cache()
    films.add("c", 2)
    films.add("d", 40)
    cache.refresh()
    assert sorted(cache.search(vectors[100], 10, [1, 3]).ids) == [1, 2, 1003, 1004]


def test_deleted_frames_are_never_given_and_crowd_nobody_out(
    films: Films, builds: list[int]
) -> None:
    query = films.add("dogs", 1)[0]
    films.add("more dogs", 600, near=query)
    films.add("cats", 3000)
    films.cache()
    films.drop("more dogs")
    cache = films.cache()
    hits = cache.search(query, 50)
    assert len(hits.ids) == 50
    assert 1 in hits.ids
    assert not np.any((hits.ids > 1) & (hits.ids <= 601))
    assert len(builds) == 1


def test_it_is_rebuilt_when_much_is_gone(films: Films, builds: list[int]) -> None:
    films.add("a", 3000)
    vectors = films.add("b", 100)
    cache = films.cache()
    films.drop("a")
    cache.refresh()
    assert len(builds) == 2
    assert cache.search(vectors[0], 1).ids.tolist() == [3001]


def test_an_inverted_file_finds_nearly_all(
    films: Films, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_FLAT_LIMIT", 500)
    monkeypatch.setattr(module, "LISTS_VISITED", 32)
    centres = films.random.standard_normal((20, DIM)).astype(np.float32)
    for number, centre in enumerate(centres):
        films.add(f"film {number}", 200, near=centre)
    query = centres[3] / np.linalg.norm(centres[3])
    check(films, films.cache(), query)
    check(films, films.cache(), query)
    monkeypatch.setattr(module, "_SCAN_LIMIT", 0)
    assert set(films.cache().search(query, 10, [1]).ids) <= set(range(1, 201))
    assert capfd.readouterr() == ("", ""), "FAISS keeps its advice to itself"


def test_a_part_of_a_library_is_searched_as_if_all_of_it_were_compared(
    films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few of the lists that are nearest to a query hold any of it."""
    monkeypatch.setattr(module, "_FLAT_LIMIT", 500)
    monkeypatch.setattr(module, "_SCAN_LIMIT", 0)
    monkeypatch.setattr(module, "LISTS_VISITED", 2)
    centres = films.random.standard_normal((20, DIM)).astype(np.float32)
    vectors = [films.add(f"film {i}", 200, near=centre) for i, centre in enumerate(centres)]
    query, part = centres[3] / np.linalg.norm(centres[3]), [6, 11]
    similarities = np.concatenate([vectors[each - 1] for each in part]) @ query
    ids = np.concatenate([np.arange(1, 201) + 200 * (each - 1) for each in part])
    found = films.cache().search(query, 30, part)
    assert set(found.ids) == set(ids[np.argsort(-similarities)[:30]])


def test_the_frames_of_videos_are_told_whatever_their_ids(films: Films) -> None:
    for name, count in (("a", 5), ("b", 4), ("c", 3)):
        films.add(name, count)
    with SqliteCatalogue(films.path) as writer, writer.transaction():
        writer._db.execute("UPDATE frames SET id=40 WHERE id=3")
        writer._db.execute("UPDATE frames SET id=3 WHERE id=8")
    for readonly in (False, True):
        with SqliteCatalogue(films.path, readonly=readonly) as catalogue:
            for _ in range(2):
                assert catalogue.frame_ids([1, 3]).tolist() == [1, 2, 4, 5, 10, 11, 12, 40]
                assert catalogue.frame_ids([2, 2]).tolist() == [3, 6, 7, 9]
                assert catalogue.frame_ids([7]).tolist() == catalogue.frame_ids([]).tolist() == []


@pytest.fixture
def large(films: Films, monkeypatch: pytest.MonkeyPatch) -> Films:
    """A library that counts as large, with a cache."""
    monkeypatch.setattr(module, "_FLAT_LIMIT", 500)
    monkeypatch.setattr(module, "LISTS_VISITED", 64)
    monkeypatch.setattr(module, "_TAIL_LIMIT", 50)
    films.add("a", 1000)
    films.cache()
    return films


def test_a_search_in_a_large_library_builds_nothing(large: Films, builds: list[int]) -> None:
    saved = large.saved()
    vectors = large.add("b", 200)
    cache = large.cache()
    assert cache.search(vectors[3], 1).ids.tolist() == [1004]
    assert builds == [] and large.saved() == saved


def test_a_writer_extends_the_cache_of_a_large_library(large: Films, builds: list[int]) -> None:
    saved = large.saved()
    vectors = large.add("b", 200)
    cache = FaissVectors(large.folder, large.catalogue)
    cache.refresh(writing=True)
    assert builds == [] and large.saved() != saved
    for seen in (cache, large.cache()):
        assert seen.search(vectors[3], 1).ids.tolist() == [1004]
        check(large, seen, vectors[100])
        assert len(seen.sample()) == 1200
    assert len(large.cache()._tail_ids) == 0


def test_an_extended_cache_knows_what_is_dead(large: Films) -> None:
    query = large.add("dogs", 60)[0]
    FaissVectors(large.folder, large.catalogue).refresh(writing=True)
    large.drop("dogs")
    large.add("cats", 200)
    writer = FaissVectors(large.folder, large.catalogue)
    writer.refresh(writing=True)
    hits = writer.search(query, 20)
    assert len(hits.ids) == 20 and not np.any((hits.ids > 1000) & (hits.ids <= 1060))
    large.drop("cats")
    again = large.cache()
    for _ in range(2):
        hits = again.search(query, 20)
        assert len(hits.ids) == 20 and hits.ids.max() <= 1000
        again.refresh()


def test_a_cache_that_doubled_is_trained_anew(large: Films, builds: list[int]) -> None:
    large.add("b", 1100)
    FaissVectors(large.folder, large.catalogue).refresh(writing=True)
    assert builds == [1]


def test_a_cache_that_is_gone_when_it_should_be_extended_is_built(
    large: Films, builds: list[int]
) -> None:
    cache = large.cache()
    vectors = large.add("b", 200)
    shutil.rmtree(large.folder)
    cache.refresh(writing=True)
    assert builds == [1]
    assert cache.search(vectors[3], 1).ids.tolist() == [1004]


def test_the_sample_of_an_extended_cache_is_of_the_whole_library(
    large: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAMPLE_SIZE", 120)
    shutil.rmtree(large.folder)
    large.cache()
    query = np.eye(DIM, dtype=np.float32)[0]
    large.add("b", 500, near=100 * query)
    cache = FaissVectors(large.folder, large.catalogue)
    cache.refresh(writing=True)
    assert len(cache.sample()) == 120
    assert int((cache.sample() @ query > 0.9).sum()) == 40, "a third, as in the library"


# -- what may happen to the files ------------------------------------------------------------------


def delete_all(films: Films) -> None:
    shutil.rmtree(films.folder)


def truncate(films: Films) -> None:
    os.truncate(films.saved(), 100)


def empty(films: Films) -> None:
    os.truncate(films.saved(), 0)


def garbage(films: Films) -> None:
    films.saved().write_bytes(os.urandom(films.saved().stat().st_size))


def garbage_of_the_same_age(films: Films) -> None:
    facts = films.saved().stat()
    films.saved().write_bytes(b"\0" * facts.st_size)
    os.utime(films.saved(), ns=(facts.st_atime_ns, facts.st_mtime_ns))


def no_index(films: Films) -> None:
    films.saved().unlink()


def no_sample(films: Films) -> None:
    films.saved().with_suffix(".npy").unlink()


def empty_sample(films: Films) -> None:
    films.saved().with_suffix(".npy").write_bytes(b"")


def no_description(films: Films) -> None:
    (films.folder / "current.json").unlink()


def torn_description(films: Films) -> None:
    (films.folder / "current.json").write_text('{"library": "')


def another_description(films: Films) -> None:
    (films.folder / "current.json").write_text("[1, 2]")


def not_text(films: Films) -> None:
    (films.folder / "current.json").write_bytes(b"\xff\xfe\0")


def a_file_instead(films: Films) -> None:
    shutil.rmtree(films.folder)
    films.folder.write_text("hello")


def of_another_library(films: Films) -> None:
    other = Films(films.path.parent / "other")
    other.random = np.random.default_rng(1)
    other.add("z", 300)
    other.cache()
    other.catalogue.close()
    shutil.rmtree(films.folder)
    shutil.copytree(other.folder, films.folder)


@pytest.mark.parametrize(
    "harm",
    [
        *(delete_all, truncate, empty, garbage, garbage_of_the_same_age, no_index, no_sample),
        *(empty_sample, no_description, torn_description, another_description, not_text),
        *(a_file_instead, of_another_library),
    ],
)
def test_a_harmed_cache_is_rebuilt(films: Films, harm: object, builds: list[int]) -> None:
    vectors = films.add("a", 300)
    films.cache()
    assert callable(harm)
    harm(films)
    builds.clear()
    cache = films.cache()
    assert len(builds) == 1
    check(films, cache, vectors[7])
    assert len(cache.sample()) == 300


def test_a_cache_is_mended_for_good(films: Films, builds: list[int]) -> None:
    films.add("a", 300)
    films.cache()
    garbage(films)
    films.cache()
    films.cache()
    assert len(builds) == 2


def test_a_database_put_back_from_a_copy_does_not_use_a_later_cache(films: Films) -> None:
    films.add("a", 300)
    films.catalogue.close()
    copy = films.path.read_bytes()
    films.catalogue = SqliteCatalogue(films.path)
    films.add("b", 300)
    films.cache()
    films.catalogue.close()
    films.path.write_bytes(copy)
    films.catalogue = SqliteCatalogue(films.path)
    vectors = films.add("c", 300)  # with the ids that "b" had
    assert films.cache().search(vectors[9], 1).ids.tolist() == [310]


def test_a_disk_without_room_does_not_hinder_a_search(
    films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = films.add("a", 300)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(VectorFiles, "write", full)
    check(films, films.cache(), vectors[7])
    with pytest.raises(LibraryError, match="No space left on device"):
        FaissVectors(films.folder, films.catalogue).refresh(must_save=True)


def test_drafts_of_the_dead_and_old_caches_are_swept_away(films: Films) -> None:
    films.add("a", 100)
    films.cache()
    (films.folder / ".vectors-1234.faiss.abcd").write_bytes(b"half")
    films.add("b", 500)
    films.cache()
    left = {path.name for path in films.folder.iterdir()}
    key = films.saved().stem
    assert left == {f"{key}.faiss", f"{key}.npy", "current.json", "lock"}
    about = json.loads((films.folder / "current.json").read_text())
    assert set(about["files"]) == {f"{key}.faiss", f"{key}.npy"}


@pytest.mark.parametrize("batch", [1, 7, 100, 8192])
def test_some_videos_are_scanned_and_sampled_alike_whatever_the_batch(
    films: Films, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    for name in ("a", "b", "c", "d"):
        films.add(name, 25)
    vectors = films.add("e", 3, near=np.ones(DIM, np.float32))
    films.add("f", 3, near=np.ones(DIM, np.float32))
    read = films.catalogue.vectors_of
    monkeypatch.setattr(films.catalogue, "vectors_of", lambda videos: read(videos, batch))
    monkeypatch.setattr(module, "SAMPLE_SIZE", 9)
    cache, some = films.cache(), [1, 3, 5, 6]
    truth = films.similarities(vectors[0])
    inside = [*range(1, 26), *range(51, 76), *range(101, 107)]
    hits = cache.search(vectors[0], 10, some)
    assert hits.ids.tolist() == sorted(inside, key=lambda each: -truth[each])[:10]
    assert hits.similarities == pytest.approx([truth[each] for each in hits.ids.tolist()], abs=1e-6)
    every = dequantize(np.concatenate([packed for _, packed in read(some)]))
    assert (cache.sample(some) == every[:: 56 // 9]).all()
    assert not len(cache.search(vectors[0], 10, []).ids) and not len(cache.sample([]))


def test_the_memory_of_a_scan_does_not_grow_with_what_is_scanned(films: Films) -> None:
    films.add("a", 10_000)
    query = films.add("b", 40_000)[0]
    cache = films.cache()

    def peak(videos: list[int]) -> int:
        tracemalloc.start()
        try:
            assert len(cache.search(query, 256, videos).ids) == 256
            cache.sample(videos)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak([2]) < 1.2 * peak([1])


@pytest.mark.parametrize("each", [0, 50], ids=["as a set", "as a bitmap"])
def test_what_a_search_is_kept_to_is_told_to_faiss(
    films: Films, monkeypatch: pytest.MonkeyPatch, each: int
) -> None:
    monkeypatch.setattr(module, "_SET_BYTES", each)
    monkeypatch.setattr(module, "_SCAN_LIMIT", 0)
    for name in ("a", "b", "c"):
        films.add(name, 77)
    query = films.add("d", 77)[0]
    found = films.cache().search(query, 500, [2, 4]).ids
    assert sorted(found.tolist()) == [*range(78, 155), *range(232, 309)]


def test_many_build_at_once(films: Films) -> None:
    vectors = films.add("a", 2000)
    failures: list[BaseException] = []

    def search() -> None:
        catalogue = SqliteCatalogue(films.path, readonly=True)
        try:
            for _ in range(5):
                cache = FaissVectors(films.folder, catalogue)
                cache.refresh()
                assert cache.search(vectors[7], 1).ids.tolist() == [8]
                shutil.rmtree(films.folder, ignore_errors=True)
        except BaseException as error:
            failures.append(error)
        finally:
            catalogue.close()

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
