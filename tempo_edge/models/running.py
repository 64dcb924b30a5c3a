"""Models that are run: what they give is what was wanted, or one line that says what it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError

__all__ = ["DeviceArray", "Shape", "on_host", "reads_device_memory", "run", "run_there"]

#: The length of each axis, None for any.
Shape = tuple["int | None", ...]

# Providers that share the memory of an NVIDIA card with whoever else uses it in this process.
_ON_CARD = ("CUDAExecutionProvider", "TensorrtExecutionProvider")


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
    return _checked(lambda: session.run(list(outputs), inputs), outputs, path, handed_on)


class DeviceArray(Protocol):
    """An array in the memory of a card, as CUDA's array interface describes it."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...

    def __getitem__(self, rows: slice, /) -> DeviceArray: ...

    def copy_to_host(self) -> NDArray[Any]: ...


def on_host(array: NDArray[np.uint8] | DeviceArray) -> NDArray[np.uint8]:
    """An array in memory of the host: a copy, where it lies on a card."""
    return array if isinstance(array, np.ndarray) else array.copy_to_host()


def reads_device_memory(session: Any) -> bool:
    """Whether a session runs on the card, and takes an array that lies there as it is."""
    return session.get_providers()[0] in _ON_CARD


def run_there(
    session: Any,
    outputs: Mapping[str, Shape],
    name: str,
    array: DeviceArray,
    path: Path | None,
    device: str = "cuda",
) -> list[NDArray[np.float32]]:
    """The outputs of a model, as of :func:`run`, whose one input is read where it lies.

    Args:
        name: of the input; ``array``: it, C-contiguous and written in full.
        device: ONNX Runtime's name of where it lies.

    Raises:
        ProfileError: the model can't be run, or gives something else.
    """

    def work() -> Any:
        about = array.__cuda_array_interface__
        binding = session.io_binding()
        kind = np.dtype(about["typestr"]).type
        address = int(about["data"][0])
        binding.bind_input(name, device, 0, kind, list(array.shape), address)
        for output in outputs:
            binding.bind_output(output)  # in memory of the host
        session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()

    return _checked(work, outputs, path)


def _checked(
    work: Callable[[], list[NDArray[np.float32]]],
    outputs: Mapping[str, Shape],
    path: Path | None,
    handed_on: Collection[str] = (),
) -> list[NDArray[np.float32]]:
    """What running a model gives, if that is what was wanted."""
    try:
        found = work()
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
