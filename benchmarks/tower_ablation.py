"""The worth of each archive and choice of a recipe: short runs without one of them, on dev.

    python -m benchmarks.tower_ablation --data DIR --work DIR [--epochs 2] [--only NAME ...]

Every row is a run of one recipe with one change, all of them with the same seed and length, and
with ``--start`` from the weights of a written profile.
The figures of a finished run and the epochs of an unfinished one are kept in the work folder, so an
interrupted table goes on, and ``--only`` adds rows to it.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tempo_edge._console.text import note
from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.progress_log import ProgressLog, Say
from tempo_edge.train.towers.__main__ import add_run_options
from tempo_edge.train.towers.recipe import RECIPES, TowerRecipe, override
from tempo_edge.train.towers.start import read_profile
from tempo_edge.train.towers.training import train

__all__ = ["CHANGES", "COLUMNS", "changed", "main", "table"]

#: Each row's name and the settings that it changes; ``without`` names archives to leave out.
CHANGES: Mapping[str, Mapping[str, object]] = {
    "full": {},
    "no COCO sentences": {"without": ("coco_sentences",)},
    "no places": {"without": ("places100",)},
    "no actions": {"without": ("action_frames",)},
    "no animals": {"without": ("animals",)},
    "archives of 0.2 alone": {
        "without": ("coco_sentences", "places100", "action_frames", "animals")
    },
    "no short queries": {"short": 0.0},
    "no compositions of places": {"composed": 0.0},
    "no margin for changed words": {"swap_weight": 0.0},
    "no changed words": {"swapped": 0.0, "swap_weight": 0.0},
    "labelled batches of 112": {"labelled_batch": 112},
    "every picture once an epoch": {"most": 1.0},
    "taught as 0.2 was": {
        "without": ("coco_sentences", "places100", "action_frames", "animals"),
        "labelled_batch": 112,
        "short": 0.0,
        "swap_weight": 0.0,
        "most": 1.0,
    },
    "image trunk frozen": {"trunk_rate": 0.0},
    "reader frozen": {"reader_rate": 0.0},
    "both frozen": {"trunk_rate": 0.0, "reader_rate": 0.0},
    "no reading stage": {"reading_epochs": 0},
    "no alike pictures": {"neighbours": 1},
    "no anchor": {"anchor_weight": 0.0},
    "no anchor, no distillation": {"anchor_weight": 0.0, "distill_weight": 0.0},
    "captions only": {
        "archives": ("flickr8k", "coco_thumbs"),
        "anchor_weight": 0.0,
        "distill_weight": 0.0,
        "label_weight": 0.0,
    },
    "whole and mirrored views only": {"views": 2},
}
#: Figures of a run, and what they are called.
COLUMNS = {
    "dev_r1": "R@1",
    "dev_r5": "R@5",
    "dev_r10": "R@10",
    "short": "short queries, mean AP",
    "pairs": "minimal pairs",
    "sports": "sports",
    "places": "places",
    "counts": "counts",
    "counts_balanced": "counts, mean of three",
    "seen": "ImageNet, seen classes",
    "held_out": "held-out classes",
}


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """A GitHub table, one run a row, in percent."""
    lines = ["| run | " + " | ".join(COLUMNS.values()) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[key]:.1f}" for key in COLUMNS) + " |")
    return "\n".join(lines)


def changed(recipe: TowerRecipe, change: Mapping[str, object]) -> TowerRecipe:
    """`recipe` with other settings, and without the archives that the change names."""
    settings = dict(change)
    left_out = settings.pop("without", ())
    assert isinstance(left_out, tuple)
    archives = tuple(name for name in recipe.archives if name not in left_out)
    return dataclasses.replace(recipe, **{"archives": archives, **settings})  # type: ignore[arg-type]


def _figures(
    recipe: TowerRecipe, start: str, options: argparse.Namespace, say: Say
) -> dict[str, float]:
    """The last figures of a run, out of the work folder if it was finished before.

    `start` is the digest of the profile that the run goes on from, empty without one.
    """
    settings = json.dumps([dataclasses.asdict(recipe), start], sort_keys=True)
    key = hashlib.sha256(settings.encode()).hexdigest()[:12]
    path: Path = options.work / f"ablation-{key}.json"
    if path.exists():
        say(f"finished before: {path}")
        kept: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))["figures"]
        return kept
    run = train(
        options.data,
        recipe,
        options.work,
        device=options.device,
        threads=options.threads,
        say=say,
        profile=options.start,
    )
    figures = run.curves[-1]
    about = {"recipe": dataclasses.asdict(recipe), "figures": figures}
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tower_ablation", description="Leave one choice out at a time."
    )
    add_run_options(parser)
    parser.add_argument("--epochs", type=int, default=2, help="default %(default)s")
    parser.add_argument("--only", action="append", choices=CHANGES, help="repeat for more rows")
    options = parser.parse_args(arguments)
    rows: dict[str, dict[str, float]] = {}
    say = ProgressLog(partial(print, flush=True))
    try:
        recipe = dataclasses.replace(
            RECIPES[options.recipe], seed=options.seed, epochs=options.epochs
        )
        recipe = override(recipe, options.set)
        start = "" if options.start is None else read_profile(options.start).digest
        for name in options.only or CHANGES:
            say(f"== {name}")
            rows[name] = _figures(changed(recipe, CHANGES[name]), start, options, say)
    except (TempoEdgeError, ValueError) as error:
        note(f"error: {error}")
        return 2
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
