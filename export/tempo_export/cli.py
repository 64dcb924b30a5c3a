"""``tempo-edge export``: from a pulled model or a profile to what a device runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from tempo_edge._pulse import narrated
from tempo_edge._text import emit, json_line, note
from tempo_edge.cli.command import Command
from tempo_edge.errors import ExportError

if TYPE_CHECKING:
    from tempo_export.precision import Precision

__all__ = ["app", "export"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_TARGETS = ("onnx", "tensorrt")


@app.command(cls=Command)
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A profile, or a pulled model.")],
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", show_default=False, help="onnx, or tensorrt.")
    ] = "onnx",
    precision: Annotated[
        str,
        typer.Option(
            "--precision", metavar="NAME", show_default=False, help="fp32, fp16, int8 or int4."
        ),
    ] = "fp32",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where it goes; by default where profiles lie."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Real pictures, unrelated, any number."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            "--videos", metavar="DIR", help="Videos with a truth.jsonl, to calibrate or compare on."
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance",
            metavar="P",
            show_default=False,
            help="Points of R1@0.7 that may be lost; 1.",
        ),
    ] = 1.0,
    beside: Annotated[
        str,
        typer.Option(
            "--beside",
            metavar="NAME",
            show_default=False,
            help="Of a grounder: the profile whose towers it goes beside; nano.",
        ),
    ] = "nano",
    adapter: Annotated[
        Path | None,
        typer.Option("--adapter", metavar="FILE", help="Of a grounder: what PIR-GRPO saved."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="PX", help="Of a grounder: a picture's side in pixels."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let it take the place of an earlier one.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what TensorRT would make of each graph.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only compare what each provider here gives.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Write a model as ONNX at a precision, or as TensorRT engines, with its figures."""
    from tempo_export import run
    from tempo_export.precision import PRECISIONS

    for value, allowed, what in ((to, _TARGETS, "target"), (precision, PRECISIONS, "precision")):
        if value not in allowed:
            raise ExportError(f"{what} {value!r} must be one of {', '.join(allowed)}")
    request = run.Request(
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
    report: dict[str, Any]
    with narrated(note) as say:
        if check:
            report, text, good = run.check(request)
        elif verify:
            report, text, good = run.verify(request)
        else:
            report, text, good = run.export(request, say)
    emit(json_line(report) if as_json else text)
    if not good:
        raise typer.Exit(1)
