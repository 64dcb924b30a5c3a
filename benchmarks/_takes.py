"""Takes: what a camera does with one photograph from one hard cut to the next."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

INNER_CUTS = 0.15

# How near a take of a long event is: scales of its crop, and the share of takes that have them.
_NEARNESS = {(0.8, 1.0): 0.4, (0.6, 0.8): 0.4, (0.45, 0.6): 0.2}

# The shortest take that an event may end with, in seconds.
_LAST_SECONDS = 1.0


@dataclass(frozen=True)
class View:
    """A crop of a photograph, `scale` of the largest, at `x`, `y` in [0, 1] of the room left."""

    x: float
    y: float
    scale: float


@dataclass(frozen=True)
class Take:
    """A camera move over a photograph, from one view to another, that starts at `start_frame`."""

    start_frame: int
    begin: View
    end: View
    sway: float


@dataclass(frozen=True)
class LitTake(Take):
    """A take in a light and a focus of its own, and from the other side if it is mirrored.

    Attributes:
        gain: what the luma is multiplied by around its middle; ``lift``: grey levels added to it.
        warmth: levels that red gains and blue loses.
        blur: how far it is out of focus, as pixels of the photograph.
    """

    gain: float
    lift: float
    warmth: float
    blur: float
    mirrored: bool


def short_takes(rng: random.Random, start: int, length: int, rate: Fraction) -> tuple[Take, ...]:
    """A slow move over the photograph; sometimes a hard cut within the event, to a closer crop."""
    sway = rng.choices([0.0, 0.004], [0.75, 0.25])[0]
    begin = _view(rng, 0.86, 1.0)
    still = rng.random() < 0.15
    first = Take(start, begin, begin if still else _view(rng, 0.86, 1.0), sway)
    if length < 4 * rate or rng.random() >= INNER_CUTS:
        return (first,)
    near = View(rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7), rng.uniform(0.55, 0.65))
    moved = View(near.x, near.y, near.scale * rng.uniform(1.0, 1.1))
    return first, Take(start + int(length * rng.uniform(0.35, 0.65)), near, moved, sway)


def event_takes(
    rng: random.Random,
    start: int,
    length: int,
    rate: Fraction,
    take_seconds: tuple[float, float],
    uncut: float,
) -> tuple[Take, ...]:
    """The takes of a long event, between which the camera jumps; one take in `uncut` of all cases.

    All takes are of one photograph, but differ in crop, movement, light, focus and side.
    """
    starts = [start]
    if rng.random() >= uncut:
        while True:
            following = starts[-1] + max(2, round(rng.uniform(*take_seconds) * rate))
            if following > start + length - _LAST_SECONDS * rate:
                break
            starts.append(following)
    return tuple(_lit_take(rng, at) for at in starts)


def _lit_take(rng: random.Random, start: int) -> LitTake:
    low, high = rng.choices(list(_NEARNESS), list(_NEARNESS.values()))[0]
    begin = _view(rng, low, high)
    end = View(
        _within(begin.x + rng.uniform(-0.4, 0.4), 0.0, 1.0),
        _within(begin.y + rng.uniform(-0.4, 0.4), 0.0, 1.0),
        _within(begin.scale * rng.uniform(0.8, 1.2), 0.4, 1.0),
    )
    return LitTake(
        start,
        begin,
        begin if rng.random() < 0.15 else end,
        rng.choices([0.0, 0.004, 0.012], [0.5, 0.3, 0.2])[0],
        gain=round(rng.uniform(0.65, 1.25), 3),
        lift=round(rng.uniform(-30, 30), 1),
        warmth=round(rng.uniform(-12, 12), 1),
        blur=round(rng.choices([0.0, rng.uniform(0.5, 2.0)], [0.7, 0.3])[0], 2),
        mirrored=rng.random() < 0.3,
    )


def _view(rng: random.Random, low: float, high: float) -> View:
    x, y = rng.random(), rng.random()
    return View(round(x, 4), round(y, 4), round(rng.uniform(low, high), 4))


def _within(value: float, low: float, high: float) -> float:
    return round(min(max(value, low), high), 4)
