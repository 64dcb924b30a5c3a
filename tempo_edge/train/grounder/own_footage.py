"""Trainings on a person's own annotated footage: a library, and a file of sentences.

The decoder of the library's profile goes on learning there, and is measured on videos that it did
not learn from. There are too few of those to choose a checkpoint by and to measure it, too, so none
is chosen: the rate falls to 0, and the last one counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from tempo_edge import Library
from tempo_edge.models import Profile
from tempo_edge.store.rows import FileRow
from tempo_edge.train.data.annotations import Annotation
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.annotated_windows import (
    SHORTEST_SECONDS,
    AnnotatedWindows,
    indexed_annotations,
    open_annotated,
    whole_video,
)
from tempo_edge.train.grounder.examples import ExampleSource
from tempo_edge.train.grounder.grpo.nano_policy import NanoPolicy
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings, PirGrpo
from tempo_edge.train.grounder.grpo.quotas import shares_of_annotated
from tempo_edge.train.grounder.held_out_windows import HeldOutWindows
from tempo_edge.train.grounder.model.checkpoint_files import load_grounder, save_grounder
from tempo_edge.train.grounder.model.decoder_weights import read_decoder
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.prompt_builder import PromptBuilder
from tempo_edge.train.grounder.run_length import PASSES, for_sentences
from tempo_edge.train.grounder.sft import Sft, SftSettings
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.progress_log import Say
from tempo_edge.train.run_folder import RunFolder, TrainingRun

__all__ = ["GRPO", "SFT", "Footage", "Taught", "pir_grpo", "sft", "split_by_video"]

_Settings = TypeVar("_Settings", SftSettings, GrpoSettings)

#: Settings without a file, for an hour on a laptop at most: of few sentences fewer steps are taken.
SFT = SftSettings(
    steps=1200,
    batch=8,
    every=120,
    learning_rate=1e-4,
    warmup=60,
    mix=Mix(absent=0.45, hard=0.75),
)
GRPO = GrpoSettings(steps=120, prompts=24, every=20, mix=Mix(absent=0.5, hard=0.85))

_HELD_OUT = 0.2  # of the videos
_MOST = 400  # questions that are asked of held-out videos
_PER_SENTENCE = 4  # of each sentence there, present or absent
_LOOKED_AT = 50  # questions, for one that asks for what is absent

#: The figures of the report by what each is called, where 85 % of what is there is answered.
_COLUMNS = {
    "r1_at_0.5_at_85": "R1@0.5",
    "r1_at_0.7_at_85": "R1@0.7",
    "mean_iou_at_85": "mIoU",
    "false_alarms_easy_at_85": "false alarms",
    "false_alarms_swap_at_85": "nearly true",
    "auroc": "AUROC",
}


@dataclass(frozen=True)
class Footage:
    """A library's file and its annotations', and the folder of the run.

    ``profile`` names the profile that the library is to be of; its own, if None.
    """

    library: Path
    annotations: Path
    out: Path
    profile: str | None = None


@dataclass(frozen=True)
class Taught:
    """What a training came to: its checkpoint, and a table of gain and loss."""

    checkpoint: Path
    report: str


@dataclass(frozen=True)
class _Opened:
    """An open library, with what is learned from, of how many sentences, and what is asked."""

    profile: Profile
    prompt_builder: PromptBuilder
    source: AnnotatedWindows
    sentences: int
    mix: Mix
    held_out: HeldOutWindows


def sft(
    settings: SftSettings,
    footage: Footage,
    *,
    start: Path | None = None,
    few: bool = False,
    device: str = "cpu",
    say: Say = print,
) -> Taught:
    """Fine-tune on right answers, from the checkpoint `start` or the profile's own decoder.

    Of few sentences `few` takes fewer steps than the settings say.

    Raises:
        DataError: an annotation can't be read, the library has fewer than two of the videos, or
            the folder is of another run.
    """
    with _opened(footage, settings.mix, settings.seed, say) as opened:
        settings = dataclasses.replace(settings, mix=opened.mix)
        if few:
            settings = _for_sentences(settings, opened.sentences, say)
        model = _begun(opened.profile, start)
        run = Sft(opened.source, opened.prompt_builder, settings, device, model)
        folder = _folder(footage, settings, start)
        return _follow(run, run.model, settings.steps, opened, folder, say)


def pir_grpo(
    settings: GrpoSettings,
    footage: Footage,
    *,
    start: Path | None = None,
    few: bool = False,
    device: str = "cpu",
    say: Say = print,
) -> Taught:
    """Go on with PIR-GRPO, from the checkpoint `start` or the profile's own decoder.

    `few` is as in :func:`sft`.

    Raises:
        DataError: as :func:`sft`, or there is nothing to start from.
    """
    with _opened(footage, settings.mix, settings.seed, say) as opened:
        settings = dataclasses.replace(settings, mix=opened.mix)
        if few:
            settings = _for_sentences(settings, opened.sentences, say)
        model = _begun(opened.profile, start)
        if model is None:
            raise DataError(
                f"profile {opened.profile.name!r} has no decoder to go on with: "
                f"give --start the checkpoint of train sft"
            )
        policy = NanoPolicy(model.to(device), opened.prompt_builder)
        run = PirGrpo(policy, opened.source, settings, shares_of_annotated(opened.mix))
        folder = _folder(footage, settings, start)
        return _follow(run, model, settings.steps, opened, folder, say)


def split_by_video(
    annotated: Sequence[tuple[Annotation, FileRow]], seed: int
) -> tuple[list[tuple[Annotation, FileRow]], list[tuple[Annotation, FileRow]]]:
    """The annotations of videos to learn from, and those of a fifth of the videos, held out.

    Raises:
        DataError: they are of one video.
    """
    videos = sorted({row.video_id for _, row in annotated if row.video_id is not None})
    if len(videos) < 2:
        raise DataError(
            "the annotations are of 1 video: at least 2 are needed, to learn from and to measure on"
        )
    count = max(1, round(_HELD_OUT * len(videos)))
    drawn = np.random.default_rng(seed).choice(len(videos), count, replace=False)
    held = {videos[place] for place in drawn}
    return (
        [(each, row) for each, row in annotated if row.video_id not in held],
        [(each, row) for each, row in annotated if row.video_id in held],
    )


def usable_annotations(
    library: Library, annotations: Sequence[Annotation], say: Say
) -> list[tuple[Annotation, FileRow]]:
    """The annotations that a library's videos have windows for, under their files' own paths.

    A line tells of each span or video that is left out.

    Raises:
        DataError: none is left, or one could be of several files.
    """
    found = indexed_annotations(library, annotations)
    known = {id(annotation) for annotation, _ in found}
    missing = sorted({each.video for each in annotations if id(each) not in known})
    if missing:
        say(f"left out: {', '.join(missing[:5])}{', …' if missing[5:] else ''}: not in the library")
    windows = {
        row.video_id: whole_video(library, row.video_id)
        for _, row in found
        if row.video_id is not None
    }
    kept = []
    for annotation, row in found:
        assert row.video_id is not None
        window = windows[row.video_id]
        end = float(window.edges[-1])
        if len(window.pts) < 2:
            say(f"left out: {row.path}: a single picture of it is indexed")
            continue
        spans = []
        for start, stop in annotation.spans:
            if min(stop, end) - start >= SHORTEST_SECONDS:
                spans.append((start, stop))
            else:
                say(
                    f"left out: {annotation.query!r} at {start:g} to {stop:g} s: less than "
                    f"{SHORTEST_SECONDS} s of {row.path}, which ends at {end:.1f} s"
                )
        if spans:
            kept.append((dataclasses.replace(annotation, video=row.path, spans=tuple(spans)), row))
    if not kept:
        raise DataError("no annotation is left that could be used")
    return kept


def gives_absent(source: ExampleSource) -> bool:
    """Whether a source asks for anything that is absent.

    One sentence of which no word can be changed, said of every video, can't be asked in vain.
    """
    rng = np.random.default_rng(0)
    return any(source.draw(rng).kind != "present" for _ in range(_LOOKED_AT))


def _videos_of(annotated: Sequence[tuple[Annotation, FileRow]]) -> int:
    return len({each.video for each, _ in annotated})


@contextmanager
def _opened(footage: Footage, mix: Mix, seed: int, say: Say) -> Iterator[_Opened]:
    with open_annotated(footage.library, footage.annotations, footage.profile) as (
        library,
        annotations,
    ):
        annotated = usable_annotations(library, annotations, say)
        learned, measured = split_by_video(annotated, seed)
        say(
            f"{len(annotated)} of {len(annotations)} annotations can be used: "
            f"{_videos_of(learned)} videos to learn from, {_videos_of(measured)} to measure on"
        )
        source = AnnotatedWindows(library, learned, mix)
        if mix.absent and not gives_absent(source):
            mix = dataclasses.replace(mix, absent=0.0)
            say("nothing absent is asked for: these sentences are said of every video")
        builder = PromptBuilder(library.profile)
        asked = AnnotatedWindows(library, measured, Mix())
        count = min(_MOST, _PER_SENTENCE * len(measured))
        held_out = HeldOutWindows(asked, builder, count=count)
        yield _Opened(library.profile, builder, source, len(learned), mix, held_out)


def _for_sentences(settings: _Settings, sentences: int, say: Say) -> _Settings:
    fitted = for_sentences(settings, sentences)
    if fitted.steps < settings.steps:
        say(
            f"{fitted.steps} of {settings.steps} steps are enough: "
            f"each of {sentences} sentences is asked for about {PASSES} times"
        )
    return fitted


def _begun(profile: Profile, start: Path | None) -> GrounderNetwork | None:
    """The decoder to go on with: a checkpoint's, else the profile's, if it has one."""
    return _decoder_of(profile) if start is None else load_grounder(start)


def _decoder_of(profile: Profile) -> GrounderNetwork | None:
    return read_decoder(profile.checked("grounder.onnx")) if profile.has_grounder else None


def _folder(
    footage: Footage, settings: SftSettings | GrpoSettings, start: Path | None
) -> RunFolder:
    """The run's folder, which is of these very annotations."""
    digest = hashlib.sha256(footage.annotations.read_bytes()).hexdigest()
    about = {"annotations": digest, "start": start and start.name}
    return RunFolder(footage.out, {**dataclasses.asdict(settings), **about})


def _follow(
    run: TrainingRun,
    model: GrounderNetwork,
    steps: int,
    opened: _Opened,
    folder: RunFolder,
    say: Say,
) -> Taught:
    """Train `model` to the end, from where the folder was left, and measure it."""
    folder.finish(run, steps, say)
    rows = {"bare similarity": opened.held_out.by_similarity(0.0)}
    before = _decoder_of(opened.profile)
    if before is not None:
        rows["decoder before"] = opened.held_out(before)
    after = opened.held_out(model)
    save_grounder(folder.best, model, after)
    return Taught(folder.best, report(rows, after, len(opened.held_out.examples)))


def report(rows: Mapping[str, Mapping[str, float]], after: Mapping[str, float], asked: int) -> str:
    """A table of what was before and after, and the gain over the last row before, in points."""
    last = list(rows)[-1]
    every = {**rows, "decoder after": after}
    lines = [
        f"{asked} questions on held-out videos, percent where 85 % of what is there is answered"
    ]
    lines.append(" " * 24 + "".join(f"{name:>14}" for name in _COLUMNS.values()))
    for name, figures in every.items():
        lines.append(f"{name:<24}" + "".join(f"{_said(figures[key]):>14}" for key in _COLUMNS))
    gains = (after[key] - rows[last][key] for key in _COLUMNS)
    said = "".join(f"{_said(gain, '+'):>14}" for gain in gains)
    return "\n".join([*lines, f"{'less ' + last:<24}{said}"]) + "\n"


def _said(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.1f}"
