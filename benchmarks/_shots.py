"""Shots as the vectors of their frames: real clips, and still ones made of views of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models import Profile
from tempo_edge.train.data.archives import Archive, Record, squash
from tempo_edge.train.data.augmentation import view
from tempo_edge.train.data.held_out import clips_split
from tempo_edge.train.data.label_prompts import asked

__all__ = ["Shots", "clips", "still_shots"]

_BATCH = 64

# The first view is the whole picture; its mirror image would come of no camera.
_VIEWS = (0, 2, 3, 4)


@dataclass(frozen=True)
class Shots:
    """The frames of ``n`` shots.

    Attributes:
        frames: unit vectors float32 ``[n, f, d]``, in the order of time.
        said: the sentences that are right for each.
        labels: what each is called; empty where it has captions alone.
    """

    frames: NDArray[np.float32]
    said: list[tuple[str, ...]]
    labels: list[str]

    def __len__(self) -> int:
        return len(self.said)


def clips(profile: Profile, data: Path) -> tuple[Shots, Shots]:
    """Clips of real actions, to train on and to measure by: no clip is in both.

    Raises:
        ValueError: clips have different numbers of frames.
    """
    with Archive(data, "action_frames") as archive:
        trained, measured = clips_split(archive.split("train"))
        return _clips(profile, archive, trained), _clips(profile, archive, measured)


def _clips(profile: Profile, archive: Archive, records: Sequence[Record]) -> Shots:
    ordered = sorted(records, key=lambda record: (record.clip, record.file))
    first = {record.clip: record for record in reversed(ordered)}
    times = np.unique(np.unique([record.clip for record in ordered], return_counts=True)[1])
    if len(times) != 1:
        raise ValueError(f"clips have {times.tolist()} frames, and must all have as many")
    pictures = (squash(archive.picture(record), profile.image_size) for record in ordered)
    of = [first[clip] for clip in sorted(first)]
    return Shots(
        frames=_seen(profile, pictures).reshape(len(of), int(times[0]), -1),
        said=[r.captions or tuple(asked(r.label, "action")) for r in of],
        labels=[record.label for record in of],
    )


def still_shots(profile: Profile, data: Path, split: str, count: int, seed: int) -> Shots:
    """Some of Flickr8k's pictures as shots in which nothing happens but the camera's doing."""
    with Archive(data, "flickr8k") as archive:
        records = archive.split(split)
        rows = np.random.default_rng(seed).permutation(len(records))[:count]
        chosen = [records[row] for row in rows]
        pictures = (
            view(archive.picture(record), (seed, int(row)), index, profile.image_size)
            for row, record in zip(rows, chosen, strict=True)
            for index in _VIEWS
        )
        frames = _seen(profile, pictures).reshape(len(chosen), len(_VIEWS), -1)
    return Shots(
        frames=frames,
        said=[record.captions for record in chosen],
        labels=[""] * len(chosen),
    )


def _seen(profile: Profile, pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
    left = iter(pictures)
    parts = []
    while batch := list(islice(left, _BATCH)):
        parts.append(profile.image_tower.encode(np.stack(batch))[0])
    return np.concatenate(parts)
