"""Softmax regression on what a text is made of, hashed into columns: learned in seconds."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HashedSoftmax", "columns_of"]

_COLUMNS = 1 << 14  # the first is for nothing
_FEATURES = 48  # of a text, at most
_EPOCHS, _BATCH, _RATE, _DECAY = 3, 64, 0.03, 0.3
_STEPS = 100  # at least: few texts are gone through more often
_NEVER = -1e9  # the logit of a class that was never seen


def columns_of(features: Iterable[str]) -> NDArray[np.int64]:
    """The columns int64 ``[f]`` of the features of a text; what they leave free is 0.

    Each counts once. Of too many the last in the alphabet are left out.
    """
    hashed = [
        1 + zlib.crc32(text.encode()) % (_COLUMNS - 1) for text in sorted(set(features))[:_FEATURES]
    ]
    out = np.zeros(_FEATURES, np.int64)
    out[: len(hashed)] = hashed
    return out


@dataclass(frozen=True)
class HashedSoftmax:
    """How likely each of some classes is, by the features of a text.

    ``weights`` float32 ``[columns, classes]`` and ``bias`` float32 ``[classes]`` make the logits.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @staticmethod
    def fit(
        columns: NDArray[np.int64], classes: NDArray[np.int64], count: int, rng: np.random.Generator
    ) -> HashedSoftmax:
        """Learn from texts int64 ``[n, f]`` which of `count` classes int64 ``[n]`` each is of."""
        seen = np.bincount(classes, minlength=count)
        bias = np.where(seen, np.log(np.maximum(seen, 1) / len(classes)), _NEVER)
        softmax = HashedSoftmax(np.zeros((_COLUMNS, count), np.float32), bias.astype(np.float32))
        squares = np.full((_COLUMNS, count), 1e-6, np.float32)
        steps = math.ceil(len(classes) / _BATCH)
        for _ in range(max(_EPOCHS, math.ceil(_STEPS / steps))):
            order = rng.permutation(len(classes))
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                softmax._step(columns[rows], classes[rows], squares)
        return softmax

    def shares(self, columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """The probability float64 ``[..., classes]`` of each class, for columns ``[..., f]``."""
        logits = self.weights[columns].sum(axis=-2, dtype=np.float64) + self.bias
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        normed: NDArray[np.float64] = shares / shares.sum(axis=-1, keepdims=True)
        return normed

    def _step(
        self, columns: NDArray[np.int64], classes: NDArray[np.int64], squares: NDArray[np.float32]
    ) -> None:
        """One step of AdaGrad, whose summed squares of gradients are `squares`."""
        errors = self.shares(columns)
        errors[np.arange(len(classes)), classes] -= 1.0
        used, place = np.unique(columns, return_inverse=True)
        gradient = _DECAY * self.weights[used]
        np.add.at(gradient, place.reshape(columns.shape), errors[:, None].astype(np.float32))
        squares[used] += gradient**2
        self.weights[used] -= _RATE * gradient / np.sqrt(squares[used])
        self.weights[0] = 0.0
