"""The order in which an answer gives its moments."""

from __future__ import annotations

from typing import TypeVar

from tempo_edge._files.spelling import spelled
from tempo_edge.moment import Moment

__all__ = ["in_order"]

T = TypeVar("T")


def in_order(told: list[tuple[Moment, T]], sort: str) -> list[tuple[Moment, T]]:
    """Moments, each with what goes with it, the surest first, in the order that is asked for.

    Args:
        told: the moments.
        sort: of :data:`tempo_edge.query.ORDERS`. By time those come first that were taken first,
            and those of an unknown time last; of one video, the earlier first.
    """
    if sort == "time":
        return sorted(told, key=lambda each: _when(each[0]))
    if sort == "name":
        return sorted(told, key=lambda each: (spelled(each[0].path), each[0].start_seconds))
    return told


def _when(moment: Moment) -> tuple[float, str, float]:
    instant = None if moment.capture is None else moment.capture.instant
    when = float("inf") if instant is None else float(instant.in_greenwich)
    return when, spelled(moment.path), moment.start_seconds
