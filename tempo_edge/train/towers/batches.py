"""Draws the batches: which pictures meet in a step, in which view, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.minimal_pairs import swap, word_frequencies
from tempo_edge.train.data.archives import SOURCES
from tempo_edge.train.data.flickr30k import plain
from tempo_edge.train.data.label_prompts import composition, miscounts
from tempo_edge.train.data.short_queries import content_words, short_query
from tempo_edge.train.towers.corpus import Corpus, Pictures
from tempo_edge.train.towers.recipe import TowerRecipe

_SMALLEST = 10  # side of a map that is not cropped
_CROP = (5 / 6, 11 / 12, 1.0)  # sides of the window that is cut out of a map, as shares of its own


@dataclass
class TowerBatch:
    """One step's pictures and sentences.

    The captioned pictures come first, then the labelled ones: ``b`` in all, ``l`` of them labelled.

    Attributes:
        maps: float16 ``[b, h, w, c]``.
        classes: float16 ``[b, 1000]``, the untouched classifier's probabilities.
        label: int64 ``[b]``, -1 for captioned pictures.
        captions: sentences of captioned pictures; ``said`` bool ``[b - l, captions]`` says for
            which ones each is right.
        short: short queries; ``meant`` bool ``[short, b - l]`` says which pictures answer each.
        prompts: one of each labelled picture; ``named`` bool ``[l, l]`` says for which ones each is
            right, ``told`` bool ``[l, l]`` for which ones that is known.
        wrong: sentences that are right for no captioned picture.
        margins: ``(picture, right, wrong)``: a row of ``maps``, a sentence that is right for it,
            and one that it must like less.
    """

    maps: NDArray[np.float16]
    classes: NDArray[np.float16]
    label: NDArray[np.int64]
    captions: list[str] = field(default_factory=list)
    said: NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), np.bool_))
    short: list[str] = field(default_factory=list)
    meant: NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), np.bool_))
    prompts: list[str] = field(default_factory=list)
    named: NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), np.bool_))
    told: NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), np.bool_))
    wrong: list[str] = field(default_factory=list)
    margins: list[tuple[int, str, str]] = field(default_factory=list)


def grouped_order(
    near: NDArray[np.int64], size: int, times: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """An order in which picture ``i`` comes ``times[i]`` times and runs of up to `size` are alike.

    Each run starts with a picture not yet placed and takes up to `size - 1` of its neighbours; none
    holds a picture twice. Runs are shuffled, so that a batch holds many of them.
    """
    runs: list[NDArray[np.int64]] = []
    for turn in range(int(times.max(initial=0))):
        placed = times <= turn
        for start in rng.permutation(len(near)):
            if placed[start]:
                continue
            placed[start] = True
            free = rng.permutation(near[start][~placed[near[start]]])[: size - 1]
            placed[free] = True
            runs.append(np.concatenate([[start], free]))
    order: NDArray[np.int64] = np.concatenate([runs[i] for i in rng.permutation(len(runs))])
    return order


def root_shares(archive: NDArray[np.int64]) -> dict[int, float]:
    """The share of each archive in what is drawn: in proportion to the square root of its size."""
    numbers, sizes = np.unique(archive, return_counts=True)
    shares = np.sqrt(sizes) / np.sqrt(sizes).sum()
    return dict(zip(numbers.tolist(), shares.tolist(), strict=True))


def drawn_times(
    weights: NDArray[np.float64], count: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """How often each is drawn so that ``count`` are drawn in all, in proportion to its weight."""
    wanted = weights * (count / weights.sum())
    times: NDArray[np.int64] = np.floor(wanted + rng.random(len(wanted))).astype(np.int64)
    return times


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
        captions = corpus.captioned.captions
        self._words = [[content_words(each) for each in said] for said in captions]
        self._saying: dict[str, set[int]] = {}
        for picture, said in enumerate(captions):
            for each in said:
                self._saying.setdefault(plain(each), set()).add(picture)
        self._frequencies = word_frequencies([each for said in captions for each in said])
        self._times = self._captioned_weights()

    def _captioned_weights(self) -> NDArray[np.float64]:
        """How often each captioned picture is drawn in an epoch; those of the largest archive once.

        An archive of ``s`` pictures is drawn ``sqrt(s * largest)`` times, but none of its pictures
        more often than the recipe's ``most``.
        """
        archive = self._corpus.captioned.archive
        sizes = np.bincount(archive)
        often = np.sqrt(sizes.max() / np.maximum(sizes, 1)).clip(max=self._recipe.most)
        return np.asarray(often[archive], np.float64)

    @property
    def steps(self) -> int:
        """Steps in an epoch; the last captioned pictures that fill no batch are left out."""
        return max(1, int(self._times.sum()) // self._recipe.batch)

    def _captioned(self, steps: int) -> NDArray[np.int64]:
        """The captioned pictures of an epoch in their order."""
        times = drawn_times(self._times, self._times.sum(), self.rng)
        if self._near is None or self._recipe.neighbours == 1:
            order = self.rng.permutation(np.repeat(np.arange(len(times)), times))
        else:
            order = grouped_order(self._near, self._recipe.neighbours, times, self.rng)
        # Some pictures must change places with those that the last batch would lose.
        return np.resize(np.roll(order, int(self.rng.integers(len(order)))), steps * self._size)

    @property
    def _size(self) -> int:
        return min(self._recipe.batch, len(self._corpus.captioned))

    def _labelled(self, steps: int) -> list[NDArray[np.int64]]:
        """The labelled pictures of each step.

        Archives have shares by the square root of their sizes, and so have the labels of each: 121
        clips of boxing are not six times as many as 18 of a quiet street. Numbers come as often as
        they are there: drawn by the square root, the rare ones are expected too often.
        """
        known = self._corpus.labelled
        parts = []
        for archive, share in root_shares(known.archive).items():
            members = np.flatnonzero(known.archive == archive)
            each = max(1, round(share * self._recipe.labelled_batch))
            alike = np.bincount(known.label[members])[known.label[members]].astype(np.float64)
            if SOURCES[known.records[members[0]].archive].vocabulary == "count":
                alike = np.ones(len(members))
            times = drawn_times(1.0 / np.sqrt(alike), steps * each, self.rng)
            order = self.rng.permutation(np.repeat(members, times))
            parts.append(np.resize(order, steps * each).reshape(steps, each))
        if not parts:
            return [np.empty(0, np.int64)] * steps
        return list(np.concatenate(parts, axis=1))

    def epoch(self) -> Iterator[TowerBatch]:
        """The batches of one epoch."""
        order = self._captioned(self.steps)
        labelled = self._labelled(self.steps)
        for step in range(self.steps):
            rows = order[step * self._size : (step + 1) * self._size]
            batch = self._pictures(rows, labelled[step])
            self._say(batch, rows)
            self._name(batch, labelled[step], len(rows))
            yield batch

    def _views(
        self, pictures: Pictures, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        view = self.rng.integers(0, len(pictures.views[0]), len(rows))
        when = self.rng.random(len(rows))
        return pictures.maps(rows, view, when), pictures.classes(rows, view, when)

    def _pictures(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> TowerBatch:
        maps, classes = self._views(self._corpus.captioned, rows)
        if len(others):
            more, of_more = self._views(self._corpus.labelled, others)
            maps, classes = np.concatenate([maps, more]), np.concatenate([classes, of_more])
        whole = maps.shape[1]
        side = max(round(float(self.rng.choice(_CROP)) * whole), min(whole, _SMALLEST))
        top, left = self.rng.integers(0, whole - side + 1, 2)
        label = np.concatenate([np.full(len(rows), -1), self._corpus.labelled.label[others]])
        return TowerBatch(maps[:, top : top + side, left : left + side], classes, label)

    def _say(self, batch: TowerBatch, rows: NDArray[np.int64]) -> None:
        """Put in what is said of the captioned pictures, and what is not true of them."""
        recipe, captioned = self._recipe, self._corpus.captioned
        for place, row in enumerate(rows):
            said = captioned.records[row].captions
            said = [said[pick] for pick in self.rng.permutation(len(said))]
            batch.captions += said[: recipe.captions]
            if self.rng.random() < recipe.short:
                short = short_query(said[0], self.rng)
                batch.short += [short] if short is not None else []
            if recipe.swapped or recipe.swap_weight:
                self._change(batch, place, said)
        batch.said = self._right(batch.captions, rows)
        batch.meant = np.array(
            [[self._answers(row, content_words(short)) for row in rows] for short in batch.short],
            np.bool_,
        ).reshape(len(batch.short), len(rows))

    def _change(self, batch: TowerBatch, place: int, said: Sequence[str]) -> None:
        """Put in a caption with a word changed: of the first caption in which one can be."""
        for each in said:
            changed = swap(each, self.rng, frequencies=self._frequencies)
            if changed is None:
                continue
            if self._recipe.swap_weight:
                batch.margins.append((place, each, changed.sentence))
            if self.rng.random() < self._recipe.swapped:
                batch.wrong.append(changed.sentence)
            return

    def _right(self, sentences: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which sentences are captions of which pictures: the same words are one sentence."""
        saying = [self._saying[plain(sentence)] for sentence in sentences]
        return np.array([[int(row) in some for some in saying] for row in rows], np.bool_)

    def _answers(self, row: int, wanted: frozenset[str]) -> bool:
        """Whether one caption of a picture holds all the words of a short query."""
        return any(wanted <= words for words in self._words[row])

    def _name(self, batch: TowerBatch, others: NDArray[np.int64], first: int) -> None:
        """Put in the labelled pictures' prompts, and other numbers of the same animals."""
        known, labels = self._corpus.labelled, self._corpus.labels
        composed = np.zeros(len(others), np.bool_)
        for place, row in enumerate(others):
            record = known.records[row]
            prompt = None
            if record.objects and self.rng.random() < self._recipe.composed:
                prompt = composition(record, self.rng)
            composed[place] = prompt is not None
            if prompt is None:
                several = labels.prompts[known.label[row]]
                prompt = several[int(self.rng.integers(len(several)))]
            batch.prompts.append(prompt)
            if self._recipe.swap_weight and SOURCES[record.archive].vocabulary == "count":
                others_said = miscounts(record)
                if others_said:
                    wrong = others_said[int(self.rng.integers(len(others_said)))]
                    batch.margins.append((first + place, prompt, wrong))
        label = known.label[others]
        group, pool = labels.group[label], labels.pool[label]
        same = group[:, None] == group[None, :]
        # Of another kitchen nobody knows whether it has a stove and a lamp.
        batch.named = same & ~composed[None, :] | np.eye(len(others), dtype=np.bool_)
        batch.told = (pool[:, None] == pool[None, :]) & ~(same & ~batch.named)
