"""A profile whose weights lie between those of two: what one was taught, and what the other keeps.

    python -m tempo_edge.train.towers.weight_mean --old DIR --new DIR --share 0.7 \\
        --data DIR --out DIR [--work DIR]

Towers that go on from others (``--start``) learn what they are shown and lose some of the rest. The
mean of both sets of weights keeps most of the gain and gives back most of the loss (Wortsman et
al., 2022, "Robust fine-tuning of zero-shot models"). The share is chosen on the dev splits.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.towers.backbones import Tensors
from tempo_edge.train.towers.publish import Towers, check, write_towers
from tempo_edge.train.towers.recipe import TowerRecipe
from tempo_edge.train.towers.start import Start, read_profile

__all__ = ["main", "weight_mean"]


def weight_mean(old: Start, new: Start, share: float) -> Start:
    """Weights ``(1 - share) * old + share * new``, all of them.

    Raises:
        DataError: the two differ in what they have.
    """
    return Start(
        trunk=_between(old.trunk, new.trunk, share),
        reader=_between(old.reader, new.reader, share),
        image_head=_between(old.image_head, new.image_head, share),
        text_head=_between(old.text_head, new.text_head, share),
        digest=new.digest,
    )


def _between(old: Tensors | None, new: Tensors | None, share: float) -> Tensors:
    if old is None or new is None:
        raise DataError("backbones as they come have no heads to take the mean of")
    for name in sorted(set(old) | set(new)):
        if name not in old or name not in new or old[name].shape != new[name].shape:
            raise DataError(f"the two profiles have no like weights {name!r} to take the mean of")
    return {
        name: np.asarray((1.0 - share) * old[name] + share * new[name], np.float32) for name in new
    }


def _training(folder: Path) -> dict[str, Any]:
    """How a profile was trained, by its manifest."""
    try:
        about = json.loads((folder / "profile.json").read_text(encoding="utf-8"))["training"]
        return {**about, "recipe": TowerRecipe(**_tuples(about["recipe"]))}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder} does not say how it was trained: {error}") from error


def _tuples(recipe: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in recipe.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tempo_edge.train.towers.weight_mean",
        description="Write a profile whose weights lie between those of two.",
    )
    parser.add_argument("--old", type=Path, required=True, help="the profile that was gone on from")
    parser.add_argument("--new", type=Path, required=True, help="the profile that came of it")
    parser.add_argument("--share", type=float, required=True, help="of the new one, within (0, 1]")
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--out", type=Path, required=True, help="folder for the profile")
    parser.add_argument("--work", type=Path, help="compare ways of storing it, in this folder")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if not 0.0 < options.share <= 1.0:
            raise DataError(f"--share {options.share}: a number within (0, 1] is needed")
        training = _training(options.new)
        recipe: TowerRecipe = training["recipe"]
        start = weight_mean(read_profile(options.old), read_profile(options.new), options.share)
        image, text = start.heads(recipe)
        command = (
            f"{training['command']}, then python -m tempo_edge.train.towers.weight_mean "
            f"--old PROFILE --new DIR --share {options.share:g} --data DIR --out DIR"
        )
        towers = Towers(start.trunk, image, start.reader, text)
        write_towers(
            towers,
            options.data,
            options.out,
            recipe,
            command,
            {"share": options.share, "curves": training.get("curves", [])},
        )
        print(f"wrote the profile to {options.out}")
        if options.work is not None:
            check(towers, options.data, options.out, options.work, partial(print, flush=True))
    except TempoEdgeError as error:
        note(f"error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
