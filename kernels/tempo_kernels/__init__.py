"""What SAA measures: how much a picture differs from the one before, block by block.

The operation is defined once, in :mod:`tempo_kernels.reference` (NumPy), and implemented for each
machine: :mod:`tempo_kernels.cpu` and :mod:`tempo_kernels.gpu` (Numba), :mod:`tempo_kernels.native`
(C++ and CUDA C++), :mod:`tempo_kernels.lanes` (until one of those is loaded). All give the same
integers.
"""

from __future__ import annotations

from tempo_kernels.difference import Comparison, block_differences, compare, variation
from tempo_kernels.dispatch import available, load_fastest

__all__ = [
    "Comparison",
    "available",
    "block_differences",
    "compare",
    "load_fastest",
    "variation",
]
