"""Half floats of pgvector for the whole numbers of eight bits, which they hold exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tempo_edge.store.embedded.columns import Columns

if TYPE_CHECKING:
    from pgvector import HalfVector

__all__ = ["as_bytes", "eight_bits"]


def as_bytes(vector: HalfVector) -> bytes:
    """The bytes of a vector's whole numbers."""
    return vector.to_numpy().astype(np.int8).tobytes()


def eight_bits(
    library: str, row: str, vectors: Sequence[HalfVector], dim: int | None
) -> NDArray[np.int8]:
    """Vectors ``[n, dim]``; without a ``dim``, that of the first.

    Args:
        library: named in errors, as is ``row``.

    Raises:
        LibraryError: one is of another length.
    """
    return Columns(library, row).vectors("vector", [as_bytes(each) for each in vectors], dim)
