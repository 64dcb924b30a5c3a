"""Duplicates: videos of a whole library that show the same footage, in other sizes or encodings.

Candidates are found by what is stored, and only few pairs are ever compared: videos as long as each
other, near as a whole, whose looks have their likes at their own times. Another take of a scene is
as near as that, and an encoding of few bits no nearer: so what is left is looked at side by side. A
video that holds another as a part is longer, and left alone; so is sound, which nobody compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize, quantize, unit
from tempo_edge.store.interface import Catalogue

__all__ = ["same_footage"]

# Videos of the same pictures are of one length, but for a picture at an end and what is rounded.
_SLACK_SECONDS = 0.25

# Least cosine of two videos' mean looks, and how many of the nearest are compared look by look.
_NEAR, _NEAREST = 0.7, 32

# Least mean cosine of the looks at their own times.
_ALIKE = 0.7

# Videos compared with their neighbours in length at once, and the looks that are kept meanwhile.
_BLOCK, _KEPT = 512, 256

# All the ticks that a library can hold.
_ALL = (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class _Looks:
    """The looks at a video: ``seconds`` ``[n]`` rising, unit ``vectors`` ``[n, d]``."""

    seconds: NDArray[np.float64]
    vectors: NDArray[np.float32]


def same_footage(
    catalogue: Catalogue,
    lengths: Mapping[int, float],
    best_first: Sequence[int],
    compare: Callable[[int, int], float | None],
    checkpoint: Callable[[], None] = lambda: None,
) -> list[list[tuple[int, float]]]:
    """Groups of videos of the same footage, as (id, likeness): a video, and its copies behind it.

    Each copy was compared with the first of its group itself; the likeness of that one is 1.

    Args:
        lengths: seconds of the videos that count, by their ids.
        best_first: their ids, in the order in which they are to be first of a group.
        compare: gives the likeness of two videos of the same footage, and None of others; it is
            asked about few.
        checkpoint: called between two readings; whatever it raises ends it.
    """
    read = lru_cache(maxsize=_KEPT)(lambda video: _looks(catalogue, video))
    partners: dict[int, list[int]] = {}
    for one, other in _likely(lengths, _means(read, lengths, checkpoint)):
        partners.setdefault(one, []).append(other)
        partners.setdefault(other, []).append(one)
    groups: list[list[tuple[int, float]]] = []
    taken: set[int] = set()
    for video in best_first:
        if video in taken or video not in partners:
            continue
        checkpoint()
        group = [(video, 1.0)]
        for other in sorted(set(partners[video]) - taken - {video}):
            checkpoint()
            if _are_near(read(video), read(other)):
                likeness = compare(video, other)
                if likeness is not None:
                    group.append((other, likeness))
        if len(group) > 1:
            taken.update(each for each, _ in group)
            groups.append(group)
    return groups


def _looks(catalogue: Catalogue, video: int) -> _Looks:
    pts, _, packed = catalogue.frames_between(video, *_ALL)
    return _Looks(catalogue.video(video).seconds(pts), dequantize(packed))


def _means(
    read: Callable[[int], _Looks], lengths: Mapping[int, float], checkpoint: Callable[[], None]
) -> dict[int, NDArray[np.int8]]:
    """The mean look of each video that has another one of its length, eight bits a number."""
    ordered = sorted(lengths, key=lambda video: lengths[video])
    means: dict[int, NDArray[np.int8]] = {}
    for at, video in enumerate(ordered):
        beside = ordered[max(0, at - 1) : at] + ordered[at + 1 : at + 2]
        if any(abs(lengths[each] - lengths[video]) <= _SLACK_SECONDS for each in beside):
            checkpoint()
            looks = read(video)
            if len(looks.seconds):
                means[video] = quantize(unit(looks.vectors.mean(axis=0)))
    return means


def _likely(
    lengths: Mapping[int, float], means: Mapping[int, NDArray[np.int8]]
) -> Iterator[tuple[int, int]]:
    """Pairs of videos of one length that are near as a whole: of each, the nearest few."""
    ordered = np.asarray(sorted(means, key=lambda video: (lengths[video], video)), dtype=np.int64)
    if not len(ordered):
        return
    seconds = np.asarray([lengths[video] for video in ordered.tolist()])
    packed = np.stack([means[video] for video in ordered.tolist()])
    for start in range(0, len(ordered), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(ordered)))
        ours = dequantize(packed[rows])
        found: list[tuple[NDArray[np.float32], NDArray[np.int64]]] = []
        low = int(np.searchsorted(seconds, seconds[start] - _SLACK_SECONDS))
        high = int(np.searchsorted(seconds, seconds[rows.stop - 1] + _SLACK_SECONDS, side="right"))
        for begin in range(low, high, _BLOCK * 8):
            part = slice(begin, min(begin + _BLOCK * 8, high))
            near = ours @ dequantize(packed[part]).T
            apart = np.abs(seconds[rows][:, None] - seconds[part][None]) > _SLACK_SECONDS
            near[apart | (ordered[rows][:, None] == ordered[part][None])] = -1.0
            found.append(_best(near, np.arange(part.start, part.stop)))
        values, places = (np.concatenate(each, axis=1) for each in zip(*found, strict=True))
        best = np.argsort(-values, axis=1, kind="stable")[:, :_NEAREST]
        for row, columns in enumerate(best):
            for column in columns[values[row, columns] >= _NEAR].tolist():
                one, other = int(ordered[start + row]), int(ordered[places[row, column]])
                yield min(one, other), max(one, other)


def _best(
    near: NDArray[np.float32], places: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The nearest few of each row, ``[rows, few]``, and where they stand."""
    few = min(_NEAREST, near.shape[1])
    columns = np.argpartition(-near, few - 1, axis=1)[:, :few]
    return np.take_along_axis(near, columns, axis=1), places[columns]


def _are_near(one: _Looks, other: _Looks) -> bool:
    """Whether the looks at the same times are near each other in the mean, both ways."""
    cosines = one.vectors @ other.vectors.T
    there = _aligned(cosines, one.seconds, other.seconds)
    back = _aligned(cosines.T, other.seconds, one.seconds)
    return float(np.concatenate([there, back]).mean()) >= _ALIKE


def _aligned(
    cosines: NDArray[np.float32], mine: NDArray[np.float64], theirs: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The cosine ``[n]`` of each look with the nearer of the looks before and after its time."""
    before = np.searchsorted(theirs, mine + 1e-3, side="right") - 1
    before = np.clip(before, 0, len(theirs) - 1)
    after = np.minimum(before + 1, len(theirs) - 1)
    rows = np.arange(len(mine))
    return np.maximum(cosines[rows, before], cosines[rows, after])
