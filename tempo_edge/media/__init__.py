"""Containers and pictures: probe a file, list its packets, decode the frames asked for.

>>> from tempo_edge.media import open_video
>>> with open_video(path) as video:                     # doctest: +SKIP
...     video.info.duration_seconds, len(video.packets())

Decoders stand behind one interface, :class:`Video`: PyAV (the default), decord, and PyAV with a
device that decodes. Times are the
container's own: presentation time stamps and time bases kept as integers and
:class:`~fractions.Fraction`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from tempo_edge.media._types import (
    DAMAGED,
    DecodeRange,
    Frame,
    PacketTable,
    Part,
    Video,
    VideoInfo,
)

__all__ = [
    "DAMAGED",
    "DECODERS",
    "DecodeRange",
    "Frame",
    "PacketTable",
    "Part",
    "Video",
    "VideoInfo",
    "open_video",
]

#: The class of each decoder, or what opens one, by the name that it is asked for; it is imported
#: where it is used.
DECODERS: Mapping[str, str] = {
    "pyav": "tempo_edge.media.pyav:PyAVVideo",
    "decord": "tempo_edge.media._decord:DecordVideo",
    "hardware": "tempo_edge.media.hardware:opened",
}


def open_video(
    path: Path,
    decoder: str = "pyav",
    table: PacketTable | None = None,
    *,
    whole: bool = False,
    unseen: bool = False,
) -> Video:
    """Open the film of ``path``: its default video stream, else the largest that moves.

    Args:
        path: a media file.
        decoder: one of :data:`DECODERS`; ``"decord"`` needs the extra of that name.
        table: the packets of the file, where they are known already: what was found out in
            reading them need not be found out again.
        whole: list packets by reading all of them, whatever the container's index says: damage
            in what is never decoded is found by nothing else.
        unseen: take the container's word for the size and the depth of pictures, where it gives
            it, and decode none of them to find out: a large one takes tens of milliseconds. Whether
            the first one that is decoded was another is said by ``contradicted``.

    Raises:
        MediaError: the file holds no video that can be read; the text says why.
        MissingExtraError: the decoder is not installed.
        ValueError: there is no decoder of that name.
    """
    if decoder not in DECODERS:
        raise ValueError(f"decoder {decoder!r} must be one of {tuple(DECODERS)}")
    module, _, kind = DECODERS[decoder].partition(":")
    video: Video = getattr(import_module(module), kind)(
        path, table=table, whole=whole, unseen=unseen
    )
    return video
