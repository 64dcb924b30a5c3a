"""The settings of made-up windows: how many shots, how many questions about what is absent."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mix"]

_SHARES = ("absent", "hard", "swaps", "repeated", "alike", "still", "inner_cut", "fades", "uncut")


@dataclass(frozen=True)
class Mix:
    """The make-up of windows and questions; shares lie in [0, 1].

    ``absent`` is the share of questions about something that is not there, and ``hard`` the share
    of those that are partially irrelevant; ``swaps`` of these are a true caption with one word
    changed, the others the caption of a picture that looks alike. ``alike`` is the share of windows
    that also show such pictures.

    ``uncut`` is the share of windows that are one long shot, in which what is asked for slowly
    comes out of footage that looks alike, and goes. They hang on no setting of cuts.

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
    swaps: float = 0.5
    repeated: float = 0.25
    alike: float = 0.5
    still: float = 0.1
    inner_cut: float = 0.15
    fades: float = 0.3
    uncut: float = 0.2
    noise: tuple[float, float] = (0.03, 0.22)
    doubt: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in _SHARES:
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
