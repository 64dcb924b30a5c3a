"""One part of the proof: what it needs, what it holds against what, and how long it may take."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from tempo_edge.errors import TempoEdgeError

__all__ = [
    "FAILED",
    "NOT_RUN",
    "PASSED",
    "RESULTS",
    "AbsentError",
    "Budget",
    "Figure",
    "Part",
    "Row",
    "not_run",
    "verdict",
]

PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"

#: All that a row's result may be.
RESULTS = (PASSED, FAILED, NOT_RUN)


class AbsentError(TempoEdgeError):
    """Something that a part needs is not on this machine; the text says what."""


@dataclass(frozen=True)
class Figure:
    """A measured number with its unit, which is empty for what is only counted."""

    name: str
    value: float
    unit: str = ""


@dataclass(frozen=True)
class Row:
    """What came of holding one thing against another.

    Attributes:
        what, against: the two.
        result: of :data:`RESULTS`.
        why: why it failed or was not run, in one line; empty where it passed.
        figures: what was measured on the way.
        cut_short: what was done of it where there was no time for all; empty where all was done.
        part: the name of its part; whoever runs the part enters it.
        seconds: from the row before it, or the part's beginning, to this one.
    """

    what: str
    against: str
    result: str
    why: str = ""
    figures: tuple[Figure, ...] = ()
    cut_short: str = ""
    part: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {**asdict(self), "figures": [asdict(figure) for figure in self.figures]}

    @staticmethod
    def of(facts: Mapping[str, Any]) -> Row:
        """The row that was written down as :meth:`as_dict`."""
        figures = tuple(Figure(**figure) for figure in facts["figures"])
        return Row(**{**facts, "figures": figures})


def not_run(what: str, against: str, why: str) -> Row:
    """A row of what can't be tried here, and why."""
    return Row(what, against, NOT_RUN, why)


def verdict(what: str, against: str, why: str, *figures: Figure, cut_short: str = "") -> Row:
    """A row that has passed where nothing speaks against it, and has failed because of ``why``."""
    return Row(what, against, FAILED if why else PASSED, why, figures, cut_short)


class Budget:
    """The seconds that a part may take, from now on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds that are gone."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds that remain; 0 where they are over."""
        return max(0.0, self.seconds - self.spent)

    def is_over(self, share: float = 1.0) -> bool:
        """Whether this share of the seconds is gone."""
        return self.spent >= share * self.seconds


class Part(ABC):
    """A part of the proof. It runs in a process of its own, so that it ends no other.

    Attributes:
        name: what it is called on the command line, and told by.
        what, against: what its rows are about, for where it gives none.
        needs: what must be here for it to run, in words.
        budget_seconds: what it may take; it looks at the budget that it is given, and leaves out
            what there is no time for. Long past that it is ended.
        on_card: whether it has anything to do only where there is an NVIDIA card.
        environment: variables that its process has besides.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    against: ClassVar[str]
    needs: ClassVar[str]
    budget_seconds: ClassVar[float]
    on_card: ClassVar[bool] = False
    environment: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        """The rows, each as soon as it is measured.

        Args:
            scratch: a folder for what it writes, which all parts of one proof share.

        Raises:
            AbsentError: it can't run here.
        """
