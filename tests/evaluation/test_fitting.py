"""The confidence is fitted on queries that occur, that don't, and that nearly do."""

from __future__ import annotations

from tempo_edge.evaluation.fitting import _draws, nearly
from tempo_edge.evaluation.truth import Query
from tempo_edge.moment import Span

VIDEOS = {f"v{number}.mp4": number for number in range(12)}
QUERIES = [
    Query("a black dog runs", "v3.mp4", (Span(0.0, 2.0),)),
    Query("a truck on a road", None, ()),
    Query("three girls dance", "v5.mp4", (Span(1.0, 2.0),)),
    Query("xylophone", "v7.mp4", (Span(1.0, 2.0),)),
]


def test_one_word_is_changed_of_what_occurs() -> None:
    changed = nearly(QUERIES, seed=0)
    assert [query.near for query in changed] == ["v3.mp4", "v5.mp4"]
    for query, original in zip(changed, (QUERIES[0], QUERIES[2]), strict=True):
        words = zip(query.text.split(), original.text.split(), strict=True)
        assert sum(new != old for new, old in words) == 1
        assert query.file is None and not query.spans


def test_what_nearly_fits_is_asked_of_what_it_nearly_fits_and_is_absent() -> None:
    drawn = _draws(nearly(QUERIES, seed=0), list(VIDEOS.values()), VIDEOS, seed=1)
    assert drawn and all(set(videos) & {3, 5} and not present for _, videos, present in drawn)
    assert min(len(videos) for _, videos, _ in drawn) == 1


def test_what_occurs_is_asked_with_and_without_its_video() -> None:
    drawn = _draws([QUERIES[0]] * 8, list(VIDEOS.values()), VIDEOS, seed=1)
    assert {present for _, _, present in drawn} == {True, False}
    assert all((3 in videos) == present for _, videos, present in drawn)
