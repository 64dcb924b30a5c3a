"""Copies: moments of several files that hold the same pictures, such as one clip in two containers.

The library knows files of the same bytes. Here are those of other bytes and the same pictures: told
by what was stored of their frames, so that nothing is decoded. Frames of one scene are alike as
well, so two takes of it are told apart by their lengths and by every frame at its own time. What
was encoded again so coarsely that its vectors moved as far as a scene's do is no copy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize
from tempo_edge.search.candidates import Candidate

__all__ = ["grouped", "is_copy"]

# Two moments of the same pictures are of one length, but for what a container rounds.
_SLACK_SECONDS = 0.1

# Least cosine of two looks at one picture, and how many looks tell that much.
_SAME, _LOOKS = 0.99, 3

# Least cosine where videos have fewer looks than that, and are compared as a whole.
_IDENTICAL = 0.999

# Looks at one picture are about as near to a query: pairs that are not so need no comparing.
_NEAR = 0.02


def grouped(candidates: Sequence[Candidate]) -> list[tuple[Candidate, ...]]:
    """Candidates with the copies of each behind it, in the order of the first of each group."""
    groups: list[list[Candidate]] = []
    place: dict[int, int] = {}
    for index, likely in enumerate(_likely(candidates)):
        candidate = candidates[index]
        for earlier in np.flatnonzero(likely[:index]).tolist():
            group = groups[place[earlier]]
            if candidates[earlier] is group[0] and is_copy(group[0], candidate):
                group.append(candidate)
                place[index] = place[earlier]
                break
        else:
            place[index] = len(groups)
            groups.append([candidate])
    return [tuple(group) for group in groups]


def _likely(candidates: Sequence[Candidate]) -> NDArray[np.bool_]:
    """Which pairs, ``[n, n]``, may be: of two videos, of one length, as near to the query."""
    facts = [
        (c.window.video_id, c.segment.span.duration_seconds, c.segment.peak, c.segment.mean)
        for c in candidates
    ]
    video, *rest = np.asarray(facts, dtype=np.float64).reshape(-1, 4).T
    found: NDArray[np.bool_] = video[:, None] != video[None]
    for values, most in zip(rest, (_SLACK_SECONDS, _NEAR, _NEAR), strict=True):
        found &= np.abs(values[:, None] - values[None]) <= most
    return found


def is_copy(one: Candidate, other: Candidate) -> bool:
    """Whether two moments show the same pictures at the same times from their starts.

    Every look within the moment must find its like in the other, both ways. Where the moment has
    too few looks to tell, all those of the footage around it count; where there are too few as
    well, both videos must be alike from end to end.
    """
    a, b = one.segment.span, other.segment.span
    if one.window.video_id == other.window.video_id:
        return False
    if abs(a.duration_seconds - b.duration_seconds) > _SLACK_SECONDS:
        return False
    inside = [(c.segment.first, c.segment.last + 1) for c in (one, other)]
    if min(last - first for first, last in inside) < _LOOKS:
        inside = _shared(one, other)
    looks = min(last - first for first, last in inside)
    least = _SAME if looks >= _LOOKS else _IDENTICAL
    if looks < 1 or (looks < _LOOKS and not _are_whole(one, other)):
        return False
    return _alike(one, other, inside[0], least) and _alike(other, one, inside[1], least)


def _edges(candidate: Candidate) -> NDArray[np.float64]:
    """The boundaries of a window's looks, ``[n + 1]``, in seconds from the start of the moment."""
    return candidate.window.edges - candidate.segment.span.start_seconds


def _shared(one: Candidate, other: Candidate) -> list[tuple[int, int]]:
    """The looks of each window, as half-open ranges, at times that both windows have."""
    extents = [_edges(each) for each in (one, other)]
    low = max(edges[0] for edges in extents)
    high = min(edges[-1] for edges in extents)
    ranges = []
    for edges in extents:
        middles = (edges[:-1] + edges[1:]) / 2
        first, last = np.searchsorted(middles, [low, high])
        ranges.append((int(first), int(last)))
    return ranges


def _are_whole(one: Candidate, other: Candidate) -> bool:
    """Whether windows are all of their videos, which are of one length."""
    lengths = [each.window.video.end_seconds for each in (one, other)]
    shown = [float(np.ptp(each.window.edges)) for each in (one, other)]
    return max(*lengths, *shown) - min(*lengths, *shown) <= _SLACK_SECONDS


def _alike(one: Candidate, other: Candidate, looks: tuple[int, int], least: float) -> bool:
    """Whether the picture that stands in `other` at the time of each look is the same."""
    if one.window.packed is None or other.window.packed is None:
        return False
    first, last = looks
    edges = _edges(one)[first : last + 1]
    # In the middle of a look nothing is rounded to another one.
    standing = np.searchsorted(_edges(other), (edges[:-1] + edges[1:]) / 2, side="right") - 1
    if standing[0] < 0 or standing[-1] >= len(other.window.pts):
        return False
    mine, theirs = one.window.packed[first:last], other.window.packed[standing]
    if np.array_equal(mine, theirs):  # the same packets in another container, most often
        return True
    # Other footage differs from the first look on, most often, and then one is enough.
    return all(
        np.einsum("ij,ij->i", dequantize(mine[part]), dequantize(theirs[part])).min() >= least
        for part in (slice(1), slice(1, None))
        if len(mine[part])
    )
