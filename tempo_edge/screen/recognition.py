"""What is written in regions of a picture."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.screen.detection import Region
from tempo_edge.screen.models import letters_of

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Reading", "Recognizer"]

# Pixels that a row of letters is high for the graph, and the fewest and most that it is long.
_HEIGHT, _SHORTEST, _LONGEST = 48, 160, 3072

# Rows that are read at once, and columns of the graph's picture together: memory is bounded.
_AT_ONCE, _COLUMNS = 6, 3840

# Writing that is so many times as high as long runs downwards.
_UPRIGHT = 1.5

# The probability that a piece of the graph's output stands for no letter is its first.
_BLANK = 0


@dataclass(frozen=True)
class Reading:
    """What is written in a region: the text, and how sure each letter is on the mean, [0, 1]."""

    text: str
    confidence: float


class Recognizer:
    """Reads rows of letters by a graph that says which letter is where.

    Args:
        session: that of :attr:`tempo_edge.screen.models.ScreenModels.recognition`.

    Raises:
        ProfileError: the graph does not say which letters it knows.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._letters = letters_of(session)

    def read(self, picture: Image, regions: Sequence[Region]) -> list[Reading]:
        """What is written in each of these regions of a picture; nothing where none can be told."""
        pieces = [_piece(picture, region) for region in regions]
        readings = [Reading("", 0.0)] * len(pieces)
        for batch in _batches([piece.shape[1] for piece in pieces]):
            for place, reading in zip(batch, self._told([pieces[i] for i in batch]), strict=True):
                readings[place] = reading
        return readings

    def _told(self, pieces: list[NDArray[np.uint8]]) -> Iterator[Reading]:
        length = max(_SHORTEST, *(piece.shape[1] for piece in pieces))
        planes = np.zeros((len(pieces), 3, _HEIGHT, length), np.float32)
        for row, piece in zip(planes, pieces, strict=True):
            # As the graph was trained: blue, green, red; within [-1, 1].
            scaled = piece[..., ::-1].astype(np.float32) / 127.5 - 1
            row[:, :, : piece.shape[1]] = scaled.transpose(2, 0, 1)
        (told,) = self._session.run(None, {self._input: planes})
        for best, sure in zip(told.argmax(2), told.max(2), strict=True):
            yield self._decoded(best, sure)

    def _decoded(self, best: NDArray[np.int64], sure: NDArray[np.float32]) -> Reading:
        """The text of the likeliest outputs, ``[n]``: one that is repeated is one letter."""
        is_new = np.append(True, best[1:] != best[:-1]) & (best != _BLANK)
        if not is_new.any():
            return Reading("", 0.0)
        text = "".join(self._letters[each] for each in best[is_new])
        # Wide letters and digits of Chinese and Japanese are the same as others to who searches.
        plain = " ".join(unicodedata.normalize("NFKC", text).split())
        return Reading(plain, min(1.0, float(sure[is_new].mean())))


def _piece(picture: Image, region: Region) -> NDArray[np.uint8]:
    """What a region shows, level, as ``[48, length, 3]`` RGB."""
    from PIL.Image import Resampling, Transform

    width, height = max(1, round(region.width)), max(1, round(region.height))
    corners = tuple(value for corner in region.corners() for value in corner)
    piece = picture.transform((width, height), Transform.QUAD, corners, Resampling.BILINEAR)
    if height >= _UPRIGHT * width:
        piece = piece.transpose(_turn())
        width, height = height, width
    length = min(max(8, math.ceil(_HEIGHT * width / height)), _LONGEST)
    return np.asarray(piece.resize((length, _HEIGHT), Resampling.BILINEAR), np.uint8)


def _turn() -> Any:
    from PIL.Image import Transpose

    return Transpose.ROTATE_90


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of pieces that are read at once: such as are of nearly the same length."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        longest = max(lengths[place], _SHORTEST)
        shortest = max(lengths[batch[0]], _SHORTEST) if batch else longest
        is_full = len(batch) >= _AT_ONCE or longest * (len(batch) + 1) > _COLUMNS
        if batch and (is_full or longest > 1.25 * shortest):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
