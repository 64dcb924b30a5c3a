"""The capture of one film, put together of all that says something of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tempo_edge.capture.facts import Capture, Instant, as_instant
from tempo_edge.capture.names import instant_of_name
from tempo_edge.capture.places import PlaceTable
from tempo_edge.capture.sidecars import CaptureSidecar, capture_beside
from tempo_edge.capture.tags import TagFacts, capture_of_tags
from tempo_edge.errors import MediaError

__all__ = ["capture_mark", "read_capture"]

# How captures are read: another number has those of all films read again.
_SCHEME = "1"

# The zones of the globe lie within so much of Greenwich.
_ZONES = timedelta(hours=26)


def capture_mark(sidecars: Sequence[CaptureSidecar], has_places: bool) -> str:
    """A mark that changes once there is something else to be read of a film.

    Args:
        sidecars: what lies beside it.
        has_places: whether there is a table of towns.
    """
    table = "towns" if has_places else ""
    if not sidecars:
        return f"{_SCHEME}:{table}"
    known = json.dumps([(each.path, each.size, each.mtime_ns) for each in sidecars])
    return f"{_SCHEME}:{table}:{hashlib.sha256(known.encode()).hexdigest()[:32]}"


def read_capture(
    path: str,
    mtime_ns: int,
    sidecars: Sequence[CaptureSidecar],
    places: Callable[[], PlaceTable] | None = None,
    *,
    opens: bool = True,
) -> Capture:
    """When, where and by what a film was taken. What can't be read says nothing, and ends nothing.

    Args:
        path: where its file is, from the root.
        mtime_ns: when that was changed, in nanoseconds since 1970.
        sidecars: what lies beside it.
        places: gives the table of towns, if there is one; it is asked where a place is known.
        opens: whether the file is opened, for the tags of its container.
    """
    beside: dict[str, Capture] = {}
    for sidecar in sidecars:
        try:
            said = capture_beside(sidecar)
        except OSError:
            continue
        kind = sidecar.path[sidecar.path.rindex(".") + 1 :].lower()
        beside[kind] = beside[kind].or_else(said) if kind in beside else said
    tags = _tags(path) if opens else TagFacts(Capture(), None)
    named = instant_of_name(path.rpartition("/")[2])
    created, is_named_first = _created(tags.created, named)
    by_name = Capture(named, "name" if named else "")
    by_container = Capture(created, "container" if created else "")
    order = [beside.get("xmp"), tags.capture, beside.get("json")]
    order += [by_name, by_container] if is_named_first else [by_container, by_name]
    order += [beside.get("srt"), _changed(mtime_ns)]
    found = Capture()
    for each in filter(None, order):
        found = found.or_else(each)
    if places is not None and found.coordinates is not None:
        found = replace(found, place=places().nearest(found.coordinates))
    return found


def _created(created: Instant | None, named: Instant | None) -> tuple[Instant | None, bool]:
    """(the time that the container was begun at, whether the file's name is to be preferred).

    A name with a time is that of the place, and a container's is Greenwich's: the name says more. A
    name that says a day alone says less, unless the container is of another one: then a program
    wrote it long after the film was taken.
    """
    if created is None or named is None:
        return created, True
    apart = abs(created.clock - named.clock)
    if named.is_day:
        return created, apart > _ZONES + timedelta(days=1)
    return created, True


def _tags(path: str) -> TagFacts:
    from tempo_edge.media.tags import tags_of_container

    try:
        tags = tags_of_container(Path(path))
    except MediaError:
        return TagFacts(Capture(), None)
    return capture_of_tags(tags.whole, tags.handlers)


def _changed(mtime_ns: int) -> Capture:
    """The time at which a file was changed, in Greenwich; nothing where no calendar knows it."""
    try:
        clock = datetime(1970, 1, 1) + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return Capture()
    # Disks that know no time have zero, and programs that know none leave it.
    instant = as_instant(clock, is_utc=True, earliest=datetime(1971, 1, 1))
    return Capture(instant, "file" if instant else "")
