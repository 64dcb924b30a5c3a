"""Frame difference over blocks of luma: what SAA measures.

The operation is defined once, in :mod:`tempo_kernels.reference` (NumPy), and compiled for the CPU
in :mod:`tempo_kernels.cpu` (Numba). Both give the same integers.
"""

from __future__ import annotations

from tempo_kernels.difference import available, block_differences, variation

__all__ = ["available", "block_differences", "variation"]
