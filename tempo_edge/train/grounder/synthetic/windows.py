"""Draws windows of made-up footage from a feature bank, and questions about them, without end.

A window is a row of shots, each a captioned picture under a moving camera, joined by cuts, fades
and fades through black, and looked at as SAA would look: at every cut, every second or so of
motion, rarely where nothing moves. Three things keep a model from reading boundaries off cuts
instead of content: some shots hold a cut inside, some boundaries are fades, and some frames lie in
the middle of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.quantization import dequantize, unit
from tempo_edge.train.grounder.examples import Example, Kind
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.filming import Shot, edges_of, film_shots
from tempo_edge.train.grounder.synthetic.mix import Mix

__all__ = ["SyntheticWindows", "draw", "draw_staged"]


@dataclass(frozen=True)
class SyntheticWindows:
    """Draws examples from windows made up of a feature bank's pictures, without end."""

    feature_bank: FeatureBank
    mix: Mix

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
        return draw(self.feature_bank, self.mix, rng)


def draw(feature_bank: FeatureBank, mix: Mix, rng: np.random.Generator) -> Example:
    """One example; the same generator state draws the same one."""
    return draw_staged(feature_bank, mix, rng)[0]


def draw_staged(
    feature_bank: FeatureBank, mix: Mix, rng: np.random.Generator
) -> tuple[Example, Sequence[Shot]]:
    """One example, and the shots that its frames look at."""
    while True:
        pictures, target = _pictures(feature_bank, mix, rng)
        shots = _shots(feature_bank, pictures, mix, rng)
        looks = film_shots(feature_bank, shots, mix, rng)
        if not 2 <= len(looks) <= mix.looks or shots[-1].end > eta.LONGEST_SECONDS - 0.1:
            continue
        edges, shown = edges_of(looks, shots[-1].end), frozenset(pictures)
        if rng.random() < mix.absent:
            asked = _absent(feature_bank, set(pictures), target, mix, rng)
            if asked is None:
                continue
            query, kind, other = asked
            about = frozenset({target, other})
            return Example(looks, edges, query, (), kind, shown=shown, about=about), shots
        spans = tuple((shot.start, shot.end) for shot in shots if shot.picture == target)
        query, about = _caption(feature_bank, target, rng), frozenset({target})
        return Example(looks, edges, query, spans, "present", shown=shown, about=about), shots


def _pictures(
    feature_bank: FeatureBank, mix: Mix, rng: np.random.Generator
) -> tuple[list[int], int]:
    """The numbers of the pictures that a window shows, in order, and of the one asked for."""
    count = int(rng.integers(mix.shots[0], mix.shots[1] + 1))
    target = int(rng.integers(len(feature_bank)))
    shown = [target]
    if rng.random() < mix.repeated:
        shown += [target] * int(rng.integers(1, 3))
    if rng.random() < mix.alike:
        shown += rng.choice(
            feature_bank.near[target], min(2, feature_bank.near.shape[1]), replace=False
        ).tolist()
    while len(shown) < count:
        shown.append(int(rng.integers(len(feature_bank))))
    order = [int(picture) for picture in rng.permutation(shown)]
    # Two shots of one picture in a row would be one event.
    apart = [p for i, p in enumerate(order) if i == 0 or p != order[i - 1]]
    return apart, target


def _absent(
    feature_bank: FeatureBank, shown: set[int], target: int, mix: Mix, rng: np.random.Generator
) -> tuple[str, Kind, int] | None:
    """A sentence on nothing that is shown, its kind, and the picture that it was made of."""
    if rng.random() >= mix.hard:
        other = int(rng.integers(len(feature_bank)))
        barred = shown | {int(p) for s in shown for p in feature_bank.near[s]}
        return None if other in barred else (_caption(feature_bank, other, rng), "easy", other)
    if rng.random() < mix.swaps:
        changed = swap(_caption(feature_bank, target, rng), rng)
        return None if changed is None else (changed.sentence, "swap", target)
    other = int(rng.choice(feature_bank.near[target]))
    return None if other in shown else (_caption(feature_bank, other, rng), "lookalike", other)


def _caption(feature_bank: FeatureBank, picture: int, rng: np.random.Generator) -> str:
    said = feature_bank.captions[picture]
    return said[int(rng.integers(len(said)))]


def _errors(
    feature_bank: FeatureBank, pictures: Sequence[int], mix: Mix, rng: np.random.Generator
) -> dict[int, NDArray[np.float32]]:
    """An error for each picture: the way from one unrelated picture to another."""
    errors: dict[int, NDArray[np.float32]] = {}
    for picture in sorted(set(pictures)):
        a, b = dequantize(feature_bank.vectors[rng.integers(len(feature_bank), size=2), 0, 0])
        length = np.float32(rng.uniform(*mix.doubt))
        errors[picture] = length * unit(a - b)
    return errors


def _shots(
    feature_bank: FeatureBank, pictures: Sequence[int], mix: Mix, rng: np.random.Generator
) -> list[Shot]:
    errors = _errors(feature_bank, pictures, mix, rng)
    bounds = np.cumsum([0.0, *rng.uniform(*mix.shot_seconds, len(pictures))])
    return [
        Shot(picture, float(start), float(end), errors[picture])
        for picture, start, end in zip(pictures, bounds[:-1], bounds[1:], strict=True)
    ]
