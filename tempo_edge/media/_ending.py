"""How long the last picture of a film stays: as long as there is sound, or as the file says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

__all__ = ["Sound", "promised_end"]

# The element that holds all others of a Matroska file; it stands behind a short header.
_SEGMENT = b"\x18\x53\x80\x67"
_HEADER_BYTES = 4096


class Sound:
    """Listens to a file's packets on the way: when the last sound is over."""

    def __init__(self, pictures: Stream) -> None:
        self._pictures = pictures.index
        self.end: Fraction | None = None

    def without(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        """The pictures among packets of all kinds."""
        for packet in packets:
            if packet.stream_index == self._pictures:
                yield packet
            elif packet.pts is not None and packet.time_base is not None and packet.size:
                over = (packet.pts + (packet.duration or 0)) * packet.time_base
                self.end = over if self.end is None else max(self.end, over)


def promised_end(path: Path, container: InputContainer) -> Fraction | None:
    """Seconds of a container's clock at which it says that it ends, where that is to be trusted.

    MP4 tells how long each picture lasts, and others say how long a file was before it broke off:
    so it is only Matroska's word that counts, if the file is as long as its header says.
    """
    if "matroska" not in container.format.name or container.duration is None:
        return None
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    at = head.find(_SEGMENT)
    size = head[at + 4 : at + 12]
    if at < 0 or len(size) < 8 or not size[0]:
        return None
    length = 9 - size[0].bit_length()  # of the number itself, in bytes: EBML's
    body = int.from_bytes(size[:length], "big") & (1 << 7 * length) - 1
    unknown = body == (1 << 7 * length) - 1
    if unknown or path.stat().st_size < at + 4 + length + body:
        return None
    return Fraction((container.start_time or 0) + container.duration, av.time_base)
