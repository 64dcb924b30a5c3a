"""Whether TensorRT would take an ONNX graph, told without TensorRT.

The check knows the documented limits of the ONNX parser and no more: a graph that it refuses will
not be parsed, or not as it is meant; one that it takes may still fail where an engine is built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tempo_edge._text import printable
from tempo_edge.errors import TempoEdgeError
from tempo_export.operators import Support, read_support
from tempo_export.rules import Severity, Use, objections
from tempo_export.values import Scope, type_name

__all__ = ["Finding", "GraphError", "Report", "check_graph", "format_report"]

#: Under which name a node remembers the function that it was written in.
_FUNCTION = "tempo_export.function"
_OWN_DOMAINS = {"", "ai.onnx"}


class GraphError(TempoEdgeError):
    """A file is no ONNX graph, or can't be read."""


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against a graph.

    `name` is the node's, or its first output's where it has none; it is empty, and so is
    `operator`, for what concerns the model as a whole. `place` says in which graph the node stands.
    """

    severity: Severity
    name: str
    operator: str
    place: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What is in a graph, and what speaks against it.

    `version` is the TensorRT whose facts were used; `nodes` counts the nodes of each operator in
    the graph, its subgraphs and the functions that it calls.
    """

    path: Path
    version: str
    opset: int
    ir_version: int
    nodes: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def acceptable(self) -> bool:
        """Whether nothing in the graph is refused; there may be doubts."""
        return all(finding.severity != "refused" for finding in self.findings)

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


def check_graph(path: Path, *, version: str = "10") -> Report:
    """Check the ONNX graph in the file `path` against what TensorRT `version` documents.

    `version` is ``10`` for the newest release that is known, or a release such as ``10.3``. Weights
    outside the file are read only where their contents matter.

    Raises:
        ValueError: there are no facts for the version.
        GraphError: the file is missing or no ONNX graph.
    """
    support = read_support(version)
    model, opset = _load(path)
    border = frozenset(value.name for value in (*model.graph.input, *model.graph.output))
    walk = _Walk(support, opset, path.parent, border)
    findings = [*_of_model(model, opset, support), *walk.graph(model.graph, "graph", None)]
    if walk.untyped:
        reason = f"{walk.untyped} tensors have no known element type, which went unchecked"
        findings.append(Finding("doubtful", "", "", "model", reason))
    return Report(
        path=path,
        version=support.version,
        opset=opset,
        ir_version=model.ir_version,
        nodes=dict(walk.nodes.most_common()),
        findings=tuple(findings),
    )


def _load(path: Path) -> tuple[Any, int]:
    """The model with its functions written out and its types inferred, and its opset."""
    import onnx
    import onnx.inliner
    import onnx.shape_inference
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except OSError as error:
        raise GraphError(f"{printable(str(path))}: {error.strerror}") from None
    except DecodeError:
        raise GraphError(f"{printable(str(path))} is no ONNX graph") from None
    opset = max((o.version for o in model.opset_import if o.domain in _OWN_DOMAINS), default=0)
    if not model.HasField("graph") or not opset:
        raise GraphError(f"{printable(str(path))} is no ONNX graph")
    for function in model.functions:
        for node in function.node:
            mark = node.metadata_props.add()
            mark.key, mark.value = _FUNCTION, f"{function.domain}.{function.name}"
    try:
        if model.functions:
            model = onnx.inliner.inline_local_functions(model, convert_version=True)
        return onnx.shape_inference.infer_shapes(model, data_prop=True), opset
    except (
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
        RuntimeError,
        ValueError,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise GraphError(f"{printable(str(path))}: {printable(reason)}") from None


def _of_model(model: Any, opset: int, support: Support) -> Iterator[Finding]:
    """What speaks against the opset, the inputs and the outputs."""

    def finding(severity: Severity, name: str | bytes, reason: str) -> Finding:
        return Finding(severity, _text(name), "", "model", reason)

    lowest, highest = support.lowest_opset, support.highest_opset
    if not lowest <= opset <= highest:
        yield finding("refused", "", f"opset {opset} must be from {lowest} to {highest}")
    elif opset > support.sure_opset:
        sure = support.sure_opset
        reason = f"opset {opset} is documented for a later version, {sure} for this one"
        yield finding("doubtful", "", reason)
    weights = {weight.name for weight in model.graph.initializer}
    asked = [value for value in model.graph.input if value.name not in weights]
    for side, values in (("input", asked), ("output", model.graph.output)):
        for value in values:
            if not value.type.HasField("tensor_type"):
                yield finding("refused", value.name, f"{side} is no tensor")
                continue
            tensor = value.type.tensor_type
            kind = type_name(tensor.elem_type)
            if kind and kind not in support.tensors:
                yield finding("refused", value.name, f"{side} is {kind}")
            if side == "output":
                continue
            if not tensor.HasField("shape"):
                yield finding("refused", value.name, "input has no rank")
                continue
            for axis, size in enumerate(tensor.shape.dim):
                if not size.HasField("dim_value") and not size.dim_param:
                    reason = f"axis {axis} has neither size nor name for a profile of sizes"
                    yield finding("doubtful", value.name, reason)


def _text(name: str | bytes) -> str:
    """A name as text: one that is no UTF-8 comes as bytes."""
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


class _Walk:
    """Goes through a graph and all that it holds."""

    def __init__(self, support: Support, opset: int, folder: Path, border: frozenset[str]) -> None:
        self.support, self.opset, self.folder, self.border = support, opset, folder, border
        self.nodes: Counter[str] = Counter()
        self.untyped = 0

    def graph(self, graph: Any, place: str, outer: Scope | None) -> Iterator[Finding]:
        """What speaks against the nodes of a graph and of the graphs within."""
        scope = Scope(graph, self.folder, outer)
        for index, node in enumerate(graph.node):
            function = next((p.value for p in node.metadata_props if p.key == _FUNCTION), "")
            where = f"{place}, node {index}" + (f" of function {function}" if function else "")
            name = _text(node.name or next(iter(node.output), ""))
            own = node.domain in _OWN_DOMAINS
            operator = _text(node.op_type)
            if not own:
                operator = f"{_text(node.domain)}.{operator}"
            self.nodes[operator] += 1
            self.untyped += sum(1 for output in node.output if output and not scope.type(output))
            for severity, reason in self._node(node, scope, own):
                yield Finding(severity, name, operator, where, reason)
            for attribute in node.attribute:
                held = [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
                for inner in held:
                    yield from self.graph(inner, f"{attribute.name} of {name}", scope)

    def _node(self, node: Any, scope: Scope, own: bool) -> Iterator[tuple[Severity, str]]:
        """What speaks against a node itself."""
        version = self.support.version
        operator = self.support.operators.get(node.op_type) if own else None
        if not own:
            yield "refused", f"domain {_text(node.domain)} is not ONNX's own: it needs a plugin"
        elif operator is None:
            yield "refused", f"no operator of TensorRT {version}"
        elif not operator.supported:
            yield "refused", f"TensorRT {version} has none"
        elif self.support.lacks(operator):
            yield "refused", f"came with TensorRT {operator.since}, this is {version}"
        else:
            use = Use(node, operator, self.support, scope, self.opset, self.border)
            yield from objections(use)


def format_report(report: Report) -> str:
    """A report as lines of plain text; what is found again and again is told once."""
    verdict = "acceptable to" if report.acceptable else "refused by"
    total = sum(report.nodes.values())
    counts = ", ".join(f"{count} {printable(name)}" for name, count in report.nodes.items())
    lines = [
        f"{printable(str(report.path))}: {verdict} TensorRT {report.version}",
        f"opset {report.opset}, IR version {report.ir_version}, {total} nodes: {counts}",
    ]
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted(report.findings, key=lambda finding: finding.severity != "refused"):
        groups.setdefault((finding.severity, finding.operator, finding.reason), []).append(finding)
    rows = []
    for (severity, operator, reason), found in groups.items():
        first = found[0]
        at = f"{first.name} ({first.place})" if first.name else first.place
        rows.append((severity, f"{len(found)}x", operator or "-", reason, f"first: {at}"))
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
