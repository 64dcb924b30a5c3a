"""Reach: how far each group of pictures (GOP) is decoded, and what decoding on would cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reach"]


class Reach:
    """The pictures that are decoded: in some GOPs those from the key frame to a last one.

    Args:
        keys: indexes of all key frames, rising; decoding can begin at any.
    """

    def __init__(self, keys: NDArray[np.int64]) -> None:
        self._keys = keys
        self._lasts: dict[int, int] = {}

    @property
    def runs(self) -> list[tuple[int, int]]:
        """The key frame and the last picture of each GOP that is decoded, in order."""
        return sorted(self._lasts.items())

    @property
    def pictures(self) -> int:
        """Pictures decoded beyond the key frames that they begin with."""
        return sum(last - key for key, last in self._lasts.items())

    def key_of(self, index: int) -> int:
        """The key frame from which a picture is decoded."""
        return int(self._keys[np.searchsorted(self._keys, index, side="right") - 1])

    def cost(self, index: int) -> int:
        """Pictures that must be decoded for the sake of one, beside those that are anyway."""
        key = self.key_of(index)
        return max(0, index - self._lasts.get(key, key - 1))

    def extend(self, index: int) -> None:
        """Decode as far as a picture."""
        key = self.key_of(index)
        self._lasts[key] = max(index, self._lasts.get(key, key))
