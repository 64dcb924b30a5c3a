"""Fit the ``curve`` grounder and the confidence of every grounder on development videos.

``python -m tempo_edge.evaluation.fitting --videos DIR`` reads a folder of composite videos with
their ``truth.jsonl`` (see ``benchmarks.composites``), indexes them with the real indexer, and
writes ``calibration.json`` into the profile. Test videos must never be given to it.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge._console.text import note
from tempo_edge.errors import ProfileError, TempoEdgeError
from tempo_edge.evaluation.draws import Draw, Draws
from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.evaluation.shape import fit as fit_shape
from tempo_edge.evaluation.shape import occurrences
from tempo_edge.evaluation.truth import Query, read_truth, videos_by_name
from tempo_edge.library import Library
from tempo_edge.models.description import Description
from tempo_edge.models.profile_manifest import write_calibration
from tempo_edge.models.registry import Profile, load_profile
from tempo_edge.search.calibrate import (
    FEATURES,
    Calibration,
)
from tempo_edge.search.fitted import QUICK, calibration_of
from tempo_edge.search.grounders import GROUNDERS
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.similarity import CurveSettings

__all__ = ["calibrate", "calibrate_models", "main", "nearly", "shortened", "varied"]

# Libraries of these many videos are drawn at random: a large one scores higher by chance alone.
_SIZES = (1, 3, 6, 12, 25, 50, 100)

# Absent queries that describe other footage, beside those that might well have been here.
_ELSEWHERE = 200

# A query's text, the videos of the library that it is asked of, and whether it occurs there.
_Asked = tuple[str, list[int], bool]

# Words that a person leaves out of a search.
_LITTLE_WORDS = re.compile(
    r"(an?|and|are|as|at|be|being|by|for|from|her|his|in|is|it|its|of|on|or|person|that|the|their|"
    r"there|this|to|was|were|while|who|with)",
    re.IGNORECASE,
)


def read_elsewhere(path: Path, count: int, seed: int) -> list[Query]:
    """Absent queries: sentences that describe footage which is not here at all.

    Args:
        path: ActivityNet Captions, gzipped JSON of ``{id: {"sentences": [...]}}``.
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        videos = json.load(file)
    sentences = sorted({text.strip() for video in videos.values() for text in video["sentences"]})
    return [Query(text, None, ()) for text in random.Random(seed).sample(sentences, count)]


def shortened(query: Query) -> Query:
    """The query in three words, as people type them: "A dog is running" becomes "dog running".

    Only for queries that occur, or that describe other footage: in three words, a sentence that
    merely fails in a detail becomes true.
    """
    words = [word.strip(".,;!?") for word in query.text.split()]
    telling = [word for word in words if word and not _LITTLE_WORDS.fullmatch(word)]
    return Query(" ".join(telling[:3]) or query.text, query.file, query.spans)


def nearly(queries: Sequence[Query], seed: int) -> list[Query]:
    """Absent queries: those that occur, with one word changed, asked of what they nearly fit."""
    rng = np.random.default_rng(seed)
    changed = [(query, swap(query.text, rng)) for query in queries if query.file is not None]
    return [Query(new.sentence, None, (), query.file) for query, new in changed if new is not None]


def varied(queries: Sequence[Query], seed: int) -> list[Query]:
    """Further queries for the confidence: those that occur in three words, and nearly true ones."""
    short = [shortened(query) for query in queries if query.file is not None]
    return [*short, *nearly(queries, seed)]


def calibrate(
    library: Library,
    queries: Sequence[Query],
    more: Sequence[Query],
    seed: int,
    reads: int = 600,
    default: str = QUICK,
) -> dict[str, Any]:
    """Fit settings, weights and threshold; gives the contents of ``calibration.json``.

    Args:
        queries: what the shape of a span is fitted on.
        more: further queries for the confidence.
        reads: how many queries a grounder with a model is asked at most; it takes its time.
        default: the grounder that ``find`` uses where none is asked for.

    Raises:
        TempoEdgeError: the library lacks a video that a query is about.
    """
    asked = [*queries, *more]
    shape = fit_shape([occurrences(library, queries)])
    settings = shape.settings
    judge, draws = _judge(library, asked, settings, seed)
    fitted = _fit_confidence([judge.by_curve(*draw) for draw in draws], FEATURES)
    contents = {
        **fitted,
        "default": default,
        "curve": asdict(settings),
        "fitted": {
            "queries": len(asked),
            "draws": len(draws),
            "reads": reads,
            "seed": seed,
            "r1_at_0.5_present": shape.rate,
            "balanced_accuracy": fitted.pop("balanced_accuracy"),
        },
    }
    curve = Calibration.of(Description(Path("calibration.json"), contents))
    return contents | _fit_models(judge, curve, library.profile, _fewer(draws, reads, seed))


def calibrate_models(
    library: Library, queries: Sequence[Query], seed: int, reads: int = 600
) -> dict[str, Any]:
    """Fit the confidence of what asks a model; gives the profile's calibration with that.

    The arguments are those of :func:`calibrate`, with all queries as one.

    Raises:
        TempoEdgeError: the library lacks a video that a query is about, or the profile has no
            calibration of its own.
    """
    profile = library.profile
    if "calibration.json" not in profile.files:
        raise ProfileError(
            f"profile {profile.name!r} has no calibration whose rest could stay: leave out "
            "--models-only"
        )
    kept = json.loads(profile.checked("calibration.json").read_text(encoding="utf-8"))
    judge, draws = _judge(library, queries, CurveSettings.of(profile), seed)
    curve = calibration_of(profile, QUICK)
    return {**kept, **_fit_models(judge, curve, profile, _fewer(draws, reads, seed))}


def _judge(
    library: Library, asked: Sequence[Query], settings: CurveSettings, seed: int
) -> tuple[Draws, list[_Asked]]:
    """What asks a library, and what it is to be asked."""
    video_of = videos_by_name(library, asked)
    vectors = library.vectors
    vectors.refresh()
    profile = library.profile
    questions = {
        query.text: Question.of(
            *profile.text_tower.read(query.text), profile.background, query.text
        )
        for query in asked
    }
    draws = _draws(asked, sorted(video_of.values()), video_of, seed)
    return Draws(library, vectors, settings, questions), draws


def _fit_models(
    judge: Draws, curve: Calibration, profile: Profile, draws: Sequence[_Asked]
) -> dict[str, Any]:
    """The confidence of every grounder of a profile that asks a model, by its part's name."""
    fitted: dict[str, Any] = {}
    for name, grounder in GROUNDERS.items():
        if grounder.calibration is not None and grounder.comes_with(profile):
            found = [judge.by(name, *draw, curve) for draw in draws]
            told = [draw for draw in found if draw]
            fitted[grounder.calibration] = _fit_confidence(told, grounder.features)
    return fitted


def _fewer(draws: Sequence[_Asked], most: int, seed: int) -> list[_Asked]:
    """Some queries once each, of a library of one size and then another."""
    sizes = len(_SIZES)
    once = [draw for at, draw in enumerate(draws) if at % sizes == at // sizes % sizes]
    return random.Random(seed).sample(once, min(most, len(once)))


def _draws(
    queries: Sequence[Query], everything: list[int], video_of: dict[str, int], seed: int
) -> list[_Asked]:
    """Every query with libraries of many sizes, half the time with its own video left out.

    What is nearly true of a video is always asked of it. Gives the query's text, the videos of the
    library and whether it occurs there.
    """
    generator = np.random.default_rng(seed)
    draws: list[_Asked] = []
    for query, size in itertools.product(queries, _SIZES):
        about = query.file or query.near
        own = None if about is None else video_of[about]
        others = [video for video in everything if video != own]
        with_own = own is not None and (query.near is not None or bool(generator.integers(2)))
        count = min(size, len(others) + with_own) - with_own
        videos = generator.choice(others, count, replace=False).tolist() if count > 0 else []
        if own is not None and with_own:
            videos.append(own)
        if videos:
            draws.append((query.text, sorted(videos), with_own and query.file is not None))
    return draws


def _fit_confidence(draws: Sequence[Draw], features: Sequence[str]) -> dict[str, Any]:
    """Weights, bias, threshold and balanced accuracy.

    The span that a query is judged by is the likeliest one, which depends on the weights: a few
    rounds of picking it and fitting again settle that.
    """
    present = np.asarray([draw.present for draw in draws])
    start = features.index("read" if "read" in features else "above_sentences")
    chosen = np.stack([draw.features[np.argmax(draw.features[:, start])] for draw in draws])
    for _ in range(5):
        judge = Calibration.fitted(chosen, present, features)
        chosen = np.stack([d.features[np.argmax(d.features @ judge.weights)] for d in draws])
    confidence = np.asarray([judge.confidence(row) for row in chosen])
    shown = confidence >= judge.threshold
    accuracy = shown[present].mean() / 2 + (~shown[~present]).mean() / 2
    return {
        "features": [name for name, weight in zip(features, judge.weights, strict=True) if weight],
        "weights": [float(weight) for weight in judge.weights if weight],
        "bias": judge.bias,
        "threshold": judge.threshold,
        "balanced_accuracy": float(accuracy),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        contents = _fitted(options)
        if not options.dry_run:
            write_calibration(load_profile(options.profile).folder, contents)
    except (TempoEdgeError, OSError) as error:
        note(f"error: {error}")
        return 2
    print(json.dumps(contents, indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--videos", type=Path, required=True, help="composite videos")
    parser.add_argument(
        "--elsewhere",
        type=Path,
        help="activitynet_captions_train.json.gz: sentences on other footage",
    )
    parser.add_argument("--profile", default="nano")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reads", type=int, default=600, help="queries for what reads, at most")
    parser.add_argument("--default", choices=GROUNDERS, default=QUICK, help="for find")
    parser.add_argument("--library", type=Path, help="keep the library here")
    parser.add_argument(
        "--models-only",
        action="store_true",
        help="fit what asks a model; the rest of the profile's calibration stays",
    )
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    return parser


def _fitted(options: argparse.Namespace) -> dict[str, Any]:
    """The contents of ``calibration.json`` that the command line asks for."""
    queries = read_truth(options.videos)
    more = varied(queries, options.seed)
    if options.elsewhere is not None:
        elsewhere = read_elsewhere(options.elsewhere, _ELSEWHERE, options.seed)
        more += elsewhere + [shortened(query) for query in elsewhere]
    with tempfile.TemporaryDirectory() as scratch:
        path = options.library or Path(scratch) / "library.db"
        with Library.open(path, profile=options.profile) as library:
            library.index([options.videos])
            if options.models_only:
                return calibrate_models(library, [*queries, *more], options.seed, options.reads)
            return calibrate(library, queries, more, options.seed, options.reads, options.default)


if __name__ == "__main__":
    sys.exit(main())
