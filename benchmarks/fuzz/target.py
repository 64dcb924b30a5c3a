"""The interface of a fuzz target, and of its oracle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hypothesis.strategies import SearchStrategy

__all__ = ["BrokenError", "Refusal", "Target", "holds"]


class BrokenError(AssertionError):
    """The verdict of an oracle on a case: one line."""


def holds(fact: bool, text: str) -> None:
    """Raise BrokenError with ``text`` where a fact does not hold."""
    if not fact:
        raise BrokenError(text)


@dataclass(frozen=True)
class Target:
    """One thing that is fuzzed.

    Attributes:
        name: for the command line.
        modules: those of the product that the target is to reach, by their full names.
        cases: what is tried; each case is made of texts, numbers, bytes, lists and objects, so
            that it can be written down.
        check: the oracle. Raises BrokenError, or lets through what should not have been raised.
            The folder that it is given is empty, and emptied afterwards.
        seconds: of the processor, for one case.
        megabytes: that one case may add to the process.
    """

    name: str
    modules: tuple[str, ...]
    cases: SearchStrategy[Any]
    check: Callable[[Any, Path], None]
    seconds: float = 2.0
    megabytes: float = 200.0


class Refusal(AbstractContextManager["Refusal"]):
    """The errors that a call may raise, each of which must be one line that can be printed.

    Args:
        kinds: the allowed ones; whatever else is raised goes through.

    Attributes:
        error: what was raised, or None.
    """

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds
        self.error: BaseException | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or type(error) not in self._kinds:
            return False
        self.error = error
        text = str(error)
        holds(bool(text.strip()), f"{type(error).__name__} says nothing")
        holds(len(text.splitlines()) == 1, f"{type(error).__name__} has several lines: {text!a}")
        return True
