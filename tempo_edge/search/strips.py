"""Strips: a few small pictures of a film at the same shares of its length, held side by side.

Vectors say what is to be seen, and another take of a scene shows that as well. Whether two films
are the same footage is told by where things are, and by how they move from picture to picture.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.media.instant import pictures_at

__all__ = ["Strip", "likeness", "strip_of"]

# Pictures of a strip, blocks across and down each, and the width that it is decoded to.
_PICTURES, _BLOCKS, _WIDTH = 8, 24, 96

# Pictures that have to be alike: beside a cut, and where half of the pictures were left out, one
# may be of the other side.
_COUNTED = 7

# Least correlation of two pictures of one time, and the grey levels that they may differ by, as
# the root of the mean square.
_ALIKE, _APART = 0.95, 16.0

# Least correlation of what changes from picture to picture; and the grey levels that it has to
# change by, below which nothing is told: encoders alone change as much.
_MOVES_ALIKE, _MOVES = 0.9, 1.5

#: Grey levels of a strip's blocks, ``[n, b, b]``.
Strip = NDArray[np.float32]


def strip_of(path: Path, duration_seconds: float) -> Strip:
    """The grey levels ``[n, b, b]`` of a film's blocks, at the same shares of any length.

    Raises:
        MediaError: it can't be decoded.
    """
    shares = (np.arange(_PICTURES) + 0.5) / _PICTURES
    shown = pictures_at(path, (shares * duration_seconds).tolist(), _WIDTH)
    return np.stack([_blocks(picture) for picture in shown])


def _blocks(picture: NDArray[np.uint8]) -> Strip:
    """The mean grey level of each block of a picture, whatever its size."""
    grey = picture.astype(np.float32) @ np.asarray([0.299, 0.587, 0.114], np.float32)
    for axis in (0, 1):
        bounds = np.linspace(0, grey.shape[axis], _BLOCKS + 1).astype(int).tolist()
        parts = [(low, max(high, low + 1)) for low, high in pairwise(bounds)]
        means = [np.take(grey, range(*part), axis=axis, mode="clip").mean(axis) for part in parts]
        grey = np.stack(means, axis=axis)
    return np.asarray(grey, np.float32)


def likeness(one: Strip, other: Strip) -> float | None:
    """The correlation of what changes in two strips; None where they are not the same footage.

    It is None also where next to nothing changes, as before a camera that looks at an empty room:
    then one hour is as like another as a copy would be.
    """
    alike = np.asarray([_correlation(*pair) for pair in zip(one, other, strict=True)])
    counted = np.argsort(-alike, kind="stable")[:_COUNTED]
    one, other = one[counted], other[counted]
    if alike[counted].min() < _ALIKE or _rms(one - other) > _APART:
        return None
    changes = [strip - strip.mean(axis=0) for strip in (one, other)]
    if min(map(_rms, changes)) < _MOVES:
        return None
    moves = _correlation(*changes)
    return moves if moves >= _MOVES_ALIKE else None


def _rms(values: Strip) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _correlation(one: Strip, other: Strip) -> float:
    """Pearson's correlation of all numbers of both; 1 of two that are flat."""
    a, b = one.ravel() - one.mean(), other.ravel() - other.mean()
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > len(a) else 1.0
