"""Draws windows of made-up footage from a feature bank, and questions about them, without end.

A window is a row of shots, each a captioned picture under a moving camera, joined by cuts, fades
and fades through black, and looked at as SAA would look: at every cut, every second or so of
motion, rarely where nothing moves. Three things keep a model from reading boundaries off cuts
instead of content: some shots hold a cut inside, some boundaries are fades, and some frames lie in
the middle of one. And some windows are one long shot that has no cut at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.quantization import dequantize, unit
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.examples import Example, Kind
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.filming import (
    Shot,
    edges_of,
    film_shots,
    film_uncut,
)
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.questions import draw_kind, draw_question

__all__ = ["SyntheticWindows", "draw", "draw_staged"]

_UNCUT_SECONDS = (4.0, 12.0)  # of each thing that is seen in one long shot
_BESIDE = 3  # things that are seen besides, at most
_TRIES = 200  # windows that are drawn for a question of one kind
_KINDS = 20  # that are drawn until one has a window


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
    """One example, and the shots that its frames look at.

    A kind that is hard to draw is as frequent as the mix says, unless a small bank has no window
    for it.

    Raises:
        DataError: the bank has no window for any kind.
    """
    for _ in range(_KINDS):
        kind = draw_kind(mix, rng)
        for _ in range(_TRIES):
            staged = _staged(feature_bank, mix, kind, rng)
            if staged is not None:
                return staged
    raise DataError(
        f"{len(feature_bank)} pictures are too few for windows of {mix.shots[0]} to "
        f"{mix.shots[1]} shots and questions about them: give more"
    )


def _staged(
    feature_bank: FeatureBank, mix: Mix, kind: Kind, rng: np.random.Generator
) -> tuple[Example, Sequence[Shot]] | None:
    """An example of one kind with its shots, or None if what was drawn makes none."""
    uncut = rng.random() < mix.uncut
    pictures, target = (_one_shot if uncut else _pictures)(feature_bank, mix, rng)
    shown = frozenset(pictures)
    question = draw_question(feature_bank, kind, target, shown, rng)
    if question is None:
        return None
    lengths = _UNCUT_SECONDS if uncut else mix.shot_seconds
    shots = _shots(feature_bank, pictures, lengths, mix, rng)
    looks = (film_uncut if uncut else film_shots)(feature_bank, shots, mix, rng)
    if not 2 <= len(looks) <= mix.looks or shots[-1].end > eta.LONGEST_SECONDS - 0.1:
        return None
    there = kind == "present"
    spans = tuple((shot.start, shot.end) for shot in shots if there and shot.picture == target)
    example = Example(
        looks,
        edges_of(looks, shots[-1].end),
        question.query,
        spans,
        kind,
        shown=shown,
        about=frozenset({target, question.picture}),
        uncut=uncut,
    )
    return example, shots


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


def _one_shot(
    feature_bank: FeatureBank, mix: Mix, rng: np.random.Generator
) -> tuple[list[int], int]:
    """The numbers of what is seen in one long shot, in order, and of what is asked for.

    What comes before it and after it looks alike, as one place does in which something happens.
    """
    target = int(rng.integers(len(feature_bank)))
    near = rng.permutation(feature_bank.near[target])[:_BESIDE].tolist()
    before = int(rng.integers(len(near) + 1))
    again = [target] * (before < len(near) and rng.random() < mix.repeated)
    return [*near[:before], target, *near[before:], *again], target


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
    feature_bank: FeatureBank,
    pictures: Sequence[int],
    seconds: tuple[float, float],
    mix: Mix,
    rng: np.random.Generator,
) -> list[Shot]:
    """A shot of each picture in turn, as long as the bounds in seconds allow."""
    errors = _errors(feature_bank, pictures, mix, rng)
    bounds = np.cumsum([0.0, *rng.uniform(*seconds, len(pictures))])
    return [
        Shot(picture, float(start), float(end), errors[picture])
        for picture, start, end in zip(pictures, bounds[:-1], bounds[1:], strict=True)
    ]
