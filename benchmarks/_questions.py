"""Questions about one video each: what it shows, what it doesn't, and what it nearly shows.

From each composite some of its pictures are drawn, and for each of them two sentences: a caption of
the picture (*present*), and one that the video never makes true. That is in turn a caption of a
picture of another video (*easy*) and one that nearly fits (*hard*, partially irrelevant): its own
caption with one word changed, or the caption from elsewhere which shares the most words with it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks._captions import choose_caption, content_words, is_entailed
from benchmarks._sources import ARCHIVES, open_archive
from benchmarks.composites import CompositeSet
from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.evaluation.minimal_pairs import swap

__all__ = ["Asked", "Question", "plan_questions"]

Asked = Literal["present", "easy", "hard"]
_Key = tuple[str, str]


@dataclass(frozen=True)
class Question:
    """A sentence asked of one video: ``spans`` are when it is true, none if it never is."""

    file: str
    query: str
    asked: Asked
    spans: tuple[Interval, ...]


def plan_questions(
    composites: CompositeSet, data: Path, *, pictures: int, seed: int
) -> list[Question]:
    """Questions about `pictures` different ones of each video, two to each, by a seed."""
    known = _captions(data, composites)
    shown = {video["file"]: _spans(video["shots"]) for video in composites.manifest["videos"]}
    questions: list[Question] = []
    for number, (file, spans) in enumerate(sorted(shown.items())):
        rng = random.Random(f"questions {seed} {number}")
        here = [content_words(caption) for key in spans for caption in known[key]]
        elsewhere = [key for key in sorted(known) if key not in spans]
        for turn, key in enumerate(rng.sample(sorted(spans), min(pictures, len(spans)))):
            others = [content_words(c) for other in spans if other != key for c in known[other]]
            asked = choose_caption(rng, known[key], others)
            questions.append(Question(file, asked, "present", tuple(spans[key])))
            if turn % 2 == 0:
                away = _caption_of_none(rng, [known[k] for k in elsewhere], here)
                questions.append(Question(file, away, "easy", ()))
            else:
                near = _changed(asked, here, seed, number, turn) if turn % 4 == 1 else None
                near = near or _look_alike(asked, [known[k] for k in elsewhere], here)
                questions.append(Question(file, near, "hard", ()))
    return questions


def _captions(data: Path, composites: CompositeSet) -> dict[_Key, tuple[str, ...]]:
    """The captions of every picture and clip that the composites show."""
    used = {
        (shot["source"], shot["item"])
        for video in composites.manifest["videos"]
        for shot in video["shots"]
    }
    found: dict[_Key, tuple[str, ...]] = {}
    for source in sorted({source for source, _ in used}):
        index = dict(open_archive(data, ARCHIVES[source]).index)
        found |= {(s, item): index[item] for s, item in sorted(used) if s == source}
    return found


def _spans(shots: Sequence[Mapping[str, Any]]) -> dict[_Key, list[Interval]]:
    spans: dict[_Key, list[Interval]] = {}
    for shot in shots:
        start, end = shot["span"]
        spans.setdefault((shot["source"], shot["item"]), []).append((start, end))
    return spans


def _caption_of_none(
    rng: random.Random, elsewhere: Sequence[Sequence[str]], here: Sequence[frozenset[str]]
) -> str:
    """A caption that no picture of this video makes true, as far as words can tell."""
    while True:
        caption = rng.choice(rng.choice(elsewhere))
        if not is_entailed(content_words(caption), here):
            return caption


def _changed(
    caption: str, here: Sequence[frozenset[str]], seed: int, number: int, turn: int
) -> str | None:
    changed = swap(caption, np.random.default_rng((seed, number, turn)))
    if changed is None or is_entailed(content_words(changed.sentence), here):
        return None
    return changed.sentence


def _look_alike(
    caption: str, elsewhere: Sequence[Sequence[str]], here: Sequence[frozenset[str]]
) -> str:
    """The caption from elsewhere that shares the largest part of its words with this one."""
    words = content_words(caption)

    def shared(other: str) -> float:
        theirs = content_words(other)
        return len(words & theirs) / max(1, len(words | theirs))

    apart = [c for said in elsewhere for c in said if not is_entailed(content_words(c), here)]
    return max(apart, key=lambda other: (shared(other), other))
