"""Quantization of vectors to int8: a direction needs no length, so eight bits a component do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["dequantize", "quantize", "unit"]


def quantize(vectors: NDArray[np.floating]) -> NDArray[np.int8]:
    """Directions of ``[..., d]`` vectors as int8: the longest component becomes 127."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    scaled = np.rint(vectors * (127.0 / np.maximum(largest, 1e-12)))
    return np.asarray(scaled, dtype=np.int8)


def dequantize(quantized: NDArray[np.int8]) -> NDArray[np.float32]:
    """Unit vectors ``[..., d]`` float32 from int8 directions; the scale drops out."""
    return unit(quantized.astype(np.float32))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors ``[..., d]`` made as long as one; those without a direction stay as they are."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
