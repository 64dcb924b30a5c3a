"""An attempt at a row: whatever is in its way becomes the row's reason."""

from __future__ import annotations

from collections.abc import Callable

from tempo_edge.errors import MissingExtraError
from tempo_edge.proof.machine import placeless
from tempo_edge.proof.part import AbsentError, Row, not_run, verdict

__all__ = ["attempt", "row_of"]

# Characters of an error that are told.
_TOLD = 300


def attempt(what: str, against: str, work: Callable[[], Row]) -> Row:
    """The row that some work gives, or one of what ended it: those after it are tried still."""
    try:
        return work()
    except Exception as error:  # whatever a driver, a compiler or a library may say
        return row_of(error, what, against)


def row_of(error: Exception, what: str, against: str) -> Row:
    """The row of what an error ended: not run where something is not here, failed otherwise."""
    if isinstance(error, (AbsentError, MissingExtraError)):
        return not_run(what, against, placeless(str(error)))
    return verdict(what, against, placeless(f"{type(error).__name__}: {error}")[:_TOLD])
