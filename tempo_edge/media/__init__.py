"""Containers and pictures: probe a file, list its packets, decode the frames asked for.

>>> from tempo_edge.media import open_video
>>> with open_video(path) as video:                     # doctest: +SKIP
...     video.info.duration_seconds, len(video.packets())

Two decoders stand behind one interface: PyAV (the default) and decord. Times are the container's
own: presentation time stamps and time bases kept as integers and :class:`~fractions.Fraction`.
"""

from __future__ import annotations

from pathlib import Path

from tempo_edge.media._types import DecodeRange, Frame, PacketTable, Part, Video, VideoInfo

__all__ = [
    "DECODERS",
    "DecodeRange",
    "Frame",
    "PacketTable",
    "Part",
    "Video",
    "VideoInfo",
    "open_video",
]

DECODERS = ("pyav", "decord")


def open_video(path: Path, decoder: str = "pyav", table: PacketTable | None = None) -> Video:
    """Open the film of ``path``: its default video stream, else the largest that moves.

    Args:
        path: a media file.
        decoder: ``"pyav"`` or ``"decord"`` (needs the ``decord`` extra).
        table: the packets of the file, where they are known already: what was found out in
            reading them need not be found out again.

    Raises:
        MediaError: the file holds no video that can be read; the text says why.
        MissingExtraError: the decoder is not installed.
        ValueError: there is no decoder of that name.
    """
    if decoder == "pyav":
        from tempo_edge.media.pyav import PyAVVideo

        return PyAVVideo(path, table=table)
    if decoder == "decord":
        from tempo_edge.media._decord import DecordVideo

        return DecordVideo(path, table=table)
    raise ValueError(f"decoder {decoder!r} must be one of {DECODERS}")
