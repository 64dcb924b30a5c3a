"""How much two decoded pictures may differ to be the same: one decoder's against another's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["TOLERANCE", "alike", "apart"]

#: Mean difference of luma, in 255ths, between a device's picture and the processor's. The processor
#: leaves out the loop filter, which devices can't.
TOLERANCE = 4.0


def alike(one: NDArray[np.unsignedinteger], two: NDArray[np.unsignedinteger]) -> bool:
    """Whether two luma planes show the same picture, as 8 bits or more at the top of 16."""
    return one.shape == two.shape and apart(one, two) <= TOLERANCE


def apart(one: NDArray[np.unsignedinteger], two: NDArray[np.unsignedinteger]) -> float:
    """Mean difference of two luma planes of one shape, in 255ths."""
    planes = [plane / (255 if plane.dtype == np.uint8 else 65535) for plane in (one, two)]
    return 255 * float(np.abs(planes[0] - planes[1]).mean())
