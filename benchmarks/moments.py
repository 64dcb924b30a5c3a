"""Temporal grounding in one known video: what is there is found, and what isn't is refused.

``python -m benchmarks.moments --test DIR --dev DIR --data DATA`` indexes two folders made by
``benchmarks.composites`` with the real indexer, and asks the real search of one video at a time
(``find --in VIDEO``): captions of what it shows, captions of other videos (*easy*) and sentences
that nearly fit (*hard*, see ``benchmarks._questions``). With ``--also NAME=DIR`` the decoder and
the calibration of another folder of profiles are measured in the same run. Only the baseline's
cutoff is fitted here, on the development folder; the test folder is only ever measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import uniform
from benchmarks._questions import Question, plan_questions
from benchmarks.composites import load_composites
from benchmarks.grounding import add_profiles, indexed
from benchmarks.machine import describe
from benchmarks.windows import evenly
from tempo_edge import Library
from tempo_edge._files import atomic_write
from tempo_edge.evaluation.metrics import Interval, Refusals, auroc, score_grounding
from tempo_edge.search.grounders import GROUNDERS
from tempo_edge.search.grounders.context_window import ContextWindow
from tempo_edge.search.grounders.mllm import MllmGrounder
from tempo_edge.search.grounders.prompt import FrameTokens
from tempo_edge.search.window import Window

__all__ = ["Found", "figures", "main"]

_COLUMNS = {
    "r1_at_0.5": "R1@0.5",
    "r1_at_0.7": "R1@0.7",
    "mean_iou": "mIoU",
    "answered": "answered",
    "false_alarms_easy": "false alarms easy",
    "false_alarms_hard": "hard",
    "reject_f1": "reject-F1",
    "auroc_easy": "AUROC easy",
    "auroc_hard": "hard",
}


@dataclass(frozen=True)
class Found:
    """The spans that were answered to one question, best first, and how sure the search was."""

    spans: tuple[Interval, ...]
    confidence: float


class EvenlyTimed(MllmGrounder):
    """A grounder that is told of frames as if they had only been counted."""

    name = "mllm, evenly timed"

    def shown(
        self, window: Window, context: ContextWindow
    ) -> tuple[list[FrameTokens], NDArray[np.float64]]:
        """The frames that the grounder would see, each told to follow after the same time.

        Gives the frames, and their boundaries float64 ``[n + 1]`` in seconds.
        """
        frames, edges = super().shown(window, context)
        return evenly(frames, float(edges[-1]))


def ask(
    library: Library, folder: Path, questions: Sequence[Question], grounder: str
) -> list[Found]:
    """Answer every question as ``find --in VIDEO`` does."""
    found = []
    for question in questions:
        answer = library.find(question.query, within=folder / question.file, grounder=grounder)
        best = answer.moments[0] if answer.moments else answer.best_rejected
        spans = tuple((moment.start_seconds, moment.end_seconds) for moment in answer)
        found.append(Found(spans, 0.0 if best is None else best.confidence))
    return found


def ask_uniform(
    library: Library, folder: Path, questions: Sequence[Question], cutoff: float
) -> list[Found]:
    """Answer every question as the baseline does, from the frames of its video."""
    videos = {Path(row.path): row.video_id for row in library.files()}
    found = []
    for question in questions:
        video = videos[(folder / question.file).absolute()]
        assert video is not None
        said = uniform.ask_one(library, question.query, cutoff, [video])
        spans = tuple((m["start_seconds"], m["end_seconds"]) for m in said["moments"])
        found.append(Found(spans, said["best_confidence"]))
    return found


def fit_cutoff(library: Library, folder: Path, questions: Sequence[Question]) -> float:
    """The baseline's cutoff with the best balanced accuracy of answering and refusing."""
    found = ask_uniform(library, folder, questions, -1.0)
    sure = [each.confidence for each in found]
    return uniform.best_cutoff(sure, [question.asked == "present" for question in questions])


def figures(found: Sequence[Found], questions: Sequence[Question]) -> dict[str, float]:
    """Percent: R1 and mIoU over what is there, a refusal being a miss; and refusals by kind."""
    rows = {
        kind: [f for f, q in zip(found, questions, strict=True) if q.asked == kind]
        for kind in ("present", "easy", "hard")
    }
    truth = [question.spans for question in questions if question.asked == "present"]
    hits = score_grounding([each.spans for each in rows["present"]], truth)
    absent = [*rows["easy"], *rows["hard"]]
    refusals = Refusals(
        present=len(truth),
        absent=len(absent),
        missed=sum(not each.spans for each in rows["present"]),
        rejected=sum(not each.spans for each in absent),
    )
    sure = {kind: [each.confidence for each in answers] for kind, answers in rows.items()}
    shares = {kind: float(np.mean([bool(f.spans) for f in rows[kind]])) for kind in rows}
    return {
        "r1_at_0.5": hits.r1[0.5],
        "r1_at_0.7": hits.r1[0.7],
        "mean_iou": hits.mean_iou,
        "answered": 100 * shares["present"],
        "false_alarms_easy": 100 * shares["easy"],
        "false_alarms_hard": 100 * shares["hard"],
        "reject_f1": 100 * refusals.f1,
        "auroc_easy": 100 * auroc(sure["present"], sure["easy"]),
        "auroc_hard": 100 * auroc(sure["present"], sure["hard"]),
        **_at_share(sure, 0.9),
    }


def _at_share(sure: Mapping[str, Sequence[float]], share: float) -> dict[str, float]:
    """False alarms if the threshold let just this share of the present questions through."""
    threshold = np.quantile(sure["present"], 1 - share, method="lower")
    return {
        f"false_alarms_{kind}_at_{share:g}": 100
        * float((np.asarray(sure[kind]) >= threshold).mean())
        for kind in ("easy", "hard")
    }


def format_table(rows: dict[str, dict[str, float]]) -> str:
    """A GitHub table, one system a row, in percent."""
    lines = ["| system | " + " | ".join(_COLUMNS.values()) + " | at 90 % answered: easy | hard |"]
    lines.append("|---|" + "---:|" * (len(_COLUMNS) + 2))
    for name, row in rows.items():
        kept = [*_COLUMNS, "false_alarms_easy_at_0.9", "false_alarms_hard_at_0.9"]
        lines.append(f"| {name} | " + " | ".join(f"{row[each]:.1f}" for each in kept) + " |")
    return "\n".join(lines)


def measure(options: argparse.Namespace, scratch: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answers of every system to the questions, and what was asked."""
    test, dev = load_composites(options.test), load_composites(options.dev)
    plan = {"pictures": options.pictures, "seed": options.seed}
    questions = plan_questions(test, options.data, **plan)
    systems: dict[str, list[Found]] = {}

    def say(name: str) -> None:
        print(name, file=sys.stderr)

    with indexed(options.dev, scratch, 1.0) as library:
        cutoff = fit_cutoff(library, options.dev, plan_questions(dev, options.data, **plan))
    with indexed(options.test, scratch, 1.0) as library:
        systems["uniform 1 fps + cutoff"] = ask_uniform(library, options.test, questions, cutoff)
        for grounder in reversed(library.searcher.pictures.grounders):
            say(f"uniform 1 fps + {grounder}")
            systems[f"uniform 1 fps + {grounder}"] = ask(library, options.test, questions, grounder)
    with indexed(options.test, scratch) as library:
        for grounder in reversed(library.searcher.pictures.grounders):
            say(f"SAA + {grounder}")
            systems[f"SAA + {grounder}"] = ask(library, options.test, questions, grounder)
        if EvenlyTimed.is_offered_by(library.profile):
            GROUNDERS[EvenlyTimed.name] = EvenlyTimed
            name = f"SAA + {EvenlyTimed.name}"
            systems[name] = ask(library, options.test, questions, EvenlyTimed.name)
    for name, profile in options.also:
        say(f"SAA + {name}")
        with indexed(options.test, scratch, profile=profile) as library:
            systems[f"SAA + {name}"] = ask(library, options.test, questions, MllmGrounder.name)
    asked = {"cutoff": cutoff, "questions": [asdict(question) for question in questions]}
    return {name: (figures(found, questions), found) for name, found in systems.items()}, asked


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--test", type=Path, required=True, help="composites to measure on")
    parser.add_argument("--dev", type=Path, required=True, help="composites for the cutoff")
    parser.add_argument("--data", type=Path, required=True, help="what the composites are made of")
    add_profiles(parser)
    parser.add_argument("--pictures", type=int, default=8, help="asked about in each video")
    parser.add_argument("--seed", type=int, default=0, help="of the questions")
    parser.add_argument("--keep", type=Path, help="keep the libraries in this folder")
    parser.add_argument("--json", type=Path, help="write questions, answers and figures here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = options.keep or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        systems, asked = measure(options, scratch)
    rows = {name: row for name, (row, _) in systems.items()}
    about = {**describe(), "cutoff": asked["cutoff"], "questions": len(asked["questions"])}
    print(json.dumps(about))
    print(format_table(rows))
    if options.json is not None:
        kept = {
            name: {**row, "answers": [asdict(each) for each in found]}
            for name, (row, found) in systems.items()
        }
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps({**about, **asked, "systems": kept}) + "\n")


if __name__ == "__main__":
    main()
