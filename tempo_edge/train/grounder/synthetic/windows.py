"""Draws windows of made-up footage from a bank, and questions about them, without end.

A window is a row of shots, each a captioned picture under a moving camera, joined by cuts, fades
and fades through black, and looked at as SAA would look: at every cut, every second or so of
motion, rarely where nothing moves. Three things keep a model from reading boundaries off cuts
instead of content: some shots hold a cut inside, some boundaries are fades, and some frames lie in
the middle of one. How often each is looked at, and with how many tokens, is as indexed composite
videos of development pictures have it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.evaluation.metrics.spans import Span
from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.quantization import dequantize, unit
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.train.grounder.synthetic.camera import TAKES, passing
from tempo_edge.train.grounder.synthetic.feature_bank import Bank

Kind = Literal["present", "easy", "hard"]

# How many tokens frames have, from one on: those within a shot, and those after a cut.
_TOKENS = ((0.82, 0.12, 0.06), (0.27, 0.23, 0.23, 0.16, 0.11))

# How many frames are kept within a fade, from none on, and which share of fades is through black.
_FADED = (0.04, 0.2, 0.22, 0.23, 0.21, 0.1)
_BLACK = 0.3


@dataclass(frozen=True)
class Mix:
    """What windows and questions are made of; shares lie in [0, 1].

    ``absent`` is the share of questions about something that is not there, and ``hard`` the share
    of those that are partially irrelevant: a word of a true caption changed, or the caption of a
    picture that looks alike. ``alike`` is the share of windows that also show such pictures.

    ``noise`` bounds the length of an error of each frame alone, as a codec makes it.

    ``doubt`` bounds the length of an error that is added to every vector of a picture in a window,
    the same one all along: towers see the pictures that they were trained on clearer than others,
    and a grounder that learns from those alone trusts them too much.
    """

    shots: tuple[int, int] = (4, 20)
    shot_seconds: tuple[float, float] = (2.0, 9.0)
    looks: int = 64
    absent: float = 0.45
    hard: float = 0.75
    repeated: float = 0.25
    alike: float = 0.5
    still: float = 0.1
    inner_cut: float = 0.15
    fades: float = 0.3
    noise: tuple[float, float] = (0.03, 0.22)
    doubt: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("absent", "hard", "repeated", "alike", "still", "inner_cut", "fades"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} {getattr(self, name)} must be within [0, 1]")
        for name in ("noise", "doubt"):
            low, high = getattr(self, name)
            if not 0.0 <= low <= high:
                raise ValueError(f"{name} {(low, high)} must rise from at least 0")
        if not 1 <= self.shots[0] <= self.shots[1]:
            raise ValueError(f"shots {self.shots} must rise from at least 1")
        if not 0.5 <= self.shot_seconds[0] <= self.shot_seconds[1]:
            raise ValueError(f"shot_seconds {self.shot_seconds} must rise from at least 0.5")


@dataclass(frozen=True)
class Shot:
    """Picture number ``picture`` is shown during ``[start, end)``, in seconds.

    ``error`` float32 ``[d]`` is by how much the towers are off about it.
    """

    picture: int
    start: float
    end: float
    error: NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """A window, a question about it and the right answer.

    ``looks`` are its frames and ``edges`` float64 ``[n + 1]`` the boundaries of what they stand
    for, as a search would draw them; ``spans`` are when the question is true, empty when never.
    ``pictures`` uint8 ``[n, h, w, 3]`` are the frames themselves, for models that see.
    """

    looks: tuple[FrameTokens, ...]
    edges: NDArray[np.float64]
    query: str
    spans: tuple[Span, ...]
    kind: Kind
    pictures: NDArray[np.uint8] | None = None

    @cached_property
    def boundaries(self) -> Boundaries:
        """How the window's boundaries are said, and when they are."""
        return Boundaries.of(self.looks, self.edges)


def _errors(
    bank: Bank, pictures: Sequence[int], mix: Mix, rng: np.random.Generator
) -> dict[int, NDArray[np.float32]]:
    """An error for each picture: the way from one unrelated picture to another."""
    errors: dict[int, NDArray[np.float32]] = {}
    for picture in sorted(set(pictures)):
        a, b = dequantize(bank.vectors[rng.integers(len(bank), size=2), 0, 0])
        length = np.float32(rng.uniform(*mix.doubt))
        errors[picture] = length * unit(a - b)
    return errors


def _shots(bank: Bank, pictures: Sequence[int], mix: Mix, rng: np.random.Generator) -> list[Shot]:
    errors = _errors(bank, pictures, mix, rng)
    bounds = np.cumsum([0.0, *rng.uniform(*mix.shot_seconds, len(pictures))])
    return [
        Shot(picture, float(start), float(end), errors[picture])
        for picture, start, end in zip(pictures, bounds[:-1], bounds[1:], strict=True)
    ]


@dataclass(frozen=True)
class _Camera:
    """One take of a shot, during ``[start, end)``: what is seen of its picture when.

    ``stops`` float32 ``[stops, 10, d]`` are the vector and the tokens at each of the camera's.
    """

    stops: NDArray[np.float32]
    start: float
    end: float

    @staticmethod
    def on(
        bank: Bank, shot: Shot, take: int, span: Span, mix: Mix, rng: np.random.Generator
    ) -> _Camera:
        """The camera of a take, which may go either way or stand."""
        vectors, tokens = bank.vectors[shot.picture, take], bank.tokens[shot.picture, take]
        stops = dequantize(np.concatenate([vectors[:, None], tokens], axis=1)) + shot.error
        if rng.random() < 0.5:
            stops = stops[::-1]
        if rng.random() < mix.still:
            stops = stops[:1].repeat(len(stops), axis=0)
        return _Camera(stops, *span)

    def at(self, seconds: float) -> NDArray[np.float32]:
        """Vector and tokens ``[10, d]`` at a time, before what a codec does to them."""
        passed = (seconds - self.start) / max(self.end - self.start, 1e-6)
        stop, on = passing(min(max(passed, 0.0), 1.0))
        there = np.float32(on)
        seen: NDArray[np.float32] = self.stops[stop] + there * (
            self.stops[stop + 1] - self.stops[stop]
        )
        return seen


def _look(
    seen: NDArray[np.float32], at: float, cut: bool, mix: Mix, rng: np.random.Generator
) -> FrameTokens:
    """A frame of which `seen` ``[10, d]`` is there to be seen, with its share of tokens."""
    share = 1 + int(rng.choice(len(_TOKENS[cut]), p=_TOKENS[cut]))
    cells = np.sort(rng.permutation(len(seen) - 1)[:share]).astype(np.uint8)
    away = unit(rng.normal(size=(seen.shape[1],)).astype(np.float32))
    rows = unit(seen[[0, *(cells.astype(int) + 1)]] + np.float32(rng.uniform(*mix.noise)) * away)
    return FrameTokens(at, cut, rows[0], cells, rows[1:])


def _takes(bank: Bank, shot: Shot, mix: Mix, rng: np.random.Generator) -> list[_Camera]:
    """The takes of a shot, one or two with a cut between them."""
    take, length = int(rng.random() < 0.3), shot.end - shot.start
    bounds = [shot.start, shot.end]
    if rng.random() < mix.inner_cut and length > 2.0:
        bounds.insert(1, shot.start + length * float(rng.uniform(0.3, 0.7)))
    return [
        _Camera.on(bank, shot, (take + number) % TAKES, span, mix, rng)
        for number, span in enumerate(itertools.pairwise(bounds))
    ]


def _fade(
    bank: Bank, before: _Camera, after: _Camera, half: float, mix: Mix, rng: np.random.Generator
) -> list[FrameTokens]:
    """The frames kept in the middle of a fade, `half` seconds on either side of a boundary."""
    black = rng.random() < _BLACK
    marked = not black or rng.random() < 0.4
    count = int(rng.choice(len(_FADED), p=_FADED))
    looks = []
    for at in np.sort(rng.uniform(after.start - half, after.start + half, count)).tolist():
        passed = (at - after.start + half) / (2 * half)
        if black:
            lit = abs(2 * passed - 1)
            seen = lit * (before if passed < 0.5 else after).at(at) + (1 - lit) * bank.black
        else:
            seen = (1 - passed) * before.at(at) + passed * after.at(at)
        # The first light after black is often taken for a cut.
        cut = not marked and passed >= 0.5
        marked |= cut
        looks.append(_look(seen.astype(np.float32), at, cut, mix, rng))
    return looks


def _follow(
    take: _Camera, first: float, cut: bool, mix: Mix, rng: np.random.Generator
) -> list[FrameTokens]:
    """The frames kept of a take from `first` on."""
    looks, at = [_look(take.at(first), first, cut, mix, rng)], first
    if _stands(take):
        return looks
    while True:
        at += float(rng.triangular(0.3, 1.05, 1.8))
        if at >= take.end - 0.05:
            return looks
        looks.append(_look(take.at(at), at, False, mix, rng))


def _watch(
    bank: Bank, shots: Sequence[Shot], mix: Mix, rng: np.random.Generator
) -> tuple[FrameTokens, ...]:
    looks: list[FrameTokens] = []
    last: _Camera | None = None
    for shot in shots:
        takes = _takes(bank, shot, mix, rng)
        first, cut = shot.start, True
        if last is not None and rng.random() < mix.fades:
            room = min(last.end - last.start, takes[0].end - takes[0].start) / 3
            half = min(float(rng.uniform(0.25, 0.5)), room)
            looks = [look for look in looks if look.seconds < shot.start - half]
            looks += _fade(bank, last, takes[0], half, mix, rng)
            first = shot.start + half + float(rng.uniform(0.0, room - half))
            cut = False
        for take in takes:
            looks += _follow(take, first, cut, mix, rng)
            first, cut = take.end, True
        last = takes[-1]
    return tuple(looks)


def _stands(take: _Camera) -> bool:
    return bool((take.stops[0] == take.stops[-1]).all())


def edges_of(looks: Sequence[FrameTokens], end_seconds: float) -> NDArray[np.float64]:
    """Boundaries ``[n + 1]`` of what frames stand for: at cuts exactly, else halfway between."""
    times = np.array([float(look.seconds) for look in looks])
    cuts = np.array([look.cut for look in looks])
    edges = np.empty(len(times) + 1)
    edges[0], edges[-1] = times[0], max(end_seconds, times[-1] + 1e-3)
    edges[1:-1] = np.where(cuts[1:], times[1:], (times[:-1] + times[1:]) / 2)
    return edges


def _pictures(bank: Bank, mix: Mix, rng: np.random.Generator) -> tuple[list[int], int]:
    """Which pictures a window shows, in order, and which of them is asked for."""
    count = int(rng.integers(mix.shots[0], mix.shots[1] + 1))
    target = int(rng.integers(len(bank)))
    shown = [target]
    if rng.random() < mix.repeated:
        shown += [target] * int(rng.integers(1, 3))
    if rng.random() < mix.alike:
        shown += rng.choice(bank.near[target], min(2, bank.near.shape[1]), replace=False).tolist()
    while len(shown) < count:
        shown.append(int(rng.integers(len(bank))))
    order = [int(picture) for picture in rng.permutation(shown)]
    # Two shots of one picture in a row would be one event.
    apart = [p for i, p in enumerate(order) if i == 0 or p != order[i - 1]]
    return apart, target


def _absent(
    bank: Bank, shown: set[int], target: int, mix: Mix, rng: np.random.Generator
) -> tuple[str, Kind] | None:
    if rng.random() >= mix.hard:
        other = int(rng.integers(len(bank)))
        barred = shown | {int(p) for s in shown for p in bank.near[s]}
        return None if other in barred else (_caption(bank, other, rng), "easy")
    if rng.random() < 0.5:
        changed = swap(_caption(bank, target, rng), rng)
        return None if changed is None else (changed.sentence, "hard")
    other = int(rng.choice(bank.near[target]))
    return None if other in shown else (_caption(bank, other, rng), "hard")


def _caption(bank: Bank, picture: int, rng: np.random.Generator) -> str:
    said = bank.captions[picture]
    return said[int(rng.integers(len(said)))]


class Source(Protocol):
    """Where examples come from: made-up windows, or annotated videos."""

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""


@dataclass(frozen=True)
class MadeUp:
    """Windows made up of a bank's pictures."""

    bank: Bank
    mix: Mix

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
        return draw(self.bank, self.mix, rng)


def draw(bank: Bank, mix: Mix, rng: np.random.Generator) -> Example:
    """One example; the same generator state draws the same one."""
    return draw_staged(bank, mix, rng)[0]


def draw_staged(bank: Bank, mix: Mix, rng: np.random.Generator) -> tuple[Example, Sequence[Shot]]:
    """The same, with the shots that its frames look at."""
    while True:
        pictures, target = _pictures(bank, mix, rng)
        shots = _shots(bank, pictures, mix, rng)
        looks = _watch(bank, shots, mix, rng)
        if not 2 <= len(looks) <= mix.looks or shots[-1].end > eta.LONGEST_SECONDS - 0.1:
            continue
        edges = edges_of(looks, shots[-1].end)
        if rng.random() < mix.absent:
            asked = _absent(bank, set(pictures), target, mix, rng)
            if asked is None:
                continue
            return Example(looks, edges, asked[0], (), asked[1]), shots
        spans = tuple((shot.start, shot.end) for shot in shots if shot.picture == target)
        return Example(looks, edges, _caption(bank, target, rng), spans, "present"), shots
