"""Shapes of composite sets: how many videos, how many shots, how long, and in what takes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

from benchmarks._sources import CompositeError
from benchmarks._takes import Take, event_takes, short_takes


@dataclass(frozen=True)
class Shape:
    """The numbers of videos, queries and shots, and the length of a shot."""

    videos: int
    queries_per_video: int = 3
    shots: tuple[int, int] = (4, 20)
    shot_seconds: tuple[float, float] = (2.0, 9.0)

    def __post_init__(self) -> None:
        low, high = self.shots
        if self.videos < 1 or self.queries_per_video < 1:
            raise CompositeError("videos and queries_per_video must be at least 1")
        if not self.fewest_shots <= low <= high:
            raise CompositeError(f"shots must be a range from {self.fewest_shots} up")
        if not 0.5 <= self.shot_seconds[0] <= self.shot_seconds[1]:
            raise CompositeError("shot_seconds must be a range from 0.5 up")

    @property
    def fewest_shots(self) -> int:
        """The fewest shots that a video may have."""
        return max(2, self.queries_per_video)

    def seconds(self, rng: random.Random) -> float:
        """The length of the next shot."""
        low, high = self.shot_seconds
        return rng.triangular(low, high, low + 0.3 * (high - low))

    def takes(
        self, rng: random.Random, start: int, length: int, rate: Fraction
    ) -> tuple[Take, ...]:
        """The takes of a photograph shown from frame `start` on for `length` frames."""
        return short_takes(rng, start, length, rate)


@dataclass(frozen=True)
class EventShape(Shape):
    """A shape with long events among the short shots, and with videos that show one event only.

    A long event is one picture all along: in several takes with jump cuts between them, or in one
    without a cut. A video of fewer shots than queries is asked for each of its pictures.

    Attributes:
        event_share: the share of shots that are long events; ``event_seconds``: how long they are.
        take_seconds: how long their takes are; ``uncut_share``: the share of them that have one.
    """

    shots: tuple[int, int] = (1, 6)
    event_share: float = 0.6
    event_seconds: tuple[float, float] = (10.0, 40.0)
    take_seconds: tuple[float, float] = (1.5, 9.0)
    uncut_share: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.shot_seconds[1] <= self.event_seconds[0] <= self.event_seconds[1]:
            raise CompositeError("event_seconds must be a range from the longest short shot up")

    @property
    def fewest_shots(self) -> int:
        """One: such a video shows the same thing from its beginning to its end."""
        return 1

    def seconds(self, rng: random.Random) -> float:
        """The length of the next shot, which may be a long event."""
        if rng.random() < self.event_share:
            return rng.uniform(*self.event_seconds)
        return super().seconds(rng)

    def takes(
        self, rng: random.Random, start: int, length: int, rate: Fraction
    ) -> tuple[Take, ...]:
        """The takes of a photograph: those of an event if it is shown for as long as one."""
        if length + 1 < self.event_seconds[0] * rate:
            return super().takes(rng, start, length, rate)
        return event_takes(rng, start, length, rate, self.take_seconds, self.uncut_share)
