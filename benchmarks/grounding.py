"""The figures of found moments and refused queries, on videos with exactly known boundaries.

``python -m benchmarks.grounding --test DIR --dev DIR`` indexes two folders made by
``benchmarks.composites`` with the real indexer, asks the real search, and prints the field's
metrics for SAA with the profile's grounders and for the uniform baseline; without ``--dev`` the
baseline is left out. With ``--also NAME=DIR`` the decoder and the calibration of another folder of
profiles are measured in the same run. Only the baseline's cutoff is fitted here, on the development
folder; the test folder is only ever measured.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import uniform
from benchmarks.composites import load_composites
from benchmarks.machine import describe
from benchmarks.scoring import Prediction, Scores, Truth, format_table, score
from tempo_edge import Library
from tempo_edge._files import atomic_write
from tempo_edge.indexing.footage import Sampling
from tempo_edge.models.registry import Profile, read_profile

__all__ = ["add_profiles", "ask", "indexed", "main"]


def ask(library: Library, queries: Sequence[Truth], grounder: str) -> list[Prediction]:
    """Answer every query as ``find`` does."""
    predictions: list[Prediction] = []
    for query in queries:
        answer = library.find(query["query"], grounder=grounder)
        best = answer.moments[0] if answer.moments else answer.best_rejected
        predictions.append(
            {
                "moments": [
                    {
                        "file": str(moment.path),
                        "start_seconds": moment.start_seconds,
                        "end_seconds": moment.end_seconds,
                        "score": moment.score,
                        "confidence": moment.confidence,
                    }
                    for moment in answer
                ],
                "best_confidence": 0.0 if best is None else best.confidence,
            }
        )
    return predictions


def indexed(
    folder: Path,
    scratch: Path,
    frames_per_second: float | None = None,
    profile: str | Profile = "nano",
) -> Library:
    """A library over the videos of a folder; the caller closes it."""
    kind = "saa" if frames_per_second is None else "uniform"
    library = Library.open(scratch / f"{folder.name}-{kind}.db", profile=profile)
    report = library.index([folder], sampling=Sampling(frames_per_second=frames_per_second))
    frames = library.catalogue.totals()["frames"]
    print(
        f"{folder.name} {kind}: {report.indexed} videos, {frames} frames, "
        f"{report.elapsed_seconds:.0f} s",
        file=sys.stderr,
    )
    return library


def _named_profile(text: str) -> tuple[str, Profile]:
    name, mark, folder = text.partition("=")
    if not mark or not (Path(folder) / "nano" / "profile.json").exists():
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=DIR with DIR/nano/profile.json")
    return name, read_profile(Path(folder) / "nano")


def add_profiles(parser: argparse.ArgumentParser) -> None:
    """The option ``--also NAME=DIR``: further folders of profiles to measure in one run."""
    parser.add_argument(
        "--also",
        type=_named_profile,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="a folder that holds another nano, with the same towers; repeat for more",
    )


def unrelated_queries(charades: Path, count: int, seed: int) -> list[Truth]:
    """Absent queries of another kind: sentences on household videos, from Charades-STA's test list.

    Args:
        charades: gzipped lines of ``ID start end##sentence``.
    """
    with gzip.open(charades, "rt", encoding="utf-8") as lines:
        sentences = sorted({line.strip().partition("##")[2] for line in lines})
    return [
        {"query": text, "present": False, "kind": "absent", "file": None, "spans": []}
        for text in random.Random(seed).sample(sentences, count)
    ]


def by_source(
    predictions: Sequence[Prediction], queries: Sequence[Truth], seed: int
) -> dict[str, Scores]:
    """Scores by kind of query.

    ``all`` are the composites' own queries; ``unrelated absent`` are the same present ones against
    absent ones of another kind; the others are present ones of one source against all absent ones.
    """
    pairs = list(zip(predictions, queries, strict=True))
    alike = [(p, q) for p, q in pairs if q["present"] or "source" in q]
    other = [(p, q) for p, q in pairs if q["present"] or "source" not in q]
    rows = {"all": score([p for p, _ in alike], [q for _, q in alike], seed=seed)}
    if len(other) > sum(q["present"] for q in queries):
        rows["unrelated absent"] = score([p for p, _ in other], [q for _, q in other], seed=seed)
    pairs = alike
    for source in sorted({q.get("source", "photo") for q in queries if q["present"]}):
        kept = [(p, q) for p, q in pairs if not q["present"] or q.get("source") == source]
        rows[source] = score([p for p, _ in kept], [q for _, q in kept], seed=seed)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", type=Path, required=True, help="composites to measure on")
    parser.add_argument("--dev", type=Path, help="composites for the baseline's cutoff")
    parser.add_argument("--unrelated", type=Path, help="charades_sta_test.txt.gz, for easy absents")
    add_profiles(parser)
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    parser.add_argument("--keep", type=Path, help="keep the libraries in this folder")
    parser.add_argument("--json", type=Path, help="write predictions and figures here")
    options = parser.parse_args(arguments)
    truth = list(load_composites(options.test).queries)
    if options.unrelated is not None:
        truth += unrelated_queries(options.unrelated, 150, options.seed)
    systems: dict[str, list[Prediction]] = {}
    cutoff: float | None = None
    with tempfile.TemporaryDirectory() as folder:
        scratch = options.keep or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        if options.dev is not None:
            with indexed(options.dev, scratch, 1.0) as dev:
                cutoff = uniform.fit_cutoff(dev, load_composites(options.dev).queries)
            with indexed(options.test, scratch, 1.0) as library:
                systems["uniform 1 fps + cutoff"] = uniform.ask(library, truth, cutoff)
                for grounder in reversed(library.searcher.pictures.grounders):
                    systems[f"uniform 1 fps + {grounder}"] = ask(library, truth, grounder)
        with indexed(options.test, scratch) as library:
            for grounder in reversed(library.searcher.pictures.grounders):
                systems[f"SAA + {grounder}"] = ask(library, truth, grounder)
        for name, profile in options.also:
            with indexed(options.test, scratch, profile=profile) as library:
                systems[f"SAA + {name}"] = ask(library, truth, "mllm")
    rows: dict[str, Scores] = {}
    for name, predictions in systems.items():
        for part, scores in by_source(predictions, truth, options.seed).items():
            rows[name if part == "all" else f"{name}, {part}"] = scores
    about: dict[str, Any] = {**describe(), "cutoff": cutoff, "queries": len(truth)}
    print(json.dumps(about))
    print(format_table(rows))
    if options.json is not None:
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps({**about, "predictions": systems}, indent=1) + "\n")


if __name__ == "__main__":
    main()
