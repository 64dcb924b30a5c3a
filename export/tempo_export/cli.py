"""``tempo-edge export``: from a pulled model or a profile to what a device runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tempo_edge._console.pulse import narrated
from tempo_edge._console.text import emit, json_line, note
from tempo_edge.cli.command import Command
from tempo_edge.errors import ExportError

if TYPE_CHECKING:
    from tempo_export.precision import Precision

__all__ = ["app", "export"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A profile, or a pulled model.")]
_To = Annotated[
    str, typer.Option("--to", metavar="NAME", show_default=False, help="onnx, or tensorrt.")
]
_Precision = Annotated[
    str,
    typer.Option(
        "--precision", metavar="NAME", show_default=False, help="fp32, fp16, int8 or int4."
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Where it goes; by default where profiles lie."),
]
_Pictures = Annotated[
    Path | None,
    typer.Option("--pictures", metavar="DIR", help="Real pictures, unrelated, any number."),
]
_Videos = Annotated[
    Path | None,
    typer.Option(
        "--videos", metavar="DIR", help="Videos with a truth.jsonl, to calibrate or compare on."
    ),
]
_Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance", metavar="P", show_default=False, help="Points of R1@0.7 that may be lost; 1."
    ),
]
_Beside = Annotated[
    str,
    typer.Option(
        "--beside",
        metavar="NAME",
        show_default=False,
        help="Of a grounder: the profile whose towers it goes beside; nano.",
    ),
]
_Adapter = Annotated[
    Path | None,
    typer.Option("--adapter", metavar="FILE", help="Of a grounder: what PIR-GRPO saved."),
]
_Size = Annotated[
    int | None,
    typer.Option("--size", metavar="PX", help="Of a grounder: a picture's side in pixels."),
]
_Replace = Annotated[
    bool, typer.Option("--replace", help="Let it take the place of an earlier one.")
]
_Check = Annotated[
    bool, typer.Option("--check", help="Only say what TensorRT would make of each graph.")
]
_Verify = Annotated[
    bool, typer.Option("--verify", help="Only compare what each provider here gives.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@app.command(cls=Command)
def export(
    name: _Name,
    to: _To = "onnx",
    precision: _Precision = "fp32",
    out: _Out = None,
    pictures: _Pictures = None,
    videos: _Videos = None,
    tolerance: _Tolerance = 1.0,
    beside: _Beside = "nano",
    adapter: _Adapter = None,
    size: _Size = None,
    replace: _Replace = False,
    check: _Check = False,
    verify: _Verify = False,
    as_json: _Json = False,
) -> None:
    """Write a model as ONNX at a precision, or as TensorRT engines, with its figures."""
    from tempo_export import pipeline
    from tempo_export.exporters import EXPORTERS
    from tempo_export.precision import PRECISIONS
    from tempo_export.request import Request

    for value, allowed, what in ((to, EXPORTERS, "target"), (precision, PRECISIONS, "precision")):
        if value not in allowed:
            raise ExportError(f"{what} {value!r} must be one of {', '.join(allowed)}")
    request = Request(
        name=name,
        target=to,
        precision=cast("Precision", precision),
        out=out,
        pictures=pictures,
        videos=videos,
        tolerance=tolerance,
        replace=replace,
        beside=beside,
        adapter=adapter,
        size=size,
    )
    with narrated(note) as progress:
        if check:
            outcome = pipeline.check(request)
        elif verify:
            outcome = pipeline.verify(request)
        else:
            outcome = pipeline.export(request, progress)
    emit(json_line(outcome.facts) if as_json else outcome.text)
    if not outcome.good:
        raise typer.Exit(1)
