"""Draws windows of made-up footage from a bank, and questions about them, without end.

A window is a row of shots, each a captioned picture under a moving camera, joined by cuts, fades
and fades through black, and looked at as SAA would look: at every cut, every second or so of
motion, rarely where nothing moves. Three things keep a model from reading boundaries off cuts
instead of content: some shots hold a cut inside, some boundaries are fades, and some frames lie in
the middle of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tempo_edge import eta
from tempo_edge.packing import unit, unpack
from tempo_edge.search.boundaries import Boundaries
from tempo_edge.search.prompt import Look
from tempo_edge.train.grounder.bank import Bank
from tempo_edge.train.metrics.spans import Span
from tempo_edge.train.swaps import swap

Kind = Literal["present", "easy", "hard"]


@dataclass(frozen=True)
class Mix:
    """What windows and questions are made of; shares lie in [0, 1].

    ``absent`` is the share of questions about something that is not there, and ``hard`` the share
    of those that are partially irrelevant: a word of a true caption changed, or the caption of a
    picture that looks alike. ``alike`` is the share of windows that also show such pictures.

    ``moved`` bounds the length of an error of each frame alone: with 0.05 to 0.25 neighbours are as
    alike as in indexed footage, where the median of their cosines is 0.98.

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
    still: float = 0.2
    inner_cut: float = 0.15
    fades: float = 0.3
    moved: tuple[float, float] = (0.05, 0.25)
    doubt: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("absent", "hard", "repeated", "alike", "still", "inner_cut", "fades"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} {getattr(self, name)} must be within [0, 1]")
        for name in ("moved", "doubt"):
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

    looks: tuple[Look, ...]
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
        a, b = unpack(bank.vectors[rng.integers(len(bank), size=2), 0])
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


def _look(
    bank: Bank,
    shot: Shot,
    view: int,
    moved: float,
    at: float,
    cut: bool,
    share: int,
    rng: np.random.Generator,
) -> Look:
    """A frame of a shot in one of its views, off by what the camera has moved."""
    cells = np.sort(rng.permutation(9)[:share]).astype(np.uint8)
    vector, tokens = bank.vectors[shot.picture, view], bank.tokens[shot.picture, view][cells]
    away = unit(rng.normal(size=vector.shape).astype(np.float32))
    error = shot.error + np.float32(moved) * away
    return Look(at, cut, unit(unpack(vector) + error), cells, unit(unpack(tokens) + error))


def _blend(a: Look, b: Look, at: float) -> Look:
    """A frame in the middle of a fade: something of both."""
    count = min(len(a.cells), len(b.cells))
    return Look(
        at,
        False,
        unit(a.vector + b.vector),
        a.cells[:count],
        unit(a.tokens[:count] + b.tokens[:count]),
    )


def _looks_of(bank: Bank, shot: Shot, mix: Mix, cut: bool, rng: np.random.Generator) -> list[Look]:
    """The frames that SAA would keep of one shot, the first at its start or soon after."""
    first = shot.start if cut else shot.start + float(rng.uniform(0.2, 0.9))
    times = [first]
    if rng.random() >= mix.still:
        while times[-1] < shot.end:
            times.append(times[-1] + float(rng.uniform(0.9, 1.8)))
    inner = None
    if rng.random() < mix.inner_cut and shot.end - shot.start > 2.0:
        inner = float(rng.uniform(shot.start + 0.8, shot.end - 0.8))
        times.append(inner)
    looks = []
    # One camera sees a shot in one way, until it is cut.
    view = int(rng.integers(bank.views))
    for at in sorted(times):
        if at >= shot.end - 0.05:
            continue
        fresh = (cut and at == first) or at == inner
        if at == inner:
            view = int(rng.integers(bank.views))
        share = int(rng.integers(3, 5) if fresh else rng.integers(0, 3))
        looks.append(_look(bank, shot, view, rng.uniform(*mix.moved), at, fresh, share, rng))
    return looks or [_look(bank, shot, view, 0.0, shot.start, cut, 1, rng)]


def _watch(
    bank: Bank, shots: Sequence[Shot], mix: Mix, rng: np.random.Generator
) -> tuple[Look, ...]:
    looks: list[Look] = []
    for number, shot in enumerate(shots):
        fade = number > 0 and rng.random() < mix.fades
        own = _looks_of(bank, shot, mix, not fade, rng)
        if fade and looks and rng.random() < 0.5:
            looks.append(_blend(looks[-1], own[0], shot.start))
        looks += own
    return tuple(sorted(looks, key=lambda look: look.seconds))


def edges_of(looks: Sequence[Look], end_seconds: float) -> NDArray[np.float64]:
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
