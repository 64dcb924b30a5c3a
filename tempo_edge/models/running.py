"""Models that are run: what they give is what was wanted, or one line that says what it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError

__all__ = ["Shape", "run"]

#: The length of each axis, None for any.
Shape = tuple["int | None", ...]


def run(
    session: Any,
    outputs: Mapping[str, Shape],
    inputs: dict[str, NDArray[Any]],
    path: Path | None,
    handed_on: Collection[str] = (),
) -> list[NDArray[np.float32]]:
    """The outputs of a model, if they have these shapes and hold finite float32 numbers.

    Args:
        path: the model's file, for errors.
        handed_on: outputs that only the model itself reads again: whether their numbers are finite
            is not looked at, for there may be millions.

    Raises:
        ProfileError: the model can't be run, or gives something else.
    """
    try:
        found: list[NDArray[np.float32]] = session.run(list(outputs), inputs)
    except Exception as error:  # ONNX Runtime has a family of its own for each release
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ProfileError(f"{path or 'the model'} can't be run: {reason}") from error
    for array, (name, shape) in zip(found, outputs.items(), strict=True):
        if not _fits(array, shape, finite=name not in handed_on):
            kind = getattr(array, "dtype", type(array).__name__)
            given = list(getattr(array, "shape", ()))
            wanted_shape = ["n" if length is None else length for length in shape]
            raise ProfileError(
                f"{path or 'the model'} gives {name} {given} of {kind}, "
                f"wanted are finite numbers {wanted_shape} of float32".replace("'", "")
            )
    return found


def _fits(array: object, shape: Shape, *, finite: bool) -> bool:
    """Whether an output is float32 throughout, of that shape, and finite if it must be."""
    return (
        isinstance(array, np.ndarray)
        and array.dtype == np.float32
        and array.ndim == len(shape)
        and all(wanted in (None, length) for wanted, length in zip(shape, array.shape, strict=True))
        and (not finite or bool(np.isfinite(array).all()))
    )
