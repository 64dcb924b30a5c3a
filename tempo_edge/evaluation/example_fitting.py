"""Fit how likely a span shows what an example shows: ``models/example_calibration.json``.

``python -m tempo_edge.evaluation.example_fitting --data DIR`` makes films of the dev pictures of
``flickr8k.tar``, ``sports100.tar`` and ``places100.tar``, with the real store, and asks the real
search of parts of them, of many sizes. The example is never the very picture: of Flickr8k it is
another view (cropped, mirrored, in other light, as a JPEG), of the others another picture of the
same label. Asked are examples that are there and examples that are not; and both of them with
words: captions and labels, of the same thing, and of another thing that is there as well, which is
then no answer. Fitted is one half of the labels and of the photographs; what it comes to on the
other half is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge._files import atomic_write
from tempo_edge.evaluation.example_films import Archive, Asked, photographs
from tempo_edge.models.registry import EXAMPLE_CALIBRATION
from tempo_edge.search.calibrate import fit_monotone, probability
from tempo_edge.search.contrast import FRAMES_WEIGHT
from tempo_edge.search.likeness import BOTH_FEATURES, EXAMPLE_FEATURES, ExampleJudge

__all__ = ["fitted", "judged", "main", "threshold"]

# The share of absent examples that may be answered, on what it is fitted on.
_FALSE_ALARMS = 0.05

# Facts that are weighed, besides the number of frames.
_WEIGHED = ("nearness", "above_footage", "span_above_footage", "footage_rank")


def fitted(
    asked: Sequence[Asked], features: Sequence[str], weighed: Sequence[str]
) -> dict[str, Any]:
    """Weights and bias, by the span of each question that they make the likeliest.

    Args:
        features: the facts' names; ``weighed``: those that count. The number of frames is offset.
    """
    columns = [features.index(name) for name in weighed]
    weights = np.zeros(len(features))
    weights[columns] = 1.0
    has_frames = "frames_seen" in features
    frames = features.index("frames_seen") if has_frames else 0
    bias = 0.0
    for _ in range(6):
        best = [int(np.argmax(each.facts @ weights)) for each in asked]
        chosen = np.stack([each.facts[at] for each, at in zip(asked, best, strict=True)])
        right = np.asarray([each.right[at] for each, at in zip(asked, best, strict=True)])
        offset = FRAMES_WEIGHT * chosen[:, frames] if has_frames else None
        weights = np.zeros(len(features))
        weights[columns], bias = fit_monotone(chosen[:, columns], right, offset=offset)
        if has_frames:
            weights[frames] = FRAMES_WEIGHT
    kept = [(name, float(w)) for name, w in zip(features, weights, strict=True) if w]
    return {"features": [n for n, _ in kept], "weights": [w for _, w in kept], "bias": bias}


def judged(asked: Asked, about: dict[str, Any], features: Sequence[str]) -> tuple[float, bool]:
    """The probability of a question's likeliest span, and whether it is right."""
    columns = [features.index(name) for name in about["features"]]
    odds = asked.facts[:, columns] @ np.asarray(about["weights"]) + about["bias"]
    best = int(np.argmax(odds))
    return probability(float(odds[best])), bool(asked.right[best])


def threshold(asked: Sequence[Asked], about: dict[str, Any], features: Sequence[str]) -> float:
    """The probability from which few enough absent examples are answered."""
    absent = [judged(each, about, features)[0] for each in asked if not each.present]
    return float(np.clip(np.quantile(absent, 1 - _FALSE_ALARMS), 0.3, 0.95))


def report(asked: Sequence[Asked], about: dict[str, Any], features: Sequence[str]) -> str:
    """A row for each kind of question."""
    head = "| questions | present | first right | answered | rightly | absent | answered |"
    rows = [head, "|---|---:|---:|---:|---:|---:|---:|"]
    for kind in sorted({each.kind for each in asked}):
        found = [
            (each.present, *judged(each, about, features)) for each in asked if each.kind == kind
        ]
        here = [(p >= about["threshold"], right) for present, p, right in found if present]
        gone = [p >= about["threshold"] for present, p, _ in found if not present]
        cells = [
            np.mean([right for _, right in here]),
            np.mean([shown for shown, _ in here]),
            np.mean([shown and right for shown, right in here]),
        ]
        shares = " | ".join(f"{100 * cell:.1f} %" for cell in cells)
        rows.append(
            f"| {kind} | {len(here)} | {shares} | {len(gone)} | {100 * np.mean(gone):.1f} % |"
        )
    return "\n".join(rows)


_ARCHIVES = ("flickr8k", "sports100", "places100")


def archives(data: Path, scratch: Path, profile: str, half: int, seed: int) -> list[Archive]:
    """Films of one half of the dev pictures, by archive."""
    return [
        Archive.of(photographs(data, kind, "dev", half), scratch, profile, seed + half)
        for kind in _ARCHIVES
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the archives")
    parser.add_argument("--profile", default="nano")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        where = options.data, Path(scratch), options.profile
        kept = archives(*where, 0, options.seed)
        alone = [each for archive in kept for each in archive.alone()]
        contents: dict[str, Any] = {"alone": fitted(alone, EXAMPLE_FEATURES, _WEIGHED)}
        contents["alone"]["threshold"] = threshold(alone, contents["alone"], EXAMPLE_FEATURES)
        judge = judge_of(contents["alone"])
        both = [each for archive in kept for each in archive.with_words(judge)]
        contents["with_words"] = fitted(both, BOTH_FEATURES, ("words", "example"))
        contents["with_words"]["threshold"] = threshold(both, contents["with_words"], BOTH_FEATURES)
        count = len(alone) + len(both)
        contents["fitted"] = {"questions": count, "profile": options.profile, "seed": options.seed}
        if not options.dry_run:
            with atomic_write(EXAMPLE_CALIBRATION) as draft:
                draft.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(contents, indent=1), flush=True)
        others = archives(*where, 1, options.seed)
        held_out = [each for archive in others for each in archive.alone()]
        said = [each for archive in others for each in archive.with_words(judge)]
    for name, found, about, features in (
        ("by an example", held_out, contents["alone"], EXAMPLE_FEATURES),
        ("by an example and words", said, contents["with_words"], BOTH_FEATURES),
    ):
        print(f"\n{name}, what is held out:\n{report(found, about, features)}")
    return 0


def judge_of(alone: dict[str, Any]) -> ExampleJudge:
    """The judge of examples alone, to collect facts of words and examples with."""
    weights = dict(zip(alone["features"], alone["weights"], strict=True))
    given = [weights.get(name, 0.0) for name in EXAMPLE_FEATURES]
    return ExampleJudge.weighing(given, [1.0, 1.0], (alone["bias"], 0.0))


if __name__ == "__main__":
    sys.exit(main())
