"""When, where and by what a film was taken, by the tags of its container."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from tempo_edge.capture.coordinates import of_iso6709
from tempo_edge.capture.facts import Capture, Instant, as_instant, named

__all__ = ["TagFacts", "capture_of_tags"]

# No camera wrote tags of time before: what lies earlier is a clock that was never set.
_EARLIEST = datetime(1990, 1, 1)

_APPLE = "com.apple.quicktime."
_ANDROID = "com.android."

# Cameras that write the time of the place where the format wants that of Greenwich.
_LOCAL_MAKERS = re.compile(r"\b(?:gopro|canon|nikon)\b", re.IGNORECASE)

_WRITTEN = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d{1,9})? ?(Z|[+-]\d{2}:?\d{2})?"
)


class TagFacts:
    """What tags say, where two of them may mean different times.

    Attributes:
        capture: all but a time without a zone; a time with one is in it.
        created: the time that the container was begun at, in Greenwich for all that it says; or
            the one of the place, where a camera is known to write that.
    """

    def __init__(self, capture: Capture, created: Instant | None) -> None:
        self.capture = capture
        self.created = created


def capture_of_tags(
    tags: Mapping[str, str], handlers: Sequence[str] = (), now: datetime | None = None
) -> TagFacts:
    """What the tags of a container say.

    Args:
        tags: by their names in small letters.
        handlers: the names that its streams were given.
        now: nothing was taken after.
    """
    make, model = _camera(tags, handlers)
    said = _instant(tags.get(f"{_APPLE}creationdate", ""), False, now)
    where = None
    for name in (f"{_APPLE}location.iso6709", "location", "location-eng", "xyz"):
        where = where or of_iso6709(tags.get(name, ""))
    is_local = _LOCAL_MAKERS.search(f"{make} {model}") is not None
    created = _instant(tags.get("creation_time", ""), not is_local, now)
    source = "container" if said else ""
    return TagFacts(Capture(said, source, where, "", make, model), created)


def _camera(tags: Mapping[str, str], handlers: Sequence[str]) -> tuple[str, str]:
    """(make, model) of the camera, each empty where it is not known."""
    make, model = (
        named(tags.get(f"{_APPLE}{name}") or tags.get(f"{_ANDROID}{name}") or tags.get(name, ""))
        for name in ("make", "model")
    )
    if not make and any("GoPro" in name for name in handlers):
        make = "GoPro"
    if not make and not model and tags.get("major_brand", "").strip() == "CAEP":
        make = "Canon"
    if not make and not model and tags.get("major_brand", "").strip() == "niko":
        make = "Nikon"
    return make, model or (named(tags.get("firmware", "")) if make == "GoPro" else "")


def _instant(text: str, is_utc: bool, now: datetime | None) -> Instant | None:
    """A time as FFmpeg and Apple write it.

    Args:
        text: whatever stands there.
        is_utc: whether a time that says to be Greenwich's is believed to be.
        now: nothing was taken after.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return None
    day, time, zone = found.groups()
    has_zone = zone not in (None, "Z")
    shift = f"{zone[:3]}:{zone[-2:]}" if has_zone else ""
    try:
        clock = datetime.fromisoformat(f"{day}T{time}{shift}")
    except ValueError:
        return None
    return as_instant(clock, is_utc=is_utc and not has_zone, earliest=_EARLIEST, now=now)
