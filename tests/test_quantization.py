"""Directions as bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tempo_edge.quantization import dequantize, quantize, unit

VECTORS = arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(2, 64)),
    elements=st.floats(-1, 1, width=32),
)


@given(VECTORS, st.floats(0.001, 1000))
def test_the_length_of_a_vector_is_no_matter(vectors: np.ndarray, scale: float) -> None:
    vectors = vectors[np.abs(vectors).max(axis=1) > 1e-3]
    apart = np.abs(quantize(vectors).astype(int) - quantize(vectors * scale).astype(int))
    assert apart.max(initial=0) <= 1  # rounding may fall either way


@given(VECTORS)
def test_directions_survive(vectors: np.ndarray) -> None:
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 1e-3]
    wanted = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    kept = dequantize(quantize(vectors))
    assert kept.dtype == np.float32
    assert (np.einsum("ij,ij->i", kept, wanted) > 0.999).all()


def test_nothing_stays_nothing() -> None:
    assert not dequantize(quantize(np.zeros((2, 8), np.float32))).any()


def test_a_direction_is_the_last_axis_whatever_stands_before_it() -> None:
    assert np.allclose(unit(np.array([3, 4], np.float32)), [0.6, 0.8])
    rows = np.array([[[3, 4], [0, 2]], [[0, 0], [5, 12]]], np.float32)
    assert np.allclose(unit(rows), [[[0.6, 0.8], [0, 1]], [[0, 0], [5 / 13, 12 / 13]]])
