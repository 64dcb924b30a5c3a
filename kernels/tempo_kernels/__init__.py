"""What SAA measures: how much a picture differs from the one before, block by block.

The operation is defined once, in :mod:`tempo_kernels.reference` (NumPy), and implemented for each
machine: :mod:`tempo_kernels.cpu` (Numba) and :mod:`tempo_kernels.native` (C++). All give the same
integers.
"""

from __future__ import annotations

from tempo_kernels.difference import (
    Comparison,
    available,
    block_differences,
    compare,
    variation,
)

__all__ = ["Comparison", "available", "block_differences", "compare", "variation"]
