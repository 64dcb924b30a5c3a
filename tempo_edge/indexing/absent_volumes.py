"""Volumes that are not mounted: what is told of them while everything on them is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tempo_edge.indexing.report import IndexEvent
from tempo_edge.store.interface import Catalogue

__all__ = ["absent_volumes", "offline"]


def absent_volumes(
    catalogue: Catalogue, places: Sequence[Path]
) -> Iterator[tuple[IndexEvent, int]]:
    """(what is told, how many files are kept) of named volumes that are not where they should be.

    Args:
        places: where is looked; of volumes that this machine was told to look for elsewhere nothing
            is told.
    """
    # Below the root of a machine all that is not mounted is missed, and told of there.
    missed = [
        (placed.volume.name, placed.expected)
        for placed in catalogue.volumes()
        if placed.root is None and placed.expected is not None
        if any(
            place.parent != place and Path(placed.expected).is_relative_to(place)
            for place in places
        )
    ]
    counts = catalogue.count_files() if missed else {}
    for name, where in missed:
        count = counts.get(name, 0)
        yield offline(where, f"volume {name} is not mounted", count), count


def offline(where: str, why: str, count: int) -> IndexEvent:
    """What is told of a volume that is not there."""
    return IndexEvent("offline", where, f"{why}, keeping {count} file{'s' if count != 1 else ''}")
