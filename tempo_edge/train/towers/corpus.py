"""Puts the archives together: pictures as cached features, captions, labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.train.data.archives import Archive, Record
from tempo_edge.train.data.held_out import held_out_classes, imagenet_classes, trained_on
from tempo_edge.train.data.label_prompts import prompts as label_prompts
from tempo_edge.train.towers.feature_cache import FeatureCache, ViewFeatures

Archives = Mapping[str, Archive]


def sports(archives: Archives) -> list[str]:
    """The names of the sports, in their order as labels."""
    return sorted({record.label for record in archives["sports100"].records})


@dataclass
class Labels:
    """The labels that training knows: names, prompts as text, and the classifier's rows.

    The first `len(rows)` labels are ImageNet classes; `rows` int64 are their places among the
    classifier's 1,000 outputs.
    """

    names: list[str]
    prompts: list[list[str]]
    rows: NDArray[np.int64]


def labels(archives: Archives, names: Sequence[str]) -> Labels:
    """The labels of the named archives, held-out classes left out."""
    classes = imagenet_classes(archives["imagenet_samples"].records)
    out = held_out_classes(classes)
    rows = [row for row, record in enumerate(classes) if record.wnid not in out]
    known = [classes[row].wnid for row in rows]
    prompts = [label_prompts(classes[row], "object") for row in rows]
    if "sports100" in names:
        known += sports(archives)
        by_label = {record.label: record for record in archives["sports100"].records}
        prompts += [label_prompts(by_label[label], "sport") for label in sports(archives)]
    return Labels(known, prompts, np.array(rows, np.int64))


@dataclass
class Pictures:
    """Pictures of one kind: their views, and the captions or the label of each.

    `views[a]` are the views of archive `a`'s whole split; picture `i` is row `rows[i]` of archive
    `archive[i]`. `label` int64 [N] is a row of `Labels`, or -1.
    """

    views: list[list[ViewFeatures]]
    archive: NDArray[np.int64]
    rows: NDArray[np.int64]
    captions: list[tuple[str, ...]]
    label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    def maps(self, chosen: NDArray[np.int64], view: NDArray[np.int64]) -> NDArray[np.float16]:
        """The maps of one view each of the chosen pictures, float16 [B, h, w, C]."""
        return np.stack([each.maps[row] for each, row in self._at(chosen, view)])

    def classes(self, chosen: NDArray[np.int64], view: NDArray[np.int64]) -> NDArray[np.float16]:
        """The untouched classifier's probabilities for those views, float16 ``[b, 1000]``."""
        return np.stack([each.classes[row] for each, row in self._at(chosen, view)])

    def _at(
        self, chosen: NDArray[np.int64], view: NDArray[np.int64]
    ) -> Iterator[tuple[ViewFeatures, int]]:
        for i, v in zip(chosen, view, strict=True):
            yield self.views[self.archive[i]][v], self.rows[i]


@dataclass
class Corpus:
    """The pictures that a run trains on; `labelled` may be empty."""

    captioned: Pictures
    labelled: Pictures
    labels: Labels


def _pictures(
    cache: FeatureCache,
    archives: Archives,
    chosen: Mapping[str, list[Record]],
    views: int,
    known: Labels,
) -> Pictures:
    place = {name: row for row, name in enumerate(known.names)}
    records = [record for some in chosen.values() for record in some]
    splits = {name: archives[name].split("train") for name in chosen}
    rows = []
    for name, some in chosen.items():
        where = {record.file: row for row, record in enumerate(splits[name])}
        rows += [where[record.file] for record in some]
    return Pictures(
        views=[
            [cache.view(archives[name], split, index) for index in range(views)]
            for name, split in splits.items()
        ],
        archive=np.repeat(np.arange(len(chosen)), [len(some) for some in chosen.values()]),
        rows=np.array(rows, np.int64),
        captions=[record.captions for record in records],
        label=np.array([place.get(r.wnid or r.label, -1) for r in records], np.int64),
    )


def gather(cache: FeatureCache, archives: Archives, names: Sequence[str], views: int) -> Corpus:
    """The training corpus of the named archives with `views` views a picture."""
    known = labels(archives, names)
    train = trained_on(archives, names)
    captioned = {name: some for name, some in train.items() if some[0].captions}
    labelled = {name: some for name, some in train.items() if not some[0].captions}
    return Corpus(
        _pictures(cache, archives, captioned, views, known),
        _pictures(cache, archives, labelled, views, known),
        known,
    )
