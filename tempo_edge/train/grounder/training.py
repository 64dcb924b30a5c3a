"""Trainings of the grounder from beginning to end: SFT, then PIR-GRPO."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tempo_edge.models import Profile
from tempo_edge.train.data.archives import Archive
from tempo_edge.train.grounder.annotated_windows import (
    AnnotatedVideos,
    AnnotatedWindows,
    indexed_annotations,
    open_annotated,
)
from tempo_edge.train.grounder.examples import ExampleSource
from tempo_edge.train.grounder.grpo.nano_policy import NanoPolicy
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings, PirGrpo
from tempo_edge.train.grounder.grpo.quotas import shares_of_annotated
from tempo_edge.train.grounder.held_out_windows import HeldOutWindows, dev_score
from tempo_edge.train.grounder.model.checkpoint_files import load_grounder, save_grounder
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.prompt_builder import PromptBuilder
from tempo_edge.train.grounder.sft import Sft, SftSettings
from tempo_edge.train.grounder.synthetic import feature_bank
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.windows import SyntheticWindows
from tempo_edge.train.progress_log import Say
from tempo_edge.train.run_folder import RunFolder, TrainingRun

__all__ = ["Places", "dev_windows", "pir_grpo", "sft"]


@dataclasses.dataclass(frozen=True)
class Places:
    """The folders of a run.

    Attributes:
        data: holds the archives of captioned pictures.
        work: keeps encoded pictures from run to run.
        out: the run's own, for checkpoints, log and curves.
        settings: the one that the settings' file is in; paths in it are relative to that.
    """

    data: Path
    work: Path
    out: Path
    settings: Path = dataclasses.field(default_factory=Path)


def sft(
    settings: SftSettings,
    places: Places,
    profile: Profile,
    *,
    start: Path | None = None,
    device: str = "cpu",
    trials: int = 2000,
    say: Say = print,
) -> Path:
    """Fine-tune on right answers, from the checkpoint `start` if there is one.

    Returns the checkpoint that was best on `trials` windows of dev; the last one if that is 0.
    """
    prompt_builder = PromptBuilder(profile)
    with _source(settings, places, profile, say) as source:
        dev = None
        if trials:
            dev = dev_windows(settings.mix, places, profile, prompt_builder, trials, say)
        model = None if start is None else load_grounder(start)
        run = Sft(source, prompt_builder, settings, device, model)
        about = _about(settings, start)
        return _follow(run, run.model, settings.steps, dev, RunFolder(places.out, about), say)


def pir_grpo(
    settings: GrpoSettings,
    start: Path,
    places: Places,
    profile: Profile,
    *,
    device: str = "cpu",
    trials: int = 2000,
    say: Say = print,
) -> Path:
    """Go on from the checkpoint `start` with PIR-GRPO.

    Returns the checkpoint that was best on `trials` windows of dev; the last one if that is 0.
    """
    prompt_builder = PromptBuilder(profile)
    with _source(settings, places, profile, say) as source:
        dev = None
        if trials:
            dev = dev_windows(settings.mix, places, profile, prompt_builder, trials, say)
        policy = NanoPolicy(load_grounder(start).to(device), prompt_builder)
        shares = shares_of_annotated(settings.mix) if settings.videos.library else None
        run = PirGrpo(policy, source, settings, shares)
        about = _about(settings, start)
        return _follow(run, policy.model, settings.steps, dev, RunFolder(places.out, about), say)


@contextmanager
def _source(
    settings: SftSettings | GrpoSettings, places: Places, profile: Profile, say: Say
) -> Iterator[ExampleSource]:
    """The examples to train on: of annotated videos if the settings name any, else made up."""
    videos = settings.videos
    if not videos.library:
        bank = _train_bank(places, profile, settings.archives, say)
        yield SyntheticWindows(bank, settings.mix)
        return
    path, table = places.settings / videos.library, places.settings / videos.annotations
    with open_annotated(path, table, profile, videos.kind) as (library, annotations):
        annotated = indexed_annotations(library, annotations)
        say(f"{len(annotated)} of {len(annotations)} annotations are of {path}")
        yield AnnotatedWindows(library, annotated, settings.mix)


def _train_bank(
    places: Places, profile: Profile, archives: Sequence[str], say: Say
) -> feature_bank.FeatureBank:
    """The pictures to train on, encoded once and kept in the work folder."""
    banks = []
    for name in archives:
        with Archive(places.data, name) as archive:
            banks.append(feature_bank.build(places.work, profile, archive, "train", say=say))
    return feature_bank.join(banks)


def dev_windows(
    mix: Mix,
    places: Places,
    profile: Profile,
    prompt_builder: PromptBuilder,
    count: int,
    say: Say,
    *,
    reported: bool = False,
) -> HeldOutWindows:
    """Windows of dev's first half, with as many shots as those of `mix` and otherwise plain.

    Nothing is added there to what the towers say. The other half of dev's pictures is for reports
    on what was chosen on the first: they are drawn from that if `reported`.
    """
    with Archive(places.data, "flickr8k") as archive:
        whole = feature_bank.build(places.work, profile, archive, "dev", say=say)
    bank = feature_bank.halves(whole)[int(reported)]
    plain = Mix(shots=mix.shots, looks=mix.looks)
    return HeldOutWindows(SyntheticWindows(bank, plain), prompt_builder, count=count)


def _about(settings: SftSettings | GrpoSettings, start: Path | None) -> dict[str, Any]:
    """The settings as the run's folder keeps them."""
    about = dataclasses.asdict(settings)
    if settings.videos == AnnotatedVideos():
        del about["videos"]  # a folder that was begun before there was this setting goes on
    return {**about, "start": start and start.name}


def _follow(
    run: TrainingRun,
    model: GrounderNetwork,
    steps: int,
    dev: HeldOutWindows | None,
    folder: RunFolder,
    say: Say,
) -> Path:
    """Train `model` to the end, from where the folder was left; returns the best checkpoint.

    The last one counts where there are no windows to choose by.
    """
    if dev is None:
        folder.finish(run, steps, say)
        save_grounder(folder.best, model, {})
        return folder.best
    folder.resume(run, say)
    floor = ", ".join(f"{name} {value:g}" for name, value in dev.best_threshold()[1].items())
    say(f"what similarity alone makes of dev's windows: {floor}")
    while run.step < steps:
        means = run.train(say)
        row = {"step": float(run.step), **means, **dev(model)}
        run.curves.append(row)
        say(", ".join(f"{name} {value:g}" for name, value in row.items()))
        if dev_score(row) >= max(dev_score(each) for each in run.curves):
            save_grounder(folder.best, model, row)
        folder.save(run.state(), run.curves)
    return folder.best
