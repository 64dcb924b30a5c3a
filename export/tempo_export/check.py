"""The check of ONNX graphs by TensorRT's own parser, that of TensorRT for RTX.

The parser needs neither a GPU nor a driver. A graph that it refuses can't become an engine; one
that it takes may still fail where an engine is built, for a reason that only that machine knows.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from tempo_edge._console.text import printable
from tempo_edge._extras import lacking
from tempo_edge.errors import ExportError, MissingExtraError
from tempo_export.tensorrt_api import Parser, ParserError, TensorRT, logger
from tempo_export.typed import load_onnx

__all__ = ["Finding", "GraphReport", "check_graph", "format_report", "load_parser"]

_OWN_DOMAINS = {"", "ai.onnx"}

# A line that says no more than which node is refused.
_NAMED = re.compile(r"(Invalid|Unsupported) Node - \S*$", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """One node that the parser refuses, or the whole graph.

    `name` is the node's, or its first output's where it has none; it is empty, and so is
    `operator`, for what concerns the graph as a whole. `place` says in which graph the node stands.
    """

    name: str
    operator: str
    place: str
    reason: str


@dataclass(frozen=True)
class GraphReport:
    """The contents of a graph, and what the parser refuses of it.

    `version` is that of TensorRT for RTX; `nodes` counts the nodes of each operator in the graph
    and in the graphs within.
    """

    path: Path
    version: str
    opset: int
    ir_version: int
    nodes: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def acceptable(self) -> bool:
        """Whether the parser takes the graph."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """The report as plain objects that JSON can hold."""
        return {
            "path": str(self.path),
            "version": self.version,
            "acceptable": self.acceptable,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "nodes": dict(self.nodes),
            "findings": [asdict(finding) for finding in self.findings],
        }


@functools.cache
def load_parser() -> tuple[TensorRT, Any]:
    """The module ``tensorrt_rtx`` and the logger for all that it makes: it keeps the first one.

    Raises:
        MissingExtraError: it is not installed, or its libraries can't be loaded.
    """
    try:
        import tensorrt_rtx
    except ModuleNotFoundError as error:
        raise MissingExtraError(lacking("tensorrt_rtx")) from error
    except (ImportError, OSError, RuntimeError) as error:  # a library that it needs is not here
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MissingExtraError(f"TensorRT for RTX can't be used: {reason}") from error
    tensorrt = cast(TensorRT, tensorrt_rtx)
    return tensorrt, logger(tensorrt, [])


def check_graph(path: Path) -> GraphReport:
    """The verdict of TensorRT's parser on the ONNX graph in the file `path`.

    Raises:
        MissingExtraError: TensorRT for RTX or onnx is not installed.
        ExportError: the file is missing or no ONNX graph.
    """
    tensorrt, log = load_parser()
    model = _load(path)
    network = tensorrt.Builder(log).create_network(0)
    parser = tensorrt.OnnxParser(network, log)
    taken = parser.parse_from_file(str(path))
    return GraphReport(
        path=path,
        version=str(tensorrt.__version__),
        opset=max(each.version for each in model.opset_import if each.domain in _OWN_DOMAINS),
        ir_version=model.ir_version,
        nodes=dict(Counter(_operators(model.graph)).most_common()),
        findings=() if taken else tuple(_findings(parser, model.graph)),
    )


def _load(path: Path) -> Any:
    """The model of a file, without the weights that lie beside it."""
    onnx = load_onnx()
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise ExportError(f"{printable(str(path))}: {error.strerror}") from error
    except Exception as error:  # of protocol buffers, which has its own for each implementation
        raise ExportError(f"{printable(str(path))} is no ONNX graph") from error
    if not any(each.domain in _OWN_DOMAINS for each in model.opset_import):
        raise ExportError(f"{printable(str(path))} is no ONNX graph")
    return model


def _operators(graph: Any) -> Iterator[str]:
    """The operator of every node of a graph and of the graphs within, with a foreign domain."""
    for node in graph.node:
        yield node.op_type if node.domain in _OWN_DOMAINS else f"{node.domain}.{node.op_type}"
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from _operators(inner)


def _findings(parser: Parser, graph: Any) -> Iterator[Finding]:
    for index in range(parser.num_errors):
        error = parser.get_error(index)
        if error.node() < 0:
            yield Finding("", "", "model", _reason(error))
            continue
        around = error.local_function_stack()
        name = error.node_name()
        if not name and not around:
            name = next(iter(graph.node[error.node()].output), "")
        place = ", ".join(["graph", *around, f"node {error.node()}"])
        yield Finding(name, error.node_operator(), place, _reason(error))
    if not parser.num_errors:
        yield Finding("", "", "model", "it can't be parsed")


def _reason(error: ParserError) -> str:
    """The reason of a refusal: the kind of error and, where it says more, its first line."""
    kind = error.code().name.lower().replace("_", " ")
    # What it says first may be no more than which node is meant, or a condition that was false; the
    # driver that isn't there comes last, and is no reason.
    lines = [" ".join(line.split()) for line in error.desc().splitlines()]
    told = [
        line
        for line in lines
        if line not in ("", "false") and "catchCudaError" not in line and not _NAMED.match(line)
    ]
    return ": ".join([kind, *told[:1]])


def format_report(report: GraphReport) -> str:
    """A report as lines of plain text; what is found again and again is told once."""
    verdict = "acceptable to" if report.acceptable else "refused by"
    total = sum(report.nodes.values())
    counts = ", ".join(f"{count} {printable(name)}" for name, count in report.nodes.items())
    lines = [
        f"{printable(str(report.path))}: {verdict} TensorRT for RTX {report.version}",
        f"opset {report.opset}, IR version {report.ir_version}, {total} nodes: {counts}",
    ]
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault((finding.operator, finding.reason), []).append(finding)
    rows = []
    for (operator, reason), found in groups.items():
        first = found[0]
        at = f"{first.name} ({first.place})" if first.name else first.place
        rows.append((f"{len(found)}x", operator or "-", reason, f"first: {at}"))
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
