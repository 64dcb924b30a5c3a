"""Films a row of shots as SAA would look at it: takes, cuts, fades, and the frames that are kept.

How often each is looked at, and with how many tokens, is as indexed composite videos of development
pictures have it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.quantization import dequantize, unit
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.train.grounder.synthetic.camera import TAKES, passing
from tempo_edge.train.grounder.synthetic.feature_bank import FeatureBank
from tempo_edge.train.grounder.synthetic.mix import Mix

__all__ = ["Shot", "edges_of", "film_shots", "film_uncut"]

# How many tokens frames have, from one on: those within a shot, and those after a cut.
_TOKENS = ((0.82, 0.12, 0.06), (0.27, 0.23, 0.23, 0.16, 0.11))

# How many frames are kept within a fade, from none on, and which share of fades is through black.
_FADED = (0.04, 0.2, 0.22, 0.23, 0.21, 0.1)
_BLACK = 0.3

# Seconds from a look to what follows it at least: times of one tenth can't be told apart when said.
_APART = 0.11

# Seconds from one look at what moves to the next: the least, the likeliest and the most.
_GAP = (0.3, 1.05, 1.8)

# Seconds on either side of a boundary in which one thing slowly becomes another, and the most that
# a camera's way through a picture is bent: it is fast first or last.
_SLOW = (0.8, 2.5)
_BENT = 2.5


@dataclass(frozen=True)
class Shot:
    """One picture of a feature bank, shown during ``[start, end)``, in seconds.

    ``picture`` is its number; ``error`` float32 ``[d]`` is added to each of its vectors, as the
    error of towers that never saw it.
    """

    picture: int
    start: float
    end: float
    error: NDArray[np.float32]


@dataclass(frozen=True)
class _Camera:
    """One take of a shot, during ``[start, end)`` in seconds.

    ``stops`` float32 ``[stops, 10, d]`` are the vector and the nine tokens at each of the places
    that the camera passes. Its speed is even, or grows with a ``bend`` above 1 and falls below.
    """

    stops: NDArray[np.float32]
    start: float
    end: float
    bend: float = 1.0

    @staticmethod
    def on(
        feature_bank: FeatureBank,
        shot: Shot,
        take: int,
        span: Interval,
        mix: Mix,
        rng: np.random.Generator,
    ) -> _Camera:
        """The camera of a take, which may go either way or stand."""
        vectors, tokens = (
            feature_bank.vectors[shot.picture, take],
            feature_bank.tokens[shot.picture, take],
        )
        stops = dequantize(np.concatenate([vectors[:, None], tokens], axis=1)) + shot.error
        if rng.random() < 0.5:
            stops = stops[::-1]
        if rng.random() < mix.still:
            stops = stops[:1].repeat(len(stops), axis=0)
        return _Camera(stops, *span)

    def at(self, seconds: float) -> NDArray[np.float32]:
        """Vector and tokens float32 ``[10, d]`` at a time, without the error of a codec."""
        passed = (seconds - self.start) / max(self.end - self.start, 1e-6)
        stop, on = passing(min(max(passed, 0.0), 1.0) ** self.bend)
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


def _takes(
    feature_bank: FeatureBank, shot: Shot, mix: Mix, rng: np.random.Generator
) -> list[_Camera]:
    """The takes of a shot, one or two with a cut between them."""
    take, length = int(rng.random() < 0.3), shot.end - shot.start
    bounds = [shot.start, shot.end]
    if rng.random() < mix.inner_cut and length > 2.0:
        bounds.insert(1, shot.start + length * float(rng.uniform(0.3, 0.7)))
    return [
        _Camera.on(feature_bank, shot, (take + number) % TAKES, span, mix, rng)
        for number, span in enumerate(itertools.pairwise(bounds))
    ]


def _fade(
    feature_bank: FeatureBank,
    before: _Camera,
    after: _Camera,
    half: float,
    mix: Mix,
    rng: np.random.Generator,
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
            seen = lit * (before if passed < 0.5 else after).at(at) + (1 - lit) * feature_bank.black
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
        at += float(rng.triangular(*_GAP))
        if at >= take.end - _APART:
            return looks
        looks.append(_look(take.at(at), at, False, mix, rng))


def film_shots(
    feature_bank: FeatureBank, shots: Sequence[Shot], mix: Mix, rng: np.random.Generator
) -> tuple[FrameTokens, ...]:
    """The frames that SAA would keep of a row of shots, in order of time."""
    looks: list[FrameTokens] = []
    last: _Camera | None = None
    for shot in shots:
        takes = _takes(feature_bank, shot, mix, rng)
        first, cut = shot.start, True
        if last is not None and rng.random() < mix.fades:
            room = min(last.end - last.start, takes[0].end - takes[0].start) / 3
            half = min(float(rng.uniform(0.25, 0.5)), room)
            looks = [look for look in looks if look.seconds < shot.start - half]
            looks += _fade(feature_bank, last, takes[0], half, mix, rng)
            first = shot.start + half + float(rng.uniform(0.0, room - half))
            cut = False
        for take in takes:
            looks += _follow(take, first, cut, mix, rng)
            first, cut = take.end, True
        last = takes[-1]
    return tuple(looks)


def film_uncut(
    feature_bank: FeatureBank, shots: Sequence[Shot], mix: Mix, rng: np.random.Generator
) -> tuple[FrameTokens, ...]:
    """The frames that SAA would keep of one long shot, in which a row of things is to be seen.

    There is no cut: one slowly becomes the next, over seconds, and the camera changes its speed. A
    thing begins and ends where it is half there.
    """
    moving = dataclasses.replace(mix, still=0.0)
    cameras = [
        dataclasses.replace(
            _Camera.on(feature_bank, shot, 0, (shot.start, shot.end), moving, rng),
            bend=float(_BENT ** rng.uniform(-1.0, 1.0)),
        )
        for shot in shots
    ]
    halves = [
        min(float(rng.uniform(*_SLOW)), (one.end - one.start) / 3, (two.end - two.start) / 3)
        for one, two in itertools.pairwise(cameras)
    ]
    looks, at = list[FrameTokens](), shots[0].start
    while at < shots[-1].end - _APART:
        seen = _blended(cameras, halves, at)
        looks.append(_look(seen, at, not looks, mix, rng))
        at += float(rng.triangular(*_GAP))
    return tuple(looks)


def _blended(cameras: Sequence[_Camera], halves: Sequence[float], at: float) -> NDArray[np.float32]:
    """What is seen at a time of cameras that blend over, by the halves of the blends in seconds."""
    for before, after, half in zip(cameras, cameras[1:], halves, strict=False):
        passed = (at - after.start + half) / (2 * half)
        if passed < 0.0:
            return before.at(at)
        if passed < 1.0:
            mixed = (1 - passed) * before.at(at) + passed * after.at(at)
            return mixed.astype(np.float32)
    return cameras[-1].at(at)


def _stands(take: _Camera) -> bool:
    return bool((take.stops[0] == take.stops[-1]).all())


def edges_of(looks: Sequence[FrameTokens], end_seconds: float) -> NDArray[np.float64]:
    """The boundaries float64 ``[n + 1]`` of what each frame stands for, in seconds.

    Where a frame follows a cut they are at the cut, else halfway between two frames.
    """
    times = np.array([float(look.seconds) for look in looks])
    cuts = np.array([look.cut for look in looks])
    edges = np.empty(len(times) + 1)
    edges[0], edges[-1] = times[0], max(end_seconds, times[-1] + 1e-3)
    edges[1:-1] = np.where(cuts[1:], times[1:], (times[:-1] + times[1:]) / 2)
    return edges
