"""``tempo-edge train``: the trainings of the grounder, on made-up windows or a person's footage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.pulse import narrated
from tempo_edge._console.text import emit, note
from tempo_edge._extras import lacking
from tempo_edge.cli.command import Command
from tempo_edge.cli.option_groups import with_groups
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.train.progress_log import ProgressLog

if TYPE_CHECKING:
    from tempo_edge.train.grounder import own_footage, training

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
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoints, log and curves.")
]
ProfileOption = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="Profile whose towers it reads with.")
]
OwnProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile whose towers it reads with; else nano, or that of the library.",
    ),
]


@dataclass(frozen=True)
class _Folders:
    """The folders of a run on made-up windows, or the footage of a run on a person's own."""

    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Folder with the picture archives."),
    ] = None
    work: Annotated[
        Path | None, typer.Option("--work", metavar="DIR", help="Folder for encoded pictures.")
    ] = None
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            metavar="FILE",
            help="Library of your own footage, in place of --data and --work.",
        ),
    ] = None
    annotations: Annotated[
        Path | None,
        typer.Option(
            "--annotations",
            metavar="FILE",
            help="What that shows: a CSV of path,start,end,sentence, or as QVHighlights, "
            "ActivityNet or Charades have it.",
        ),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Folder for checkpoints, log and curves; beside the library if not given.",
        ),
    ] = None

    @property
    def own(self) -> bool:
        """Whether a person's own footage is asked for.

        Raises:
            TempoEdgeError: it can't be told, or something is missing for either.
        """
        made_up, own = (self.data, self.work), (self.library, self.annotations)
        if all(own) and not any(made_up):
            return True
        if all(made_up) and self.out and not any(own):
            return False
        raise TempoEdgeError(
            "give --data, --work and --out for made-up windows, "
            "or --library and --annotations for footage of your own"
        )

    def places(self, settings: Path | None) -> training.Places:
        """The folders of a run on made-up windows."""
        from tempo_edge.train.grounder import training

        assert self.data and self.work and self.out
        return training.Places(self.data, self.work, self.out, _folder_of(settings))

    def footage(self, name: str, profile: str | None) -> own_footage.Footage:
        """The footage of a run on a person's own; `name` is that of the training."""
        from tempo_edge.train.grounder import own_footage

        assert self.library and self.annotations
        beside = self.library.with_name(f"{self.library.stem}-{name}")
        return own_footage.Footage(self.library, self.annotations, self.out or beside, profile)


@dataclass(frozen=True)
class _Machine:
    """The seed of a run, and what it computes on."""

    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="In place of the settings' own.")
    ] = None
    device: Annotated[
        str,
        typer.Option(
            "--device", metavar="NAME", help="cpu, cuda, or auto: a GPU where there is one."
        ),
    ] = "auto"
    threads: Annotated[
        int,
        typer.Option("--threads", metavar="N", show_default=False, help="CPU threads; all cores."),
    ] = 0

    def prepare(self) -> str:
        """Let PyTorch compute on it; returns the device, cpu or cuda.

        Raises:
            MissingExtraError: PyTorch or Transformers is not installed.
            TempoEdgeError: there is no such device, or no such number of threads.
        """
        return _prepare(self.threads, self.device)


@app.command(cls=Command)
@with_groups
def sft(
    folders: _Folders,
    settings: SettingsArgument = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start",
            metavar="FILE",
            help="Checkpoint to start from; else at random, or on your own footage "
            "from the profile's decoder.",
        ),
    ] = None,
    *,
    machine: _Machine,
    profile: OwnProfileOption = None,
) -> None:
    """Teach a decoder to say the right answers, refusals included. It can be interrupted."""
    device = machine.prepare()
    from tempo_edge.models import load_profile
    from tempo_edge.train.grounder import own_footage, training
    from tempo_edge.train.grounder.sft import SftSettings
    from tempo_edge.train.settings import choose_settings

    own = folders.own
    plain = own_footage.SFT if own else None
    chosen = choose_settings(settings, SftSettings, machine.seed, plain)
    with _one_line(), narrated(note) as tell:
        say = ProgressLog(tell)
        if own:
            footage = folders.footage("sft", profile)
            taught = own_footage.sft(
                chosen, footage, start=start, few=settings is None, device=device, say=say
            )
            emit(taught.report)
            best = taught.checkpoint
        else:
            places, towers = folders.places(settings), load_profile(profile or "nano")
            best = training.sft(chosen, places, towers, start=start, device=device, say=say)
    emit(f"{best}\n")


@app.command("pir-grpo", cls=Command)
@with_groups
def pir_grpo(
    folders: _Folders,
    settings: SettingsArgument = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start",
            metavar="FILE",
            help="Checkpoint to start from; on your own footage else the profile's decoder.",
        ),
    ] = None,
    *,
    machine: _Machine,
    profile: OwnProfileOption = None,
) -> None:
    """Let a decoder learn from what its own answers earn. It can be interrupted."""
    device = machine.prepare()
    from tempo_edge.models import load_profile
    from tempo_edge.train.grounder import own_footage, training
    from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
    from tempo_edge.train.settings import choose_settings

    own = folders.own
    plain = own_footage.GRPO if own else None
    chosen = choose_settings(settings, GrpoSettings, machine.seed, plain)
    with _one_line(), narrated(note) as tell:
        say = ProgressLog(tell)
        if own:
            footage = folders.footage("pir-grpo", profile)
            taught = own_footage.pir_grpo(
                chosen, footage, start=start, few=settings is None, device=device, say=say
            )
            emit(taught.report)
            best = taught.checkpoint
        elif start is None:
            raise TempoEdgeError("give --start a checkpoint: best.pt of train sft")
        else:
            places, towers = folders.places(settings), load_profile(profile or "nano")
            best = training.pir_grpo(chosen, start, places, towers, device=device, say=say)
    emit(f"{best}\n")


@app.command("hub", cls=Command)
@with_groups
def hub(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder of a checkpoint, as models pull has it.")
    ],
    data: DataOption,
    out: OutOption,
    machine: _Machine,
    settings: SettingsArgument = None,
) -> None:
    """Let an adapter of a hub model learn by PIR-GRPO. It can be interrupted."""
    device = machine.prepare()
    from tempo_edge.train.hub import training
    from tempo_edge.train.settings import choose_settings

    chosen = choose_settings(settings, training.HubSettings, machine.seed)
    with _one_line(), narrated(note) as say:
        last = training.train(chosen, model, data, out, device=device, say=ProgressLog(say))
    emit(f"{last}\n")


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
        measured = measure(chosen, settings.parent, library, profile, ProgressLog(say))
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
    from tempo_edge.train.grounder import profile_export

    with _one_line(), narrated(note):
        lines = profile_export.export_grounder(checkpoint, folder, storage)
    for line in lines:
        note(line)


def _folder_of(settings: Path | None) -> Path:
    """The folder that paths in the settings are relative to."""
    return Path() if settings is None else settings.parent


@contextmanager
def _one_line() -> Iterator[None]:
    """What the file system refuses is an error like any other."""
    try:
        yield
    except OSError as error:
        raise TempoEdgeError(str(error)) from error


def _prepare(threads: int, device: str = "cpu") -> str:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(lacking(error.name or "torch")) from error
    from tempo_edge._cores import cpu_count

    if device not in ("auto", "cpu", "cuda"):
        raise TempoEdgeError(f"device {device!r} must be auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise TempoEdgeError("device 'cuda' can't be used: this PyTorch finds no CUDA GPU")
    if threads < 0:
        raise TempoEdgeError(f"threads {threads} must be at least 1, or 0 for all cores")
    torch.set_num_threads(threads or cpu_count())
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
