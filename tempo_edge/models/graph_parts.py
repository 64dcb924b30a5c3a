"""The parts of a graph that has both towers: each in a file of its own, so that either opens alone.

A sentence then neither waits for the picture tower nor has its weights in memory. The ``onnx``
package reads and writes the graph; without it the whole is opened for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError, ProfileError

__all__ = ["write_part"]


def write_part(path: Path, target: Path, inputs: Sequence[str], output: str) -> None:
    """Write what leads from ``inputs`` to ``output`` of a model as the model ``target``.

    Nodes and weights are those of the model, in its order: what they give is the same.

    Raises:
        MissingExtraError: the ``onnx`` package is not installed.
        ProfileError: the model can't be read, or more leads to the output than these inputs.
    """
    try:
        import onnx
        from onnx.utils import Extractor
    except ImportError as error:
        raise MissingExtraError(lacking("onnx")) from error
    try:
        part = Extractor(onnx.load(path)).extract_model(list(inputs), [output])
        onnx.checker.check_model(part)
        onnx.save(part, target)
    except OSError:
        raise
    except Exception as error:  # whatever the library says of what is no such graph
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ProfileError(f"{path} can't be split: {reason}") from error
