"""Which videos of a library count: where they lie, when and where they were taken, how long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tempo_edge.errors import QueryError
from tempo_edge.filters import EVERYTHING, Filters

__all__ = ["ALL", "Scope"]


@dataclass(frozen=True)
class Scope:
    """What a video must be to count. It validates itself; without any of it every video does.

    Attributes:
        within: a file of it lies at or under one of these paths, as
            :func:`tempo_edge.query.places` gives them.
        after, before: the file was last changed on or after the first day, before the second.
        min_seconds, max_seconds: of the video's length, both inclusive.
        offline: whether videos on volumes that are not there count.
        filters: what its capture must be.

    Raises:
        QueryError: a number is out of range, ``within`` names no path or one that is not absolute.
    """

    within: tuple[Path, ...] | None = None
    after: date | None = None
    before: date | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    offline: bool = True
    filters: Filters = EVERYTHING

    def __post_init__(self) -> None:
        if self.within is not None:
            if not self.within:
                raise QueryError.naming("{within} names no path: name one, or leave it out")
            for path in self.within:
                if not path.is_absolute():
                    raise QueryError.naming("{within} {!r} must be a path from the root", str(path))
        for name in ("min_seconds", "max_seconds"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds < math.inf:
                raise QueryError.naming(f"{{{name}}} {{}} must be finite and not negative", seconds)
        if None not in (self.min_seconds, self.max_seconds) and (
            self.min_seconds > self.max_seconds  # type: ignore[operator]
        ):
            raise QueryError.naming(
                "{min_seconds} {:g} must be at most {max_seconds} {:g}",
                *(self.min_seconds, self.max_seconds),
            )


#: No condition: every video counts.
ALL = Scope()
