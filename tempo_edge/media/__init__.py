"""Containers and pictures: probe a file, list its packets, decode the frames asked for.

>>> from tempo_edge.media import open_video
>>> with open_video(path) as video:                     # doctest: +SKIP
...     video.info.duration_seconds, len(video.packets())

Two decoders stand behind one interface: PyAV (the default) and decord. Times are the container's
own: presentation time stamps and time bases kept as integers and :class:`~fractions.Fraction`.
"""

from __future__ import annotations

from pathlib import Path

from tempo_edge.media._types import Frame, PacketTable, Run, Video, VideoInfo

__all__ = ["DECODERS", "Frame", "PacketTable", "Run", "Video", "VideoInfo", "open_video"]

DECODERS = ("pyav", "decord")


def open_video(path: Path, decoder: str = "pyav") -> Video:
    """Open the first real video stream of ``path``.

    Args:
        path: a media file.
        decoder: ``"pyav"`` or ``"decord"`` (needs the ``decord`` extra).

    Raises:
        MediaError: the file holds no video that can be read; the text says why.
        MissingExtraError: the decoder is not installed.
        ValueError: there is no decoder of that name.
    """
    if decoder == "pyav":
        from tempo_edge.media._pyav import PyAVVideo

        return PyAVVideo(path)
    if decoder == "decord":
        from tempo_edge.media._decord import DecordVideo

        return DecordVideo(path)
    raise ValueError(f"decoder {decoder!r} must be one of {DECODERS}")
