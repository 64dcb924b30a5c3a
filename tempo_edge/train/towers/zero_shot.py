"""What a profile calls pictures, with no training on their names: the nearest of all names wins.

A name is the mean of the sentences that ask for it, or the bare name alone, as people type it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from tempo_edge.train.data.archives import Archive, Record, Vocabulary
from tempo_edge.train.data.held_out import (
    animals_split,
    clips_split,
    imagenet_classes,
    imagenet_split,
)
from tempo_edge.train.data.label_prompts import asked
from tempo_edge.train.towers.counting import Counting, CountShares
from tempo_edge.train.towers.gallery import Gallery
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.retrieval import Floats, top1, top_k

__all__ = ["Actions", "Breadth", "Named", "actions", "breadth", "counts", "named"]


class Named(TypedDict):
    """Percent of pictures whose own name is the nearest, or among the nearest five.

    ``bare`` is the share of the bare names alone.
    """

    top1: float
    top5: float
    bare: float


class Breadth(TypedDict):
    """Percent of ImageNet samples whose own name is the nearest.

    Unseen pictures of seen classes and of held-out classes are named among all 1,000; the last
    figure is that of held-out classes among their own 100.
    """

    unseen: float
    held_out: float
    held_out_of_100: float


class Actions(TypedDict):
    """Percent of frames, and of clips by the mean of their frames, that are called what they do."""

    frame: float
    clip: float
    clips: int


def named(profile: ProfileSessions, gallery: Gallery, vocabulary: Vocabulary) -> Named:
    """The figures of labelled pictures among all names of their archive."""
    right = [gallery.labels.index(record.label) for record in gallery.records]
    names = profile.names([asked(label, vocabulary) for label in gallery.labels])
    bare = profile.names([[label] for label in gallery.labels])
    return Named(
        top1=top1(gallery.vectors, names, right),
        top5=top_k(gallery.vectors, names, right, 5),
        bare=top1(gallery.vectors, bare, right),
    )


def breadth(data: Path, profile: ProfileSessions) -> Breadth:
    """ImageNet samples that training did not see, among all names."""
    with Archive(data, "imagenet_samples") as archive:
        classes = imagenet_classes(archive.records)
        _, unseen, held_out = imagenet_split(archive.split("train"))
        pictures, _ = profile.pictures(archive, [*unseen, *held_out])
    place = {record.wnid: i for i, record in enumerate(classes)}
    names = profile.names([asked(record.label, "object") for record in classes])
    strange = sorted({record.wnid for record in held_out})
    known, new = pictures[: len(unseen)], pictures[len(unseen) :]
    return Breadth(
        unseen=top1(known, names, [place[record.wnid] for record in unseen]),
        held_out=top1(new, names, [place[record.wnid] for record in held_out]),
        held_out_of_100=top1(
            new,
            names[[place[wnid] for wnid in strange]],
            [strange.index(record.wnid) for record in held_out],
        ),
    )


def counts(data: Path, profile: ProfileSessions) -> tuple[CountShares, CountShares]:
    """Animals counted on the pictures that no run trains on, and on all of them."""
    gallery = Gallery.of(profile, data, "animals", "train")
    place = {record.file: row for row, record in enumerate(gallery.records)}

    def of(measured: Sequence[Record]) -> CountShares:
        counting = Counting(gallery.records, measured)
        names = profile.names([asked(label, "count") for label in counting.labels])
        return counting.shares(gallery.vectors[[place[r.file] for r in measured]], names)

    _, held_out = animals_split(gallery.records)
    return of(held_out), of(gallery.records)


def actions(data: Path, profile: ProfileSessions) -> Actions:
    """Frames and clips that no run trains on, among the names of all actions."""
    with Archive(data, "action_frames") as archive:
        _, measured = clips_split(archive.split("train"))
        measured = [record for record in measured if record.label]
        labels = sorted({record.label for record in archive.records if record.label})
        frames, _ = profile.pictures(archive, measured)
    names = profile.names([asked(label, "action") for label in labels])
    label_of = {record.clip: labels.index(record.label) for record in measured}
    clip_of = np.array([record.clip for record in measured])
    means: Floats = np.stack([frames[clip_of == clip].mean(axis=0) for clip in label_of])
    return Actions(
        frame=top1(frames, names, [labels.index(record.label) for record in measured]),
        clip=top1(means, names, list(label_of.values())),
        clips=len(label_of),
    )
