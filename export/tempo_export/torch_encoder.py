"""An encoder as torch has it, whatever library read it: what is written into a profile, and how."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_export.graphs import OPSET, read_graph, write_graph

__all__ = ["TorchEncoder", "write_traced"]


@dataclass(frozen=True)
class TorchEncoder:
    """A checkpoint's two towers as modules, and what comes with them.

    Attributes:
        images: pictures uint8 ``[n, s, s, 3]`` to unit vectors ``[n, d]`` and those of their cells.
        text: token ids int64 ``[n, l]`` to unit vectors ``[n, d]`` and states ``[n, l, w]``.
        tokenizer: makes the ids, cut and padded as in training.
        size: pixels a side of a picture.
        write_text: writes the text tower's graph, given ids ``[1, l]`` and a path.
        facts: what the profile says besides, of how pictures are made small.
    """

    images: Any
    text: Any
    tokenizer: Any
    size: int
    write_text: Callable[[NDArray[np.int64], Path], None]
    facts: dict[str, Any] = field(default_factory=dict)


def write_traced(
    module: Any,
    example: NDArray[Any],
    path: Path,
    takes: str,
    gives: tuple[str, str],
    dynamic: dict[int, str],
) -> None:
    """Trace a module and write its graph, with sizes that may vary by name."""
    import torch

    beside = path.with_name(f"{path.stem}.traced")
    beside.mkdir()
    with warnings.catch_warnings():
        # The tracer is on its way out, and warns of shapes that it takes for constants; those that
        # are none are named here, and what was traced is compared with the module afterwards.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.from_numpy(example),),
            str(beside / path.name),
            input_names=[takes],
            output_names=list(gives),
            dynamic_axes={takes: dynamic, gives[0]: {0: "N"}, gives[1]: dynamic},
            opset_version=OPSET,
            dynamo=False,
        )
    write_graph(read_graph(beside / path.name), path)
    for each in beside.iterdir():
        each.unlink()
    beside.rmdir()
