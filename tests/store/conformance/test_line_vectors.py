"""Sentence vectors come back as they were put, go with their lines, and the nearest are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from films import put
from keepers import Keeper
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize, quantize, unit
from tempo_edge.store.interface import Catalogue, WritableCatalogue
from tempo_edge.store.line_vectors import LineVectors
from tempo_edge.words.line import KINDS, Line

DIM = 64


def drawn(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors."""
    return unit(np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32))


def film(writer: WritableCatalogue, name: str, count: int, kind: str = "subtitle") -> int:
    """A film of which so many lines are known; gives the video's id."""
    video = put(writer, name)
    lines = [Line(float(at), at + 1.0, kind, f"{name} {at}") for at in range(count)]
    writer.put_lines(video, KINDS, [*lines, Line(0.0, 9.0, "name", name)])
    return video


def read(writer: WritableCatalogue, model: str = "m", seed: int = 0) -> dict[int, str]:
    """Give every line that lacks one a vector; gives the texts by id."""
    writer.begin_line_vectors(model)
    hits = writer.lines_to_read(10_000)
    if hits:
        ids = [hit.id for hit in hits]
        writer.put_line_vectors(ids[-1], ids, quantize(drawn(len(ids), seed)))
    return {hit.id: hit.line.text for hit in hits}


def search(keeper: Keeper, catalogue: Catalogue) -> LineVectors:
    found = keeper.store().line_vectors(catalogue)
    with catalogue.snapshot():
        found.refresh()
    return found


def test_lines_are_read_once_in_the_order_of_their_ids(writer: WritableCatalogue) -> None:
    assert (writer.line_model(), writer.line_vectors([1])[0].tolist()) == ("", [])
    film(writer, "a", 3)
    writer.begin_line_vectors("m")
    (first,) = writer.lines_to_read(1)
    assert first.line.text == "a 0" and writer.lines_by_id([first.id]) == [first]
    writer.put_line_vectors(first.id, [], np.zeros((0, DIM), np.int8))  # it gets none
    rest = writer.lines_to_read(9)
    assert [hit.line.text for hit in rest] == ["a 1", "a 2"], "names get none"
    vectors = quantize(drawn(2))
    writer.put_line_vectors(rest[-1].id, [hit.id for hit in rest], vectors)
    assert writer.lines_to_read(9) == []
    ids, packed = writer.line_vectors([first.id, *(hit.id for hit in rest)])
    assert ids.tolist() == [hit.id for hit in rest] and np.array_equal(packed, vectors)
    film(writer, "b", 1)
    assert [hit.line.text for hit in writer.lines_to_read(9)] == ["b 0"]


def test_another_model_begins_anew(writer: WritableCatalogue) -> None:
    film(writer, "a", 2)
    assert len(read(writer)) == 2 and read(writer) == {}
    assert list(read(writer, "other").values()) == ["a 0", "a 1"]
    assert writer.line_model() == "other"


def test_they_go_with_their_lines(writer: WritableCatalogue, keeper: Keeper) -> None:
    gone, stays = film(writer, "a", 5), film(writer, "b", 5)
    texts = read(writer)
    found = search(keeper, writer)
    with writer.transaction():
        writer.drop_files(["/a"])
        writer.prune()
    assert writer.lines(gone) == [] and len(writer.lines(stays)) == 6
    assert len(writer.line_vectors(list(texts))[0]) == 5
    for lines in (found, search(keeper, writer)):
        ids = lines.search(drawn(1)[0], 10).ids.tolist()
        assert sorted(texts[line] for line in ids) == [f"b {n}" for n in range(5)]


@pytest.mark.parametrize("state", ["built", "saved", "lost"])
def test_the_nearest_are_those_of_a_plain_scan(
    writer: WritableCatalogue, keeper: Keeper, state: str
) -> None:
    videos = [film(writer, name, 400) for name in "abc"]
    spoken = film(writer, "d", 50, "speech")
    texts = read(writer)
    lines = keeper.store().line_vectors(writer)
    with writer.snapshot():
        lines.refresh(writing=state != "built")
    if state == "lost":
        keeper.lose_cache()
    lines = search(keeper, writer)
    assert lines.count() == 1250 and lines.sample().shape[1] == DIM
    vectors = dequantize(quantize(drawn(1250)))
    query = unit(vectors[3] + 0.3 * drawn(1, 9)[0])
    truth = dict(zip(texts, (vectors @ query).tolist(), strict=True))

    def check(found: Sequence[int], allowed: set[int]) -> None:
        assert set(found) <= allowed
        best = sorted(allowed, key=lambda line: -truth[line])
        assert found[0] == best[0], "what is near is never lost"
        assert len(set(best[:10]) & set(found[:30])) >= 7, "signs are a first look"

    ids = list(texts)
    check(lines.search(query, 30).ids.tolist(), set(ids))
    second = lines.search(query, 30, videos=[videos[1]]).ids.tolist()
    check(second, set(ids[400:800]))
    check(lines.search(query, 30, kinds=["speech"]).ids.tolist(), set(ids[1200:]))
    assert len(lines.search(query, 30, kinds=["screen"]).ids) == 0
    both = lines.search(query, 30, kinds=["speech"], videos=[spoken, videos[0]])
    assert set(both.ids.tolist()) <= set(ids[1200:])
    begun = [lines.begin(query, 30), lines.begin(query, 30, videos=[videos[1]])]
    assert begun[1]().ids.tolist() == second, "what is begun later may be called for first"
    assert begun[0]().ids.tolist() == lines.search(query, 30).ids.tolist()


def test_newer_lines_are_found_beside_a_saved_cache(
    writer: WritableCatalogue, keeper: Keeper
) -> None:
    film(writer, "a", 20)
    read(writer)
    lines = keeper.store().line_vectors(writer)
    with writer.snapshot():
        lines.refresh(writing=True)
    film(writer, "b", 20)
    texts = read(writer, seed=5)
    query = dequantize(quantize(drawn(20, 5)))[7]
    with writer.snapshot():
        lines.refresh()
    for each in (lines, search(keeper, writer)):
        assert each.count() == 40
        assert texts[int(each.search(query, 3).ids[0])] == "b 7"


def test_a_rare_word_tells_more(writer: WritableCatalogue) -> None:
    film(writer, "common", 9)
    video = put(writer, "other")
    writer.put_lines(video, KINDS, [Line(0.0, 1.0, "subtitle", "a rare line")])
    rare, common, unknown, unspaced = writer.rarities(["rare", "common", "nowhere", "今日"])
    assert 0 <= common < rare <= unknown == unspaced
    assert writer.rarities(["rare line"]) == [rare]
