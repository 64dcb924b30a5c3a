"""Draws the batches: which pictures meet in a step, in which view, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.train.towers.corpus import Corpus, Pictures
from tempo_edge.train.towers.recipe import TowerRecipe

_CROP = (20, 22, 24)  # sides of the window that is cut out of a 24x24 map


@dataclass
class TowerBatch:
    """One step's pictures and sentences.

    `maps` float16 [B, h, w, C] and `classes` float16 [B, 1000] hold the captioned pictures first,
    then the labelled ones; `label` int64 [B] is -1 for captioned ones. `sentences` are right for
    the pictures `owner` int64 [T]; `wrong` are right for none; `prompts` are those of the labelled
    pictures, in their order.
    """

    maps: NDArray[np.float16]
    classes: NDArray[np.float16]
    label: NDArray[np.int64]
    sentences: list[str]
    owner: NDArray[np.int64]
    wrong: list[str]
    prompts: list[str]


def grouped_order(
    near: NDArray[np.int64], size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """A permutation of all pictures in which runs of up to `size` are alike.

    Each run starts with a picture not yet placed and takes up to `size - 1` of its neighbours.
    Runs are shuffled, so that a batch holds many of them.
    """
    placed = np.zeros(len(near), bool)
    runs: list[NDArray[np.int64]] = []
    for start in rng.permutation(len(near)):
        if placed[start]:
            continue
        placed[start] = True
        free = rng.permutation(near[start][~placed[near[start]]])[: size - 1]
        placed[free] = True
        runs.append(np.concatenate([[start], free]))
    return np.concatenate([runs[i] for i in rng.permutation(len(runs))])


class BatchSampler:
    """An endless supply of epochs over a corpus."""

    def __init__(
        self, corpus: Corpus, recipe: TowerRecipe, near: NDArray[np.int64] | None = None
    ) -> None:
        """`near` are the neighbours of captioned pictures; without it they meet at random."""
        self._corpus = corpus
        self._recipe = recipe
        self._near = near
        self.rng = np.random.default_rng(recipe.seed)

    @property
    def steps(self) -> int:
        """Steps in an epoch; the last captioned pictures that fill no batch are left out."""
        return max(1, len(self._corpus.captioned) // self._recipe.batch)

    def _captioned(self) -> NDArray[np.int64]:
        count = len(self._corpus.captioned)
        if self._near is None or self._recipe.neighbours == 1:
            return self.rng.permutation(count)
        # Some pictures must change places with those that the last batch would lose.
        order = grouped_order(self._near, self._recipe.neighbours, self.rng)
        return np.roll(order, int(self.rng.integers(count)))

    def _labelled(self, steps: int) -> list[NDArray[np.int64]]:
        """The labelled pictures of each step, as many of one archive as of another."""
        known = self._corpus.labelled
        archives = np.unique(known.archive)
        if not len(archives):
            return [np.empty(0, np.int64)] * steps
        each = self._recipe.labelled_batch // len(archives)
        parts = []
        for archive in archives:
            members = np.flatnonzero(known.archive == archive)
            rounds = -(-steps * each // len(members))
            order = np.concatenate([self.rng.permutation(members) for _ in range(rounds)])
            parts.append(order[: steps * each].reshape(steps, each))
        return list(np.concatenate(parts, axis=1))

    def _views(self, pictures: Pictures, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.rng.integers(0, len(pictures.views[0]), len(rows))

    def epoch(self) -> Iterator[TowerBatch]:
        """The batches of one epoch."""
        size = min(self._recipe.batch, len(self._corpus.captioned))
        order = self._captioned()
        labelled = self._labelled(self.steps)
        for step in range(self.steps):
            yield self._batch(order[step * size : (step + 1) * size], labelled[step])

    def _batch(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> TowerBatch:
        captioned, known = self._corpus.captioned, self._corpus.labelled
        sentences, owner, wrong = [], [], []
        for place, row in enumerate(rows):
            said = captioned.captions[row]
            picks = self.rng.permutation(len(said))[: self._recipe.captions]
            sentences += [said[pick] for pick in picks]
            owner += [place] * len(picks)
            if self.rng.random() < self._recipe.swapped:
                changed = swap(said[picks[0]], self.rng)
                if changed is not None:
                    wrong.append(changed.sentence)
        view = self._views(captioned, rows)
        maps, classes = captioned.maps(rows, view), captioned.classes(rows, view)
        if len(others):
            view = self._views(known, others)
            maps = np.concatenate([maps, known.maps(others, view)])
            classes = np.concatenate([classes, known.classes(others, view)])
        prompts = [self._corpus.labels.prompts[label] for label in known.label[others]]
        side = int(self.rng.choice([s for s in _CROP if s <= maps.shape[1]] or [maps.shape[1]]))
        top, left = self.rng.integers(0, maps.shape[1] - side + 1, 2)
        return TowerBatch(
            maps=maps[:, top : top + side, left : left + side],
            classes=classes,
            label=np.concatenate([np.full(len(rows), -1), known.label[others]]),
            sentences=sentences,
            owner=np.array(owner, np.int64),
            wrong=wrong,
            prompts=[each[int(self.rng.integers(len(each)))] for each in prompts],
        )
