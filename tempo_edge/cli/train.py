"""``tempo-edge train``: the trainings of the grounder, each from one YAML file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tempo_edge._extras import lacking
from tempo_edge._pulse import narrated
from tempo_edge._text import emit, note
from tempo_edge.cli.command import Command
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.train.progress_log import Clock

__all__ = ["app"]

app = typer.Typer(
    name="train",
    help="Teach the grounder: SFT, then PIR-GRPO; and measure.",
    rich_markup_mode=None,
)

SettingsArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[YAML]", help="Settings; what it leaves out keeps its own value."),
]
DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Folder with the picture archives.")
]
WorkOption = Annotated[
    Path, typer.Option("--work", metavar="DIR", help="Folder for encoded pictures.")
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoints, log and curves.")
]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="NAME", show_default=False, help="cpu, or cuda.")
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", metavar="N", show_default=False, help="CPU threads; all cores.")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="In place of the settings' own.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="Profile whose towers it reads with.")
]


@app.command(cls=Command)
def sft(
    data: DataOption,
    work: WorkOption,
    out: OutOption,
    settings: SettingsArgument = None,
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="FILE", help="Checkpoint to start from; else at random."),
    ] = None,
    seed: SeedOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 0,
    profile: ProfileOption = "nano",
) -> None:
    """Teach a decoder to say the right answers, refusals included. It can be interrupted."""
    _prepare(threads, device)
    from tempo_edge.models import load_profile
    from tempo_edge.train.grounder import runs
    from tempo_edge.train.grounder.sft import SftSettings
    from tempo_edge.train.settings import choose_settings

    chosen = choose_settings(settings, SftSettings, seed)
    with _one_line(), narrated(note) as say:
        best = runs.sft(
            chosen,
            data,
            work,
            out,
            load_profile(profile),
            start=start,
            device=device,
            say=Clock(say),
        )
    emit(f"{best}\n")


@app.command("pir-grpo", cls=Command)
def pir_grpo(
    start: Annotated[
        Path, typer.Option("--start", metavar="FILE", help="Checkpoint to start from.")
    ],
    data: DataOption,
    work: WorkOption,
    out: OutOption,
    settings: SettingsArgument = None,
    seed: SeedOption = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 0,
    profile: ProfileOption = "nano",
) -> None:
    """Let a decoder learn from what its own answers earn. It can be interrupted."""
    _prepare(threads, device)
    from tempo_edge.models import load_profile
    from tempo_edge.train.grounder import runs
    from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
    from tempo_edge.train.settings import choose_settings

    chosen = choose_settings(settings, GrpoSettings, seed)
    with _one_line(), narrated(note) as say:
        best = runs.pir_grpo(
            chosen, start, data, work, out, load_profile(profile), device=device, say=Clock(say)
        )
    emit(f"{best}\n")


@app.command(cls=Command)
def evaluate(
    settings: Annotated[
        Path, typer.Argument(metavar="YAML", help="What to measure: videos, annotations, grounder.")
    ],
    library: Annotated[
        Path, typer.Option("--library", metavar="FILE", help="Library of the videos; made if new.")
    ],
    profile: ProfileOption = "nano",
) -> None:
    """Measure grounding and refusals on annotated videos. Prints one JSON object."""
    from tempo_edge.train.grounder.evaluate import EvaluateSettings
    from tempo_edge.train.grounder.evaluate import evaluate as measure
    from tempo_edge.train.settings import read_settings

    chosen = read_settings(settings, EvaluateSettings)
    with narrated(note) as say:
        measured = measure(chosen, settings.parent, library, profile, Clock(say))
    emit(json.dumps(measured, indent=1) + "\n")


@app.command(cls=Command)
def export(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="The best of a run: its best.pt.")
    ],
    folder: Annotated[
        Path, typer.Option("--profile-dir", metavar="DIR", help="Profile folder to write into.")
    ],
    storage: Annotated[
        str, typer.Option("--storage", metavar="KIND", help="int8, fp16 or fp32 weights.")
    ] = "int8",
) -> None:
    """Write a trained decoder into a profile, for find to read with."""
    _prepare(1)
    from tempo_edge.train.grounder import runs

    with _one_line(), narrated(note):
        lines = runs.export(checkpoint, folder, storage)
    for line in lines:
        note(line)


@contextmanager
def _one_line() -> Iterator[None]:
    """What the file system refuses is an error like any other."""
    try:
        yield
    except OSError as error:
        raise TempoEdgeError(str(error)) from error


def _prepare(threads: int, device: str = "cpu") -> None:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(lacking(error.name or "torch")) from error
    from tempo_edge.models.sessions import cpu_count

    if device not in ("cpu", "cuda"):
        raise TempoEdgeError(f"device {device!r} must be cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise TempoEdgeError("device 'cuda' can't be used: this PyTorch finds no CUDA GPU")
    if threads < 0:
        raise TempoEdgeError(f"threads {threads} must be at least 1, or 0 for all cores")
    torch.set_num_threads(threads or cpu_count())
