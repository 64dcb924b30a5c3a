"""Exporters: what each target of ``tempo-edge export --to`` writes of a profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tempo_edge.errors import ExportError
from tempo_edge.models.registry import Profile, read_profile
from tempo_export.report import Outcome, engines_outcome, profile_outcome
from tempo_export.request import Progress, Request

__all__ = ["EXPORTERS", "Exporter"]

#: Writes a profile for a target; gives what came of it.
Exporter = Callable[[Profile, Request, Progress], Outcome]


def _onnx(profile: Profile, request: Request, progress: Progress) -> Outcome:
    """Another profile, at the precision that was asked for.

    Raises:
        ExportError: pictures are needed, or more was lost than is allowed.
    """
    from tempo_export.convert import Allowed, convert

    pictures = request.read_pictures(profile.image_size)
    destination = request.destination(f"{request.name}-{request.precision}")
    facts = convert(
        profile,
        destination,
        request.precision,
        pictures=pictures,
        videos=request.videos,
        allowed=Allowed(points=request.tolerance),
        replace=request.replace,
        progress=progress,
    )
    return profile_outcome(read_profile(destination), facts)


def _tensorrt(profile: Profile, request: Request, progress: Progress) -> Outcome:
    """TensorRT engines of every graph, beside the graphs that they were built from.

    Raises:
        MissingExtraError: TensorRT can't be used here.
        EngineError: there is no GPU, or TensorRT refuses a graph.
    """
    from tempo_export.profile_engines import build_engines

    if request.precision == "int4":
        raise ExportError("precision 'int4' must be fp32, fp16 or int8 for TensorRT")
    destination = request.destination(f"{request.name}-engines")
    built = build_engines(
        profile, destination, request.precision, replace=request.replace, progress=progress
    )
    return engines_outcome(built)


#: The exporter of each target, by the name that ``--to`` takes.
EXPORTERS: Mapping[str, Exporter] = {"onnx": _onnx, "tensorrt": _tensorrt}
