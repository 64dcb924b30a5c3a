"""Puts the archives together: pictures as cached features, captions, labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.train.data.archives import SOURCES, Archive, DataError, Record
from tempo_edge.train.data.held_out import held_out_classes, imagenet_classes, trained_on
from tempo_edge.train.data.label_prompts import names, prompts
from tempo_edge.train.towers.feature_cache import FeatureCache, ViewFeatures

Archives = Mapping[str, Archive]

#: Labels of one pool exclude each other, unless they share a name. Those of two pools need not: a
#: football stadium shows football, and a photograph of two dogs is one of a golden retriever.
POOLS = {"object": 0, "sport": 0, "place": 1, "action": 2, "count": 3}


@dataclass
class Labels:
    """The labels that training knows.

    The first ``len(rows)`` of ``k`` labels are ImageNet classes.

    Attributes:
        names: a name that no other label of the same archive has.
        prompts: the sentences of each.
        rows: int64, the places of ImageNet classes among the classifier's 1,000 outputs.
        group: int64 ``[k]``; labels that share a name have one number.
        pool: int64 ``[k]``; only labels of one pool exclude each other.
    """

    names: list[str]
    prompts: list[list[str]]
    rows: NDArray[np.int64]
    group: NDArray[np.int64]
    pool: NDArray[np.int64]

    def row(self, record: Record) -> int:
        """The row of a record's label; raises DataError if training doesn't know it."""
        name = _key(record)
        if name not in self._rows:
            raise DataError(
                f"archive {record.archive!r}: {record.file} has the label {record.label!r}, "
                "which is held out or unknown"
            )
        return self._rows[name]

    def __post_init__(self) -> None:
        """Remember where each label is."""
        self._rows = {name: row for row, name in enumerate(self.names)}


def _key(record: Record) -> str:
    return record.wnid or f"{SOURCES[record.archive].vocabulary}: {record.label}"


def _one_group(called: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """The number of the first label that shares a name with each, directly or through others."""
    group = np.arange(len(called))
    first: dict[str, int] = {}
    for row, some in enumerate(called):
        for name in some:
            other = first.setdefault(name, row)
            if group[other] != group[row]:
                low, high = sorted((group[other], group[row]))
                group[group == high] = low
    return group


def labels(archives: Archives, chosen: Mapping[str, Sequence[Record]]) -> Labels:
    """The labels of the records to train on, and all ImageNet classes but those held out."""
    classes = imagenet_classes(archives["imagenet_samples"].records)
    out = held_out_classes(classes)
    rows = [row for row, record in enumerate(classes) if record.wnid not in out]
    known = {classes[row].wnid: classes[row] for row in rows}
    for some in chosen.values():
        for record in some:
            if record.label and not record.wnid:
                known.setdefault(_key(record), record)
    kinds = [SOURCES[record.archive].vocabulary for record in known.values()]
    pairs = list(zip(known.values(), kinds, strict=True))
    return Labels(
        names=list(known),
        prompts=[prompts(record, kind) for record, kind in pairs],
        rows=np.array(rows, np.int64),
        group=_one_group([names(record, kind) for record, kind in pairs]),
        pool=np.array([POOLS[kind] for kind in kinds], np.int64),
    )


@dataclass
class Pictures:
    """``n`` pictures: the records, frames and views of each, and its label.

    ``views[a]`` are the views of archive ``a``'s whole split. Picture ``i`` is of archive
    ``archive[i]`` and was taken in the rows ``frames[i]`` of that split: one row, or as many as a
    clip has frames. ``label`` int64 ``[n]`` is a row of :class:`Labels`, or -1.
    """

    views: list[list[ViewFeatures]]
    archive: NDArray[np.int64]
    frames: list[tuple[int, ...]]
    records: list[Record]
    label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    @property
    def captions(self) -> list[tuple[str, ...]]:
        """The captions of each picture; none of those that have labels."""
        return [record.captions for record in self.records]

    def maps(
        self, chosen: NDArray[np.int64], view: NDArray[np.int64], when: NDArray[np.float64]
    ) -> NDArray[np.float16]:
        """The maps of one view each of the chosen pictures, float16 ``[b, h, w, c]``.

        ``when`` float64 ``[b]`` in [0, 1) is how far into a clip its frame is taken.
        """
        return np.stack([each.maps[row] for each, row in self._at(chosen, view, when)])

    def classes(
        self, chosen: NDArray[np.int64], view: NDArray[np.int64], when: NDArray[np.float64]
    ) -> NDArray[np.float16]:
        """The untouched classifier's probabilities for those views, float16 ``[b, 1000]``."""
        return np.stack([each.classes[row] for each, row in self._at(chosen, view, when)])

    def _at(
        self, chosen: NDArray[np.int64], view: NDArray[np.int64], when: NDArray[np.float64]
    ) -> Iterator[tuple[ViewFeatures, int]]:
        for i, v, w in zip(chosen, view, when, strict=True):
            frames = self.frames[i]
            yield self.views[self.archive[i]][v], frames[int(w * len(frames))]


@dataclass
class Corpus:
    """The pictures that a run trains on; ``labelled`` may be empty."""

    captioned: Pictures
    labelled: Pictures
    labels: Labels


def pictures(
    cache: FeatureCache,
    archives: Archives,
    chosen: Mapping[str, Sequence[Record]],
    views: int,
    known: Labels,
) -> Pictures:
    """Pictures of chosen records of each archive's ``train`` split; frames of a clip are one."""
    splits = {name: archives[name].split("train") for name in chosen}
    found = Pictures([], np.empty(0, np.int64), [], [], np.empty(0, np.int64))
    archive = []
    for number, (name, some) in enumerate(chosen.items()):
        where = {record.file: row for row, record in enumerate(splits[name])}
        found.views.append([cache.view(archives[name], splits[name], at) for at in range(views)])
        for one in _clips(some):
            archive.append(number)
            found.frames.append(tuple(where[record.file] for record in one))
            found.records.append(one[0])
    found.archive = np.array(archive, np.int64)
    rows = [known.row(record) if record.label else -1 for record in found.records]
    found.label = np.array(rows, np.int64)
    return found


def _clips(records: Sequence[Record]) -> list[list[Record]]:
    """Records of one clip together, in the order of their first; others by themselves."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.clip or record.file, []).append(record)
    return list(found.values())


def gather(cache: FeatureCache, archives: Archives, names: Sequence[str], views: int) -> Corpus:
    """The training corpus of the named archives with ``views`` views a picture."""
    chosen = trained_on(archives, names)
    known = labels(archives, chosen)
    said = {name: [r for r in some if not r.label] for name, some in chosen.items()}
    named = {name: [r for r in some if r.label] for name, some in chosen.items()}
    return Corpus(
        pictures(cache, archives, {k: some for k, some in said.items() if some}, views, known),
        pictures(cache, archives, {k: some for k, some in named.items() if some}, views, known),
        known,
    )
