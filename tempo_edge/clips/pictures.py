"""The pictures of a clip: upright, of one size, whatever those of the footage do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tempo_edge.media.orientation import Orientation

__all__ = ["even_size", "framed", "upright"]

# FFmpeg's numbers for luma from 16 to 235, and from 0 to 255.
_STUDIO_RANGE, _FULL_RANGE = 1, 2

# Two shapes so near are the same: sizes are whole numbers, and many of them even ones.
_SAME_SHAPE = Fraction(1, 50)

# Black in luma and both chroma planes of the studio range.
_BLACK = (16, 128, 128)


def even_size(frame: VideoFrame) -> tuple[int, int]:
    """The (width, height) with whole chroma samples."""
    return max(2, frame.width // 2 * 2), max(2, frame.height // 2 * 2)


def upright(picture: VideoFrame) -> VideoFrame:
    """A yuv420p picture of an even size, turned as it is, not by a note to the player."""
    width, height = even_size(picture)
    full = picture.format.name.startswith("yuvj") or picture.color_range == _FULL_RANGE
    even = picture.reformat(
        width,
        height,
        "yuv420p",
        src_color_range=_FULL_RANGE if full else _STUDIO_RANGE,
        dst_color_range=_STUDIO_RANGE,
    )
    orientation = Orientation.of(picture)
    if orientation == Orientation():
        return even
    return _joined([orientation.apply(plane) for plane in _planes(even)])


def framed(picture: VideoFrame, size: tuple[int, int], aspect: Fraction) -> VideoFrame:
    """A picture in the frame of another size, whole and in its own shape, between black bars.

    Args:
        picture: yuv420p of an even size.
        size: even (width, height) of the frame.
        aspect: how much wider a sample of the picture is than one of the frame.
    """
    width, height = size
    wider = aspect * picture.width * height / (picture.height * width)
    if abs(wider - 1) < _SAME_SHAPE:
        return picture.reformat(width, height)
    inner = picture.reformat(
        min(width, max(2, round(width * wider / 2) * 2)),
        min(height, max(2, round(height / wider / 2) * 2)),
    )
    left, top = (width - inner.width) // 4 * 2, (height - inner.height) // 4 * 2
    planes = []
    for at, plane in enumerate(_planes(inner)):
        part = 1 if at == 0 else 2
        whole = np.full((height // part, width // part), _BLACK[at], np.uint8)
        rows, columns = plane.shape
        whole[top // part : top // part + rows, left // part : left // part + columns] = plane
        planes.append(whole)
    return _joined(planes)


def _planes(picture: VideoFrame) -> list[NDArray[np.uint8]]:
    """The three planes of a yuv420p picture, ``[height, width]`` each."""
    width, height = picture.width, picture.height
    samples = np.asarray(picture.to_ndarray(), np.uint8).ravel()  # one plane after another
    luma, *chroma = np.split(samples, [width * height, width * height * 5 // 4])
    return [
        luma.reshape(height, width),
        *(plane.reshape(height // 2, width // 2) for plane in chroma),
    ]


def _joined(planes: list[NDArray[np.uint8]]) -> VideoFrame:
    samples = np.concatenate([plane.ravel() for plane in planes])
    return VideoFrame.from_ndarray(samples.reshape(-1, planes[0].shape[1]), format="yuv420p")
