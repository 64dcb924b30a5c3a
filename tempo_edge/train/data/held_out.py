"""What is trained on and what is held out: classes, clips and pictures that only measure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from tempo_edge.train.data.archives import Archive, DataError, Record

__all__ = [
    "CLASSES",
    "HELD_OUT",
    "animals_split",
    "clips_split",
    "held_out_classes",
    "imagenet_classes",
    "imagenet_split",
    "measured_on",
    "trained_on",
]

CLASSES = 1000  # of ImageNet, as many as the classifier tells apart
HELD_OUT = 100  # ImageNet classes that training never sees nor names
_HELD_OUT_SEED = 20
_ANIMALS_SEED = 22
_CLIPS_SEED = 22
_MEASURED = 5  # one in so many pictures of animals, and of the clips of each label, only measures

# The clips that UCF-101 cut out of one film end with a number of their own; they show one person
# in one room, so a film is on one side whole.
_CUT = re.compile(r"_c\d+$")


def imagenet_classes(records: Sequence[Record]) -> list[Record]:
    """One record for each ImageNet class, in the order of the classifier's outputs.

    The classifier's classes follow the sorted WordNet identifiers.
    """
    classes = {record.wnid: record for record in records if record.wnid}
    if len(classes) != CLASSES:
        raise DataError(
            f"archive 'imagenet_samples' names {len(classes)} classes, expected {CLASSES}"
        )
    return [classes[wnid] for wnid in sorted(classes)]


def held_out_classes(classes: Sequence[Record]) -> set[str]:
    """The identifiers of the 100 ImageNet classes that training never sees nor names."""
    rng = np.random.default_rng(_HELD_OUT_SEED)
    rows = rng.choice(len(classes), HELD_OUT, replace=False)
    return {classes[row].wnid for row in rows}


def imagenet_split(records: Sequence[Record]) -> tuple[list[Record], list[Record], list[Record]]:
    """ImageNet samples to train on, unseen ones of seen classes, and those of held-out classes.

    The first picture of each class that is not held out is trained on; its others are not.
    """
    out = held_out_classes(imagenet_classes(records))
    first: dict[str, Record] = {}
    others: list[Record] = []
    for record in records:
        if record.wnid in out:
            continue
        if record.wnid in first:
            others.append(record)
        else:
            first[record.wnid] = record
    return list(first.values()), others, [record for record in records if record.wnid in out]


def _drawn(names: Sequence[str], seed: int) -> list[str]:
    """The names in an order that depends on the seed and on nothing else."""
    ordered = sorted(set(names))
    return [ordered[row] for row in np.random.default_rng(seed).permutation(len(ordered))]


def animals_split(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Pictures of animals in number: four fifths to train on, and a fifth that measures."""
    order = _drawn([record.file for record in records], _ANIMALS_SEED)
    measured = set(order[: len(order) // _MEASURED])
    return (
        [record for record in records if record.file not in measured],
        [record for record in records if record.file in measured],
    )


def _film(clip: str) -> str:
    return _CUT.sub("", clip.rpartition(".")[0] or clip)


def _measured_films(records: Sequence[Record], label: str) -> set[str]:
    """The films that hold about a fifth of a label's clips, and never all of them."""
    clips = {record.clip for record in records if record.label == label}
    films = _drawn([_film(clip) for clip in clips], _CLIPS_SEED)
    measured: set[str] = set()
    for film in films[:-1]:
        if _MEASURED * sum(_film(clip) in measured for clip in clips) >= len(clips):
            break
        measured.add(film)
    return measured


def clips_split(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Frames to train on, and frames of other clips of the same labels, which measure.

    Of each label the clips of some films, about a fifth, are measured with all of their frames.
    A frame without a label measures no label: all of them are trained on.
    """
    labels = sorted({record.label for record in records if record.label})
    films = {label: _measured_films(records, label) for label in labels}

    def measures(record: Record) -> bool:
        return _film(record.clip) in films.get(record.label, set())

    return (
        [record for record in records if not measures(record)],
        [record for record in records if measures(record)],
    )


def trained_on(archives: Mapping[str, Archive], names: Sequence[str]) -> dict[str, list[Record]]:
    """The records of each archive to train on: none of held-out classes, none that is measured."""
    train = {name: archives[name].split("train") for name in names}
    if "imagenet_samples" in train:
        train["imagenet_samples"] = imagenet_split(archives["imagenet_samples"].records)[0]
    if "animals" in train:
        train["animals"] = animals_split(train["animals"])[0]
    if "action_frames" in train:
        train["action_frames"] = clips_split(train["action_frames"])[0]
    return train


def measured_on(archives: Mapping[str, Archive], names: Sequence[str]) -> dict[str, list[Record]]:
    """The records of each archive that choices may be measured on: none that is trained on.

    Nor any under ``test/``, on which nothing is chosen.
    """
    trained = {
        name: {record.file for record in records}
        for name, records in trained_on(archives, names).items()
    }
    return {
        name: [
            record
            for record in archives[name].records
            if record.split != "test" and record.file not in trained[name]
        ]
        for name in names
    }
