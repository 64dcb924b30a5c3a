"""The frames that a search gives are those that a plain scan in NumPy gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from films import ALL, DIM, another_process, frame, known, put, put_near
from keepers import Keeper
from numpy.typing import NDArray

from tempo_edge.quantization import quantize, unit
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.vectors import Vectors

# What sums of the same numbers in another order may differ by.
CLOSE = 1e-6


@pytest.fixture
def vectors(keeper: Keeper, writer: WritableCatalogue) -> Vectors:
    """The search among the vectors of the library; nothing is in it yet."""
    return keeper.store().vectors(writer)


def refresh(catalogue: Catalogue, vectors: Vectors, *, writing: bool = False) -> None:
    with catalogue.snapshot():
        vectors.refresh(writing=writing, must_save=writing)


def drawn(seed: int) -> NDArray[np.float32]:
    """A unit vector."""
    return unit(np.random.default_rng(seed).standard_normal(DIM).astype(np.float32))


def fill(writer: WritableCatalogue, films: int = 12, frames: int = 40) -> list[int]:
    """Films each of which has a look of its own; gives the videos."""
    return [put_near(writer, f"film {n}", drawn(n), frames, n) for n in range(films)]


def frames_of(catalogue: Catalogue, videos: Sequence[int]) -> set[int]:
    keys = catalogue.frame_keys(range(1, 20_000))
    return {number for number, video, _ in keys if video in videos}


def check(
    catalogue: Catalogue, vectors: Vectors, videos: Sequence[int] | None = None, k: int = 20
) -> None:
    """Hold answers to some queries against a scan of all that may be given."""
    everything = known(catalogue)
    allowed = set(everything) if videos is None else frames_of(catalogue, videos)
    for seed in (0, 3, 100):
        query = drawn(seed)
        truth = {number: float(everything[number] @ query) for number in allowed}
        hits = vectors.search(query, k, videos)
        given = hits.ids.tolist()
        assert (hits.ids.dtype, hits.similarities.dtype) == (np.int64, np.float32)
        assert len(given) == len(set(given)) == min(k, len(allowed))
        assert set(given) <= allowed
        assert np.all(np.diff(hits.similarities) <= 0), "best first"
        exact = [truth[number] for number in given]
        assert hits.similarities.tolist() == pytest.approx(exact, abs=CLOSE)
        last = sorted(truth.values(), reverse=True)[len(given) - 1] if given else 2.0
        missed = [value for number, value in truth.items() if number not in set(given)]
        assert max(missed, default=-2.0) <= last + CLOSE
        assert {n for n, value in truth.items() if value > last + CLOSE} <= set(given)


def test_all_frames_are_searched(writer: WritableCatalogue, vectors: Vectors) -> None:
    fill(writer)
    refresh(writer, vectors)
    check(writer, vectors)


def test_what_lies_apart_comes_in_its_exact_order(
    writer: WritableCatalogue, vectors: Vectors
) -> None:
    query, other = np.eye(DIM, dtype=np.float32)[:2]
    cosines = np.random.default_rng(0).permutation(np.linspace(-0.9, 0.9, 37))
    looks = quantize(cosines[:, None] * query + np.sqrt(1 - cosines[:, None] ** 2) * other)
    put(writer, "a", [frame(pts, look) for pts, look in enumerate(looks)])
    refresh(writer, vectors)
    hits = vectors.search(query, 37)
    times = {number: pts for number, _, pts in writer.frame_keys(hits.ids.tolist())}
    assert [times[number] for number in hits.ids.tolist()] == np.argsort(-cosines).tolist()


def test_only_some_videos_are_searched(writer: WritableCatalogue, vectors: Vectors) -> None:
    videos = fill(writer)
    refresh(writer, vectors)
    for scope in (videos[:1], videos[3:7], [*reversed(videos)], [videos[2], videos[2]]):
        check(writer, vectors, scope)
        check(writer, vectors, scope, k=1000)
    for nothing in ([], [9999]):
        hits = vectors.search(drawn(0), 5, nothing)
        assert len(hits.ids) == len(hits.similarities) == 0


def test_fewer_frames_than_asked_for(writer: WritableCatalogue, vectors: Vectors) -> None:
    refresh(writer, vectors)
    hits = vectors.search(drawn(0), 5)
    assert len(hits.ids) == len(hits.similarities) == len(vectors.sample()) == 0
    fill(writer, films=1, frames=3)
    refresh(writer, vectors)
    check(writer, vectors, k=50)


@pytest.mark.parametrize("writing", [False, True], ids=["searching", "writing"])
def test_what_is_new_is_found(
    keeper: Keeper, writer: WritableCatalogue, vectors: Vectors, writing: bool
) -> None:
    for step in range(4):
        put_near(writer, f"new {step}", drawn(step), 10 + 90 * (step % 2), step)
        refresh(writer, vectors, writing=writing)
        check(writer, vectors)
        another = keeper.store().vectors(writer)
        refresh(writer, another)
        check(writer, another)


@pytest.mark.parametrize("writing", [False, True], ids=["searching", "writing"])
def test_what_is_gone_is_never_given_and_crowds_nobody_out(
    keeper: Keeper, writer: WritableCatalogue, vectors: Vectors, writing: bool
) -> None:
    videos = fill(writer)
    put_near(writer, "crowd", drawn(0), 300, 50)
    refresh(writer, vectors, writing=True)
    for gone in (["/crowd"], [f"/film {n}" for n in range(4)], [f"/film {n}" for n in range(12)]):
        with writer.transaction():
            writer.drop_files(gone)
            writer.prune()
        refresh(writer, vectors, writing=writing)
        check(writer, vectors)
        check(writer, vectors, videos[2:6])
    assert len(vectors.sample()) == 0
    fill(writer)
    refresh(writer, vectors, writing=writing)
    check(writer, vectors)


def test_a_lost_cache_is_made_anew(
    keeper: Keeper, writer: WritableCatalogue, vectors: Vectors
) -> None:
    videos = fill(writer)
    refresh(writer, vectors, writing=True)
    keeper.lose_cache()
    refresh(writer, vectors)
    check(writer, vectors)
    put_near(writer, "new", drawn(3), 5, 99)
    another = keeper.store().vectors(writer)
    refresh(writer, another)
    check(writer, another)
    check(writer, another, videos[:2])


def test_readers_search_as_well(keeper: Keeper, writer: WritableCatalogue) -> None:
    fill(writer)
    with keeper.store().reader() as reader:
        vectors = keeper.store().vectors(reader)
        refresh(reader, vectors)
        check(reader, vectors)
        put_near(writer, "new", drawn(0), 5, 99)
        refresh(reader, vectors)
        check(reader, vectors)


def test_a_search_is_of_the_instant_of_its_snapshot(
    keeper: Keeper, writer: WritableCatalogue
) -> None:
    videos = fill(writer, films=4)
    with keeper.store().reader() as reader:
        vectors = keeper.store().vectors(reader)
        with reader.snapshot():
            reader.files()
            with writer.transaction():
                writer.drop_files(["/film 1"])
                writer.prune()
            vectors.refresh()
            check(reader, vectors)
            check(reader, vectors, videos[1:2])
        refresh(reader, vectors)
        check(reader, vectors)
        assert len(vectors.search(drawn(1), 5, videos[1:2]).ids) == 0


def test_a_sample_is_of_what_is_searched(writer: WritableCatalogue, vectors: Vectors) -> None:
    videos = fill(writer)
    refresh(writer, vectors, writing=True)
    rows = {tuple(np.round(vector, 4)) for vector in known(writer).values()}
    sample = vectors.sample()
    assert sample.shape == (len(rows), DIM) and sample.dtype == np.float32
    assert {tuple(np.round(vector, 4)) for vector in sample} == rows
    packed = writer.frames_between(videos[3], *ALL)[2]
    assert vectors.sample(videos[3:4]).shape == packed.shape
    assert np.all(vectors.sample(videos[3:4]) @ drawn(3) > 0.3)
    assert vectors.sample([]).shape[0] == vectors.sample([9999]).shape[0] == 0


def test_a_sample_is_small_and_spread(writer: WritableCatalogue, vectors: Vectors) -> None:
    videos = [put_near(writer, f"film {n}", drawn(n), 3000, n) for n in range(2)]
    refresh(writer, vectors, writing=True)
    for scope in (None, videos):
        sample = vectors.sample(scope)
        assert np.array_equal(sample, vectors.sample(scope))
        assert 1000 <= len(sample) <= 4500
        assert np.linalg.norm(sample, axis=1) == pytest.approx(1, abs=1e-5)
        of_the_first = float(np.mean(sample @ drawn(0) > sample @ drawn(1)))
        assert of_the_first == pytest.approx(0.5, abs=0.1)


INDEX = """
import numpy as np
with store.lock(), store.writer() as writer:
    for number in range(3):
        put_near(writer, f"theirs {number}", np.eye(DIM, dtype=np.float32)[number], 30, number)
    with writer.snapshot():
        vectors = store.vectors(writer)
        vectors.refresh(writing=True, must_save=True)
print("done", flush=True)
"""


def test_what_another_process_wrote_is_found(keeper: Keeper, writer: WritableCatalogue) -> None:
    put_near(writer, "ours", drawn(0), 30, 7)
    with keeper.store().reader() as reader:
        vectors = keeper.store().vectors(reader)
        refresh(reader, vectors)
        with another_process(keeper.name, INDEX) as run:
            assert run.stdout is not None and run.stdout.read() == "done\n"
        refresh(reader, vectors)
        assert reader.count_frames() == 120
        check(reader, vectors)
