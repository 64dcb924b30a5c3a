"""How long the last picture of a film stays: as long as there is sound, or as the file says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tempo_edge.media._streams import format_names
from tempo_edge.media._truncation import promise

__all__ = ["Sound", "promised_end"]


class Sound:
    """Listens to a file's packets on the way.

    Attributes:
        bytes: what all packets but those of the pictures held so far.
        last_byte: where the last of them ends in the file.
    """

    def __init__(self, pictures: Stream) -> None:
        self._pictures = pictures.index
        self.bytes = self.last_byte = 0
        # By stream, in its own ticks: a fraction for each packet takes a third of the time.
        self._ends: dict[int, int] = {}
        self._heard: dict[int, Stream] = {}

    @property
    def end(self) -> Fraction | None:
        """Seconds of the container at which the last sound is over; None if there is none."""
        ends = []
        for index, end in self._ends.items():
            time_base = self._heard[index].time_base
            if time_base is not None:
                ends.append(end * time_base)
        return max(ends, default=None)

    def without(self, packets: Iterable[Packet[Stream]]) -> Iterator[Packet[VideoStream]]:
        """The pictures among packets of all kinds."""
        ends = self._ends
        for packet in packets:
            index, size = packet.stream_index, packet.size
            if index == self._pictures:
                yield cast("Packet[VideoStream]", packet)
                continue
            self.bytes += size
            self.last_byte = max(self.last_byte, (packet.pos or 0) + size)
            if index not in self._heard:
                self._heard[index] = packet.stream
            if self._heard[index].type == "audio" and packet.pts is not None and size:
                over = packet.pts + (packet.duration or 0)
                ends[index] = max(ends.get(index, over), over)


def promised_end(path: Path, container: InputContainer) -> Fraction | None:
    """Seconds of a container's clock at which it says that it ends, where that is to be trusted.

    MP4 tells how long each picture lasts, and others say how long a file was before it broke off:
    so it is only Matroska's word that counts, if the file is as long as its header says.
    """
    if "matroska" not in format_names(container) or container.duration is None:
        return None
    if promise(path).end > path.stat().st_size:
        return None
    return Fraction((container.start_time or 0) + container.duration, av.time_base)
