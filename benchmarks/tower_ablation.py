"""The worth of each choice of a recipe: short runs that leave one thing out, on dev.

    python -m benchmarks.tower_ablation --data DIR --work DIR [--epochs 4] [--only NAME ...]

Every row is a run of the full recipe with one change, all of them with the same seed and length.
Finished epochs are kept in the work folder, so an interrupted table goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from functools import partial

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.progress_log import ProgressLog
from tempo_edge.train.towers.__main__ import add_run_options
from tempo_edge.train.towers.recipe import RECIPES, TowerRecipe, override
from tempo_edge.train.towers.training import train

#: Each row's name and what it changes.
CHANGES: dict[str, tuple[str, ...]] = {
    "full": (),
    "image trunk frozen": ("trunk_rate=0",),
    "reader frozen": ("reader_rate=0",),
    "both frozen": ("trunk_rate=0", "reader_rate=0"),
    "no reading stage": ("reading_epochs=0",),
    "no swapped words": ("swapped=0",),
    "no alike pictures": ("neighbours=1",),
    "no anchor": ("anchor_weight=0",),
    "no anchor, no distillation": ("anchor_weight=0", "distill_weight=0"),
    "captions only": (
        "archives=flickr8k,coco_thumbs",
        "anchor_weight=0",
        "distill_weight=0",
        "label_weight=0",
    ),
    "whole and mirrored views only": ("views=2",),
}
_COLUMNS = {
    "dev_r1": "R@1",
    "dev_r5": "R@5",
    "dev_r10": "R@10",
    "sports": "sports",
    "seen": "ImageNet, seen classes",
    "held_out": "held-out classes",
}


def table(rows: dict[str, dict[str, float]]) -> str:
    """A GitHub table, one run a row, in percent."""
    lines = ["| run | " + " | ".join(_COLUMNS.values()) + " |", "|---|" + "---:|" * len(_COLUMNS)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[key]:.1f}" for key in _COLUMNS) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tower_ablation", description="Leave one choice out at a time."
    )
    add_run_options(parser)
    parser.add_argument("--epochs", type=int, default=4, help="default %(default)s")
    parser.add_argument("--only", action="append", choices=CHANGES, help="repeat for more rows")
    options = parser.parse_args(arguments)
    rows: dict[str, dict[str, float]] = {}
    say = ProgressLog(partial(print, flush=True))
    try:
        for name in options.only or CHANGES:
            recipe: TowerRecipe = dataclasses.replace(
                RECIPES["full"], seed=options.seed, epochs=options.epochs
            )
            recipe = override(recipe, [*options.set, *CHANGES[name]])
            say(f"== {name}")
            run = train(
                options.data,
                recipe,
                options.work,
                device=options.device,
                threads=options.threads,
                say=say,
            )
            rows[name] = run.curves[-1]
    except (TempoEdgeError, ValueError) as error:
        note(f"error: {error}")
        return 2
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
