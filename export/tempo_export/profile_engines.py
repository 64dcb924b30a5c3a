"""The TensorRT engines of a whole profile, one a graph."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tempo_edge.errors import ExportError
from tempo_edge.models.registry import Profile
from tempo_export.engine import EngineFacts, build_engine, this_machine
from tempo_export.graphs import read_graph, write_graph
from tempo_export.precision import expanded
from tempo_export.request import Progress
from tempo_export.typed import Precision, cast_first

__all__ = ["build_engines", "graphs_of", "plain_graph"]


def graphs_of(profile: Profile) -> list[str]:
    """The ONNX files of a profile."""
    return [file for file in profile.files if file.endswith(".onnx")]


def plain_graph(profile: Profile, file: str, folder: Path) -> Path:
    """The graph of a profile as TensorRT is given it, written to ``folder``.

    Weights that are stored compactly become what they are computed with: TensorRT takes eight bits
    only before DequantizeLinear. A graph that was quantised stays as it is.

    Raises:
        ProfileError: the file is altered.
        ExportError: it is no ONNX graph.
    """
    model = read_graph(profile.checked(file))
    quantised = any(node.op_type == "DequantizeLinear" for node in model.graph.node)
    write_graph(cast_first(model) if quantised else expanded(model), folder / file)
    return folder / file


def build_engines(
    profile: Profile,
    destination: Path,
    precision: Precision,
    *,
    replace: bool = False,
    progress: Progress = lambda line: None,
) -> dict[str, EngineFacts]:
    """Build the engine of every graph of a profile; gives their manifests by the graph's file.

    Raises:
        MissingExtraError: TensorRT or onnx can't be used here.
        EngineError: there is no GPU, or TensorRT refuses a graph.
        ExportError: there is something in ``destination`` already and may not be replaced.
        OSError: a file can't be written.
    """
    this_machine()  # before anything is made for it
    if destination.exists() and not replace:
        raise ExportError(f"{destination} is there already: remove it, or say --replace")
    built = {}
    for file in graphs_of(profile):
        progress(f"{file}: building its engine")
        with tempfile.TemporaryDirectory() as scratch:
            plain = plain_graph(profile, file, Path(scratch))
            destination.mkdir(parents=True, exist_ok=True)
            out = destination / f"{file.removesuffix('.onnx')}.engine"
            built[file] = build_engine(plain, out, precision=precision)
        progress(built[file].shell_line)
    return built
