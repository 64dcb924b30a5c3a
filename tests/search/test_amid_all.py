"""A search of one video that is as sure as one of the whole library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tempo_edge.library import Library
from tempo_edge.query import Query


@pytest.mark.parametrize("grounder", ["curve", "mllm"])
@pytest.mark.parametrize("text", ["a beach", "a beach AND a street"])
def test_what_is_found_in_a_video_is_as_sure_as_among_all(
    built: Path, grounder: str, text: str
) -> None:
    query = Query(text, 100, 0.0, seen=True, grounder=grounder)
    with Library.open(built) as library:
        whole = library.ask(query).moments
        videos = [video for video, _ in library.catalogue.videos()]
        apart, alone = [], []
        for video in videos:
            of_it = replace(query, videos=frozenset({video}))
            apart += library.ask(replace(of_it, amid_all=True)).moments
            alone += library.ask(of_it).moments

    def facts(moments: object) -> set[tuple[object, ...]]:
        return {
            (each.video, each.start_seconds, round(each.confidence, 6))
            for each in moments  # type: ignore[attr-defined]
        }

    assert len(whole) >= len(videos) == 3
    assert facts(apart) == facts(whole) != facts(alone)
