"""Whether the clock of a file starts again somewhere, from looks at a few places in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tempo_edge.media._keys import has_no_times
from tempo_edge.media.container import demux

__all__ = ["may_restart", "resets_are_usual"]

# Looks at places an equal distance apart, and nearer and nearer to both ends from there.
_LOOKS = 64

# The nearest look to the ends of a file, in bytes; smaller files are read whole.
_NEAREST = 1 << 19


def resets_are_usual(container: InputContainer) -> bool:
    """Whether clocks that start again are usual in a container: transport and program streams.

    A bare stream has no clock at all: FFmpeg makes one up.
    """
    if has_no_times(container):
        return False
    bit: Any = av.format.Flags.ts_discont.value  # an integer, whatever its stub says
    return bool(container.format.flags & bit)


def may_restart(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the clock of a stream is earlier at some place of the file than at one before.

    A part that is shorter than the distance between looks can be missed. The container is left
    somewhere in the middle.
    """
    if not container.size or container.size < 8 * _NEAREST:
        return True
    latest = None
    for place in _places(container.size):
        stamp = _clock_at(container, stream, place)
        if stamp is None:
            continue
        if latest is not None and stamp < latest:
            return True
        latest = stamp
    return False


def _places(size: int) -> Iterator[int]:
    """Bytes to look at, rising."""
    step = size // _LOOKS
    found = {i * step for i in range(_LOOKS)}
    near = _NEAREST
    while near < step:
        found |= {near, size - near}
        near *= 2
    yield from sorted(found)


def _clock_at(container: InputContainer, stream: VideoStream, place: int) -> int | None:
    """When the first picture after a byte is decoded, in ticks; None where none is found."""
    try:
        container.seek(place, stream=stream, unsupported_byte_offset=True)
        for packet in demux(container, stream):
            if packet.size and packet.dts is not None:
                return packet.dts
    except av.error.FFmpegError:
        pass
    return None
