"""Trains and writes the built-in profile `nano`.

python -m tempo_edge.train.towers --data DIR --out DIR --work DIR [--recipe full] [--seed 0]
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.progress_log import ProgressLog
from tempo_edge.train.towers.recipe import RECIPES, override

__all__ = ["add_run_options", "main"]


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options that every run has: data, folder, recipe, where it starts, and its machine."""
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--work", type=Path, required=True, help="folder for caches, checkpoints")
    parser.add_argument("--recipe", choices=RECIPES, default="full", help="default %(default)s")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting"
    )
    parser.add_argument(
        "--start", type=Path, metavar="PROFILE", help="folder of the profile to go on from"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, default %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default %(default)s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tempo_edge.train.towers", description="Train the built-in profile."
    )
    add_run_options(parser)
    parser.add_argument("--out", type=Path, help="folder for the profile; without it none is made")
    parser.add_argument("--curves", type=Path, help="PNG to draw the run to")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    from tempo_edge.train.towers import curves
    from tempo_edge.train.towers.publish import Towers, check, write
    from tempo_edge.train.towers.training import train

    options = _parser().parse_args(arguments)
    say = ProgressLog(partial(print, flush=True))
    try:
        recipe = override(
            dataclasses.replace(RECIPES[options.recipe], seed=options.seed), options.set
        )
        trainer = train(
            options.data,
            recipe,
            options.work,
            device=options.device,
            threads=options.threads,
            say=say,
            profile=options.start,
        )
        if options.curves:
            curves.draw(options.curves, trainer.curves, f"recipe {options.recipe}")
        if options.out:
            changed = "".join(f" --set {setting}" for setting in options.set)
            changed += " --start PROFILE" if options.start else ""
            command = (
                "python -m tempo_edge.train.towers --data DIR --work DIR --out DIR "
                f"--recipe {options.recipe} --seed {options.seed}{changed}"
            )
            write(trainer, options.data, options.out, command)
            say(f"wrote the profile to {options.out}")
            check(Towers.of(trainer), options.data, options.out, options.work, say)
    except (TempoEdgeError, ValueError) as error:
        note(f"error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
