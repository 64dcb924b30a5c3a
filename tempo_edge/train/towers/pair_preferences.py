"""Minimal pairs: does a picture prefer its caption to the same caption with one word changed?

The changed copies come from `swaps`. A model could learn that changed captions sound odd without
looking, so each pair is also put to another picture: what it prefers *blind* is the figure that
seeing must beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.minimal_pairs import Swap, swap
from tempo_edge.search.counterfactuals import KINDS
from tempo_edge.train.towers.retrieval import percent

_SEED = 7


@dataclass(frozen=True)
class Pair:
    """Caption `caption` of those of all pictures, which is of `picture`, and its changed copy."""

    picture: int
    caption: int
    changed: Swap


def pairs(captions: Sequence[Sequence[str]]) -> list[Pair]:
    """At most one pair of each kind for each picture, the same in every run."""
    rng = np.random.default_rng(_SEED)
    out: list[Pair] = []
    before = 0
    for picture, said in enumerate(captions):
        for kind in KINDS:
            for number, caption in enumerate(said, before):
                changed = swap(caption, rng, (kind,))
                if changed is not None:
                    out.append(Pair(picture, number, changed))
                    break
        before += len(said)
    return out


def preferences(
    asked: Sequence[Pair],
    pictures: NDArray[np.float32],
    true: NDArray[np.float32],
    changed: NDArray[np.float32],
) -> dict[str, tuple[float, float, int]]:
    """The percent right, the percent right blind, and the number of pairs of each kind.

    `pictures` [N, D] are unit vectors of all pictures, `true` and `changed` [P, D] of each pair's
    two sentences.
    """
    rows = np.array([pair.picture for pair in asked])
    gap = true - changed
    seeing = (pictures[rows] * gap).sum(axis=1) > 0.0
    # Half the gallery away is another photograph, and no picture meets itself.
    other = (rows + len(pictures) // 2) % len(pictures)
    blind = (pictures[other] * gap).sum(axis=1) > 0.0
    kinds = np.array([pair.changed.kind for pair in asked])
    out: dict[str, tuple[float, float, int]] = {}
    for kind in (*KINDS, "all"):
        here = np.ones(len(kinds), bool) if kind == "all" else kinds == kind
        if here.any():
            seen, unseen = percent(seeing[here].mean()), percent(blind[here].mean())
            out[kind] = (seen, unseen, int(here.sum()))
    return out
