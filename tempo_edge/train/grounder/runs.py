"""Runs a training from beginning to end: its pictures, its checkpoints, its log and its curves."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from tempo_edge import _plots
from tempo_edge._files import atomic_write
from tempo_edge.models import Profile
from tempo_edge.models.profile_manifest import record_file
from tempo_edge.models.registry import read_profile
from tempo_edge.train import training_state
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.grounder.dev_windows import Trial, judged
from tempo_edge.train.grounder.grpo.nano_policy import NanoPolicy
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings, PirGrpo
from tempo_edge.train.grounder.model.network import Grounder, Shape
from tempo_edge.train.grounder.prompt_builder import Asker
from tempo_edge.train.grounder.sft import Sft, SftSettings
from tempo_edge.train.grounder.synthetic import feature_bank as banks
from tempo_edge.train.grounder.synthetic.feature_bank import Bank
from tempo_edge.train.grounder.synthetic.windows import MadeUp, Mix
from tempo_edge.train.onnx_graph import Storage

Say = Callable[[str], None]


class Run(Protocol):
    """A training that can be stopped and continued."""

    step: int
    curves: list[dict[str, float]]

    def train(self, say: Say) -> dict[str, float]: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...


def gather(
    data: Path, work: Path, profile: Profile, archives: Sequence[str], say: Say
) -> tuple[Bank, Bank]:
    """The pictures to train on, and those of dev, encoded once and kept in the work folder."""
    parts = []
    for name in archives:
        with Archive(data, name) as archive:
            parts.append(banks.build(work, profile, archive, "train", say=say))
    with Archive(data, "flickr8k") as archive:
        dev = banks.build(work, profile, archive, "dev", say=say)
    return banks.join(parts), dev


def sft(
    settings: SftSettings,
    data: Path,
    work: Path,
    out: Path,
    profile: Profile,
    *,
    start: Path | None = None,
    device: str = "cpu",
    trials: int = 400,
    say: Say = print,
) -> Path:
    """Fine-tune on right answers, from the checkpoint `start` if there is one.

    Returns the checkpoint that was best on dev.
    """
    source, asker, trial = _prepare(settings, data, work, profile, trials, say)
    run = Sft(source, asker, settings, device, None if start is None else load(start))
    about = {**dataclasses.asdict(settings), "start": start and start.name}
    return follow(run, run.model, settings.steps, trial, out, about, say)


def pir_grpo(
    settings: GrpoSettings,
    start: Path,
    data: Path,
    work: Path,
    out: Path,
    profile: Profile,
    *,
    device: str = "cpu",
    trials: int = 400,
    say: Say = print,
) -> Path:
    """Go on from the checkpoint `start` with PIR-GRPO; returns the one that was best on dev."""
    source, asker, trial = _prepare(settings, data, work, profile, trials, say)
    policy = NanoPolicy(load(start).to(device), asker)
    run = PirGrpo(policy, source, settings)
    about = {**dataclasses.asdict(settings), "start": start.name}
    return follow(run, policy.model, settings.steps, trial, out, about, say)


def _prepare(
    settings: SftSettings | GrpoSettings,
    data: Path,
    work: Path,
    profile: Profile,
    trials: int,
    say: Say,
) -> tuple[MadeUp, Asker, Trial]:
    """What is trained on, who asks, and what dev is tried with.

    Dev's windows are of the plain mix, with nothing added to what the towers say.
    """
    train, dev = gather(data, work, profile, settings.archives, say)
    asker = Asker(profile)
    plain = Mix(shots=settings.mix.shots, looks=settings.mix.looks)
    trial = Trial(MadeUp(dev, plain), asker, count=trials)
    return MadeUp(train, settings.mix), asker, trial


def follow(
    run: Run,
    model: Grounder,
    steps: int,
    trial: Trial,
    out: Path,
    about: dict[str, Any],
    say: Say,
) -> Path:
    """Train `model` to the end, from where `out` was left; returns the best checkpoint."""
    out.mkdir(parents=True, exist_ok=True)
    last, best = out / "last.pt", out / "best.pt"
    _same_settings(out / "settings.json", about)
    if last.exists():
        try:
            run.restore(training_state.load(last))
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{last} is of another run: {reason}: choose another folder") from error
        say(f"going on after step {run.step}")
    floor = ", ".join(f"{name} {value:g}" for name, value in trial.best_threshold()[1].items())
    say(f"what similarity alone makes of dev's windows: {floor}")
    while run.step < steps:
        means = run.train(say)
        row = {"step": float(run.step), **means, **trial(model)}
        run.curves.append(row)
        say(", ".join(f"{name} {value:g}" for name, value in row.items()))
        if judged(row) >= max(judged(each) for each in run.curves):
            # As `load` reads it.
            portable = {"shape": model.config(), "model": model.state_dict(), "figures": row}
            training_state.save(best, portable)
        training_state.save(last, {**run.state(), "shape": model.config()})
        write_log(out, run.curves)
    return best


def load(path: Path) -> Grounder:
    """The model of a checkpoint that :func:`follow` wrote, the best or the last one.

    Raises:
        DataError: the file is missing, or holds something else.
    """
    if not path.exists():
        raise DataError(f"{path} is missing")
    state = training_state.load(path)
    try:
        shape = {**state["shape"]}
        sizes = {name: int(shape[name]) for name in ("hidden", "layers", "heads", "inner")}
        model = Grounder(Shape(**sizes, dropout=float(shape["dropout"])))
        model.load_state_dict(state["model"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"{path} holds no grounder: {' '.join(str(error).split())}") from error
    return model


def export(checkpoint_path: Path, folder: Path, storage: str) -> list[str]:
    """Write ``grounder.onnx`` into a profile folder and enter its checksum; says what it did.

    Raises:
        DataError: there is no such storage, checkpoint or profile, or what was written in float32
            says something else than the checkpoint.
        ProfileError: the profile can't be read.
    """
    from tempo_edge.train.grounder.model import onnx_agreement
    from tempo_edge.train.grounder.model.decoder_graph import write

    if storage not in ("int8", "fp16", "fp32"):
        raise DataError(f"storage {storage!r} must be int8, fp16 or fp32")
    about = folder / "profile.json"
    if not about.exists():
        raise DataError(f"{folder} holds no profile.json")
    read_profile(folder)
    model, place = load(checkpoint_path).eval(), folder / "grounder.onnx"
    with atomic_write(place) as draft:
        write(draft, model, cast(Storage, storage))
        found = onnx_agreement.compare(model, draft)
        if storage == "fp32" and not found.logits <= onnx_agreement.TOLERANCE:
            raise DataError(
                f"logits of what was written differ by {found.logits:.2g} from the checkpoint's, "
                f"at most {onnx_agreement.TOLERANCE} is allowed"
            )
    record_file(folder, place.name)
    return [
        f"wrote {place}, {place.stat().st_size / 1e6:.1f} MB",
        f"logits within {found.logits:.2g} of torch's, the same first word to {found.same} of "
        f"{found.prompts} made-up prompts",
        "calibrate it next",
    ]


def _same_settings(path: Path, about: dict[str, Any]) -> None:
    """Refuse to go on with other settings than those that a folder was begun with."""
    text = json.dumps(about, indent=1, default=str) + "\n"
    if not path.exists():
        with atomic_write(path) as draft:
            draft.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise DataError(f"{path} was written for other settings: choose another folder")


def write_log(out: Path, curves: Sequence[dict[str, float]]) -> None:
    """Write ``log.jsonl`` and ``curves.png``, both replaced in one step."""
    lines = "".join(json.dumps(row) + "\n" for row in curves)
    with atomic_write(out / "log.jsonl") as draft:
        draft.write_text(lines, encoding="utf-8")
    draw(out / "curves.png", curves)


def draw(path: Path, curves: Sequence[dict[str, float]]) -> None:
    """Draw what a run optimised on the left, and what dev said of it on the right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    steps = [row["step"] for row in curves]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in ("answer", "when", "whether", "reward", "kl", "entropy", "refused"):
        if name in curves[0]:
            left.plot(steps, [row[name] for row in curves], marker=".", label=name)
    for name in ("r1_at_0.7", "answered", "false_alarms_easy", "false_alarms_hard", "reject_f1"):
        right.plot(steps, [row[name] for row in curves], marker=".", label=name)
    right.set(ylabel="percent, made-up dev windows", ylim=(0, 100))
    for axes in (left, right):
        axes.set(xlabel="step")
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    _plots.save(figure, path)
