"""What ``tempo-edge export`` does: finds the model, has it written, and says what came of it."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ExportError
from tempo_edge.models.checkpoint import Checkpoint, pulled_names, read_checkpoint
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.registry import (
    Profile,
    installed_profiles,
    load_profile,
    profile_names,
    read_profile,
)
from tempo_export.precision import Precision

__all__ = ["Request", "check", "export", "verify"]

#: Pictures that are read at most: chance needs no more.
_MOST = 2048

Say = Callable[[str], None]
Told = tuple[dict[str, Any], str, bool]


@dataclass(frozen=True)
class Request:
    """What was asked for; see ``tempo-edge export --help``."""

    name: str
    target: str = "onnx"
    precision: Precision = "fp32"
    out: Path | None = None
    pictures: Path | None = None
    videos: Path | None = None
    tolerance: float = 1.0
    replace: bool = False
    beside: str = "nano"
    adapter: Path | None = None
    size: int | None = None


def export(request: Request, say: Say) -> Told:
    """Write it; gives the report, its text and that all is well.

    Raises:
        ExportError: there is no such model, something that is needed was not given, or what was
            written was worse than was allowed.
    """
    _check_request(request)
    # To TensorRT goes the profile, which a pulled encoder shares its name with.
    engines = request.target == "tensorrt" and request.name in profile_names()
    if request.name in pulled_names() and not engines:
        return _of_checkpoint(request, say)
    if request.name not in profile_names():
        known = sorted({*profile_names(), *pulled_names()})
        raise ExportError(f"model {request.name!r} must be one of {known}")
    if request.target == "tensorrt":
        return _engines(request, say)
    profile = load_profile(request.name)
    return _converted(request, profile, f"{request.name}-{request.precision}", say)


def _check_request(request: Request) -> None:
    """That what is compared or fitted on makes sense and can be read, before anything takes time.

    Raises:
        TempoEdgeError: it doesn't, or can't.
    """
    from tempo_edge.evaluation.fitting import read_truth

    if not math.isfinite(request.tolerance):
        raise ExportError(f"tolerance {request.tolerance} must be a number of points")
    if request.videos is not None:
        read_truth(request.videos)


def check(request: Request) -> Told:
    """What TensorRT would make of every graph of a profile, as ``--to tensorrt`` would give it.

    Raises:
        MissingExtraError: TensorRT for RTX, whose parser is asked, or onnx is not installed.
        ProfileError: there is no such profile.
    """
    from tempo_export.check import check_graph, format_report, load_parser

    load_parser()  # before anything is made for it
    profile = load_profile(request.name)
    reports = {}
    with tempfile.TemporaryDirectory() as scratch:
        for file in filter(_is_graph, profile.files):
            plain = _for_tensorrt(profile, file, Path(scratch))
            reports[file] = replace(check_graph(plain), path=Path(profile.name, file))
    text = "".join(f"{format_report(report).rstrip()}\n" for report in reports.values())
    facts = {file: report.to_json() for file, report in reports.items()}
    return facts, text, all(report.acceptable for report in reports.values())


def _for_tensorrt(profile: Profile, file: str, folder: Path) -> Path:
    """A graph as TensorRT is given it, written to ``folder``.

    Weights that are stored compactly become what they are computed with: TensorRT takes eight bits
    only before DequantizeLinear. One that was quantised stays as it is.
    """
    from tempo_export.graphs import read_graph, write_graph
    from tempo_export.precision import expanded
    from tempo_export.typed import cast_first

    model = read_graph(profile.checked(file))
    quantised = any(node.op_type == "DequantizeLinear" for node in model.graph.node)
    write_graph(cast_first(model) if quantised else expanded(model), folder / file)
    return folder / file


def verify(request: Request) -> Told:
    """Whether every provider here gives what the CPU gives.

    Raises:
        ProfileError: there is no such profile.
    """
    from tempo_export.verify import compare

    clips = sorted(_films(request.videos)) if request.videos is not None else None
    found = compare(load_profile(request.name), clips)
    facts = {"providers": [each.to_json() for each in found]}
    return facts, "".join(each.line() for each in found), all(each.good for each in found)


def _films(folder: Path) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if path.suffix in (".mp4", ".mkv", ".mov")]
    except OSError as error:
        raise ExportError(f"folder {folder} can't be read: {error}") from error
    if not found:
        raise ExportError(f"folder {folder} holds no videos")
    return found


def _is_graph(file: str) -> bool:
    return file.endswith(".onnx")


def _of_checkpoint(request: Request, say: Say) -> Told:
    """A pulled model becomes a profile."""
    if request.target == "tensorrt":
        raise ExportError(f"export {request.name!r} to onnx first, then the profile to tensorrt")
    checkpoint = read_checkpoint(request.name)
    if checkpoint.kind == "grounder":
        return _of_grounder(request, checkpoint, say)
    return _of_encoder(request, checkpoint, say)


def _of_grounder(request: Request, checkpoint: Checkpoint, say: Say) -> Told:
    """A pulled grounder beside the towers of a profile: together they are another one."""
    from tempo_export.drafts import drafted, finish
    from tempo_export.vlm import attach

    if request.size is not None and request.size < 1:
        raise ExportError(f"size {request.size} must be at least 1 pixel")
    towers = load_profile(request.beside)
    if request.precision != "fp32":
        raise ExportError(
            f"precision {request.precision!r} of a grounder must be fp32 at first: export "
            "the profile that it makes again"
        )
    place = _place(request, f"{towers.name}-{checkpoint.name}")
    say(f"writing {checkpoint.name} beside {towers.name}")
    with drafted(place, replace=request.replace) as room:
        for file in towers.files:
            shutil.copyfile(towers.checked(file), room / file)
        attach(checkpoint, room, request.adapter, request.size)
        about = json.loads((towers.folder / "profile.json").read_text(encoding="utf-8"))
        about["name"] = place.name
        about["grounder"] = {
            "repository": checkpoint.repository,
            "revision": checkpoint.revision,
            "licence": checkpoint.licence,
            "adapter": None if request.adapter is None else sha256_of(request.adapter),
        }
        made = finish(room, about)
        if request.videos is not None:
            _calibrate(made, request.videos, say)
    return _told(read_profile(place), {"precision": "fp32"})


def _of_encoder(request: Request, checkpoint: Checkpoint, say: Say) -> Told:
    """A pulled encoder: first as a profile in float32, then at what was asked for."""
    from tempo_export.drafts import drafted
    from tempo_export.encoder import write_encoder

    if request.pictures is None:
        raise ExportError(
            f"model {request.name!r} needs --pictures DIR: by them a query's chance is judged"
        )
    pictures = _pictures(request, _image_size(checkpoint.folder))
    place = _place(request, request.name)
    if request.precision != "fp32":
        place = _place(request, f"{request.name}-{request.precision}")
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / request.name
        final = place if request.precision == "fp32" else full
        with drafted(final, replace=request.replace) as room:
            write_encoder(checkpoint, room, pictures, say)
            if request.videos is not None:
                _calibrate(read_profile(room), request.videos, say)
        if request.precision != "fp32":
            return _converted(request, read_profile(full), place.name, say)
    return _told(read_profile(place), {"precision": "fp32"})


def _image_size(folder: Path) -> int:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(config.get("vision_config", {}).get("image_size", 224))
    except (OSError, ValueError, AttributeError) as error:
        raise ExportError(f"{folder / 'config.json'} can't be read: {error}") from error


def _calibrate(profile: Profile, videos: Path, say: Say) -> None:
    """Fit a profile's confidence on videos whose moments are known."""
    from tempo_edge import Library
    from tempo_edge.evaluation import fitting

    say(f"calibrating {profile.name} on {videos}")
    queries = fitting.read_truth(videos)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Library.open(Path(scratch) / "library.db", profile=profile) as library,
    ):
        library.index([videos])
        contents = fitting.calibrate(library, queries, fitting.varied(queries, seed=0), seed=0)
    fitting.write(profile.folder, contents)


def _converted(request: Request, profile: Profile, name: str, say: Say) -> Told:
    from tempo_export.convert import Allowed, convert

    pictures = _pictures(request, profile.image_size)
    place = _place(request, name)
    report = convert(
        profile,
        place,
        request.precision,
        pictures=pictures,
        videos=request.videos,
        allowed=Allowed(points=request.tolerance),
        replace=request.replace,
        say=say,
    )
    return _told(read_profile(place), report)


def _pictures(request: Request, size: int) -> NDArray[np.uint8]:
    from tempo_export.pictures import read_pictures

    if request.pictures is None:
        raise ExportError("--pictures DIR is needed: real pictures, unrelated, any number")
    return read_pictures(request.pictures, size, _MOST)


def _place(request: Request, name: str) -> Path:
    return (request.out or installed_profiles()) / name


def _engines(request: Request, say: Say) -> Told:
    """TensorRT engines of every graph of a profile, beside the graphs that they were built from."""
    from tempo_export.engine import build_engine, this_machine

    profile = load_profile(request.name)
    if request.precision == "int4":
        raise ExportError("precision 'int4' must be fp32, fp16 or int8 for TensorRT")
    this_machine()  # before anything is made for it
    folder = _place(request, f"{request.name}-engines")
    if folder.exists() and not request.replace:
        raise ExportError(f"{folder} is there already: remove it, or say --replace")
    facts: dict[str, Any] = {}
    for file in filter(_is_graph, profile.files):
        say(f"{file}: building its engine")
        with tempfile.TemporaryDirectory() as scratch:
            plain = _for_tensorrt(profile, file, Path(scratch))
            folder.mkdir(parents=True, exist_ok=True)
            stem = file.removesuffix(".onnx")
            built = build_engine(plain, folder / f"{stem}.engine", precision=request.precision)
        say(built.shell_line)
        facts[file] = {"engine": built.engine, "sha256": built.engine_sha256, "key": built.key}
    return facts, "".join(f"{each['engine']}\n" for each in facts.values()), True


def _told(profile: Profile, report: dict[str, Any]) -> Told:
    """The report, and lines on it."""
    report = {"profile": profile.name, "folder": str(profile.folder), **report}
    lines = [f"{profile.name}: {profile.folder}"]
    for file, facts in report.get("graphs", {}).items():
        line = f"  {file}: {facts['precision']}, {_size(facts['bytes'])}"
        if "milliseconds" in facts:
            took, cosine = facts["milliseconds"], facts["cosine"]
            line += f", {took['before']:.1f} to {took['after']:.1f} ms"
            line += f", cosines {cosine['least']:.4f} at least, {cosine['mean']:.4f} on average"
        if facts.get("left_in_fp32"):
            line += f", {len(facts['left_in_fp32'])} of {facts['layers']} layers left in fp32"
        lines.append(line)
    for grounder, figures in report.get("search", {}).items():
        if grounder != "videos":
            lines.append(_searched(grounder, figures))
    if "calibration.json" not in profile.files:
        lines.append("  not calibrated yet: nothing can be searched with it; see --videos")
    return report, "\n".join(lines) + "\n", True


def _searched(grounder: str, figures: dict[str, Any]) -> str:
    before, after = figures["before"], figures["after"]
    return (
        f"  {grounder}: R1@0.7 {before['r1_at_0.7']:.1f} to {after['r1_at_0.7']:.1f}, refused "
        f"{before['refused']:.1f} to {after['refused']:.1f}, the same answer to "
        f"{figures['same_answer']} of {after['queries']}"
    )


def _size(counts: dict[str, int]) -> str:
    return f"{counts['before'] / 1e6:.1f} to {counts['after'] / 1e6:.1f} MB"
