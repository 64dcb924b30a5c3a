"""``tempo-edge export`` from top to bottom, a step a line."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from tempo_edge.errors import ExportError
from tempo_edge.models.registry import Profile, load_profile, read_profile
from tempo_export.exporters import EXPORTERS
from tempo_export.report import Outcome, profile_outcome
from tempo_export.request import Progress, Request
from tempo_export.source import find_model

__all__ = ["check", "export", "verify"]


def export(request: Request, progress: Progress) -> Outcome:
    """From a model to what a device runs.

    A profile goes to its target's exporter, which converts, judges and installs. Of a checkpoint a
    profile is made first: written, calibrated where there are videos, and in its place when whole.

    Raises:
        ExportError: there is no such model, something that is needed was not given, or what was
            written was worse than was allowed.
    """
    request.validate()
    model = find_model(request.name, request.target)
    exporter = EXPORTERS[request.target]
    if isinstance(model, Profile):
        if model.layout is not None:
            raise ExportError(
                f"profile {model.name!r} searches as it was published: its graphs are not rewritten"
            )
        return exporter(model, request, progress)

    from tempo_export.calibration import calibrate
    from tempo_export.drafts import drafted
    from tempo_export.recipes import find_recipe

    recipe = find_recipe(model, request)
    final = request.precision == "fp32"
    with tempfile.TemporaryDirectory() as scratch:
        destination = request.destination(recipe.name) if final else Path(scratch) / recipe.name
        with drafted(destination, replace=request.replace) as draft:
            made = recipe.write(draft, progress)
            if request.videos is not None:
                calibrate(made, request.videos, progress)
        profile = read_profile(destination)
        if final:
            return profile_outcome(profile, {"precision": "fp32"})
        return exporter(profile, request, progress)


def check(request: Request) -> Outcome:
    """The verdict of TensorRT's parser on every graph of a profile, as ``--to tensorrt`` gives it.

    Raises:
        MissingExtraError: TensorRT for RTX, whose parser is asked, or onnx is not installed.
        ProfileError: there is no such profile.
    """
    from tempo_export.check import check_graph, format_report, load_parser
    from tempo_export.profile_engines import graphs_of, plain_graph

    load_parser()  # before anything is made for it
    profile = load_profile(request.name)
    reports = {}
    with tempfile.TemporaryDirectory() as scratch:
        for file in graphs_of(profile):
            plain = plain_graph(profile, file, Path(scratch))
            reports[file] = replace(check_graph(plain), path=Path(profile.name, file))
    text = "".join(f"{format_report(report).rstrip()}\n" for report in reports.values())
    facts = {file: report.to_json() for file, report in reports.items()}
    return Outcome(facts, text, all(report.acceptable for report in reports.values()))


def verify(request: Request) -> Outcome:
    """The difference of every provider here from the CPU.

    Raises:
        ProfileError: there is no such profile.
    """
    from tempo_export.verify import compare

    clips = None if request.videos is None else _videos(request.videos)
    found = compare(load_profile(request.name), clips)
    facts = {"providers": [each.to_json() for each in found]}
    return Outcome(facts, "".join(each.line() for each in found), all(each.good for each in found))


def _videos(folder: Path) -> list[Path]:
    """The videos that lie directly in a folder."""
    try:
        found = [path for path in folder.iterdir() if path.suffix in (".mp4", ".mkv", ".mov")]
    except OSError as error:
        raise ExportError(f"folder {folder} can't be read: {error}") from error
    if not found:
        raise ExportError(f"folder {folder} holds no videos")
    return sorted(found)
