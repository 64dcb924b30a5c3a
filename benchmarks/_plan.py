"""The content of each composite video: decided before a frame is drawn, and fixed by the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeVar

from benchmarks._captions import choose_caption, content_words
from benchmarks._shapes import Shape
from benchmarks._sources import CompositeError, Item
from benchmarks._takes import Take

# Raise it when the same plan would be drawn or encoded otherwise: old sets then no longer match.
VERSION = 1

ABSENT_PER_PRESENT = 5 / 6
HELD_CLIPS = 0.25
REPEATED = 0.10
T = TypeVar("T")

Transition = Literal["start", "cut", "crossfade", "black"]
_TRANSITIONS: Mapping[Transition, float] = {"cut": 0.7, "crossfade": 0.2, "black": 0.1}
_SIZES: Mapping[tuple[int, int], float] = {
    (320, 240): 0.2,
    (426, 240): 0.2,
    (480, 270): 0.2,
    (480, 360): 0.15,
    (640, 360): 0.25,
}
_RATES: Mapping[str, float] = {"25": 0.35, "30": 0.25, "24": 0.2, "30000/1001": 0.2}
_PRESETS: Mapping[str, float] = {"veryfast": 0.8, "fast": 0.12, "medium": 0.08}
_GOPS: Mapping[float | None, float] = {None: 0.75, 1.0: 0.125, 2.0: 0.125}


@dataclass(frozen=True)
class Shot:
    """One event: frames [start_frame, end_frame) of the nominal grid, and how it comes in.

    A fade of `half_frames` on either side of `start_frame` joins it to the shot before.
    """

    source: Literal["photo", "clip"]
    file: str
    start_frame: int
    end_frame: int
    transition: Transition
    half_frames: int
    takes: tuple[Take, ...] = ()
    clip_start_seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        """The key of the picture: two shots of one photograph have the same."""
        return self.source, self.file


@dataclass(frozen=True)
class VideoPlan:
    """All that decides one file. Times are frames of the grid 1/rate, before any is dropped."""

    file: str
    width: int
    height: int
    rate: str
    fit: Literal["fill", "pillarbox"]
    preset: str
    gop_seconds: float | None
    offset_frames: int
    drop_share: float
    grain: float
    seed: str
    shots: tuple[Shot, ...]

    @property
    def frames(self) -> int:
        """The number of frames of the nominal grid."""
        return self.shots[-1].end_frame

    def kept_frames(self) -> list[int]:
        """The frames that are encoded; the first of a shot or a take is never dropped."""
        rng = random.Random(f"{self.seed} drops")
        must = {0, self.frames - 1}
        must.update(shot.start_frame for shot in self.shots)
        must.update(take.start_frame for shot in self.shots for take in shot.takes)
        return [f for f in range(self.frames) if rng.random() >= self.drop_share or f in must]


@dataclass(frozen=True)
class Query:
    """A sentence, the picture it was written for, and the video that shows it (None: no video)."""

    text: str
    source: Literal["photo", "clip"]
    item: str
    video: str | None


@dataclass(frozen=True)
class SetPlan:
    """The videos of a set and its queries."""

    videos: tuple[VideoPlan, ...]
    queries: tuple[Query, ...]


def plan_set(photos: Sequence[Item], clips: Sequence[Item], shape: Shape, seed: int) -> SetPlan:
    """Deal the pictures over videos, fillers and absent queries, then plan each video.

    A picture that a query asks for is in one video only; a filler may return in another video when
    the split is too small. A picture of an absent query is shown nowhere.
    """
    rng = random.Random(f"composites {VERSION} {seed}")
    photos = rng.sample(list(photos), len(photos))
    clips = rng.sample(list(clips), len(clips))
    present = shape.videos * shape.queries_per_video
    absent = round(present * ABSENT_PER_PRESENT)
    held = min(round(len(clips) * HELD_CLIPS), absent)
    # At least half of the queries are for photographs, however small the set.
    asked_clips = clips[held : held + present // 2]
    cut = present - len(asked_clips)
    stop = cut + absent - held
    asked, fillers = [*asked_clips, *photos[:cut]], photos[stop:]
    low, high = shape.shots
    counts = [round(rng.triangular(low, high, 0.8 * low + 0.2 * high)) for _ in range(shape.videos)]
    if len(fillers) < max(counts):
        raise CompositeError(
            f"{len(photos)} photographs are too few: {cut} to ask for, {stop - cut} to hold "
            f"out and {max(counts)} to fill are needed; ask for fewer videos"
        )
    # Round robin, so that no video takes all the clips, which come first.
    groups = [asked[i :: shape.videos] for i in range(shape.videos)]
    rng.shuffle(groups)
    groups = [group[:count] for group, count in zip(groups, counts, strict=True)]
    pool = _cycle(rng, fillers)
    casts = [_cast(rng, g, n, pool) for g, n in zip(groups, counts, strict=True)]
    videos = _plan_videos(rng, casts, shape, seed)
    queries = _plan_queries(rng, groups, [*photos[cut:stop], *clips[:held]], casts, videos)
    return SetPlan(tuple(videos), tuple(queries))


def _cycle(rng: random.Random, items: Sequence[Item]) -> Iterator[Item]:
    while True:
        yield from items
        items = rng.sample(list(items), len(items))


def _cast(rng: random.Random, asked: list[Item], count: int, pool: Iterator[Item]) -> list[Item]:
    """The pictures of one video in their order: the asked, fillers, and some of them once more."""
    repeats = sum(rng.random() < REPEATED for _ in range(count))
    repeats = min(repeats, count // 3, count - len(asked))
    items = list(asked)
    while len(items) < count - repeats:
        filler = next(pool)
        if filler not in items:
            items.append(filler)
    order = items + rng.sample(items, repeats)
    rng.shuffle(order)
    # No two shots of one picture in a row: they would be one event.
    while any(a == b for a, b in pairwise(order)):
        rng.shuffle(order)
    return order


def _deck(rng: random.Random, count: int, shares: Mapping[T, float]) -> list[T]:
    """`count` values in random order, as near to their shares as whole numbers allow."""
    values, weights = list(shares), list(shares.values())
    deck = [v for v, share in shares.items() for _ in range(int(share * count))]
    deck += rng.choices(values, weights, k=count - len(deck))
    rng.shuffle(deck)
    return deck


def _plan_videos(
    rng: random.Random, casts: Sequence[Sequence[Item]], shape: Shape, seed: int
) -> list[VideoPlan]:
    n = len(casts)
    sizes, rates = _deck(rng, n, _SIZES), _deck(rng, n, _RATES)
    presets, gops = _deck(rng, n, _PRESETS), _deck(rng, n, _GOPS)
    suffixes = _deck(rng, n, {"mp4": 0.85, "mkv": 0.15})
    offset = _deck(rng, n, {True: 0.25, False: 0.75})
    dropped = _deck(rng, n, {True: 0.2, False: 0.8})
    grains, fill = _deck(rng, n, {0.0: 0.7, 4.0: 0.3}), _deck(rng, n, {True: 0.5, False: 0.5})
    return [
        VideoPlan(
            file=f"v{i:03}.{suffixes[i]}",
            width=sizes[i][0],
            height=sizes[i][1],
            rate=rates[i],
            fit="fill" if fill[i] else "pillarbox",
            preset=presets[i],
            gop_seconds=gops[i],
            offset_frames=rng.randrange(3, 90) if offset[i] else 0,
            drop_share=round(rng.uniform(0.05, 0.35), 3) if dropped[i] else 0.0,
            grain=grains[i],
            seed=f"composites {VERSION} {seed} {i}",
            shots=_plan_shots(rng, cast, Fraction(rates[i]), shape),
        )
        for i, cast in enumerate(casts)
    ]


def _plan_shots(
    rng: random.Random, cast: Sequence[Item], rate: Fraction, shape: Shape
) -> tuple[Shot, ...]:
    lengths = []
    for item in cast:
        seconds = shape.seconds(rng)
        if item.source == "clip":
            seconds = min(max(seconds, min(3.0, shape.shot_seconds[1])), item.seconds - 0.1)
        lengths.append(max(2, int(seconds * rate)))
    shots: list[Shot] = []
    start = 0
    for i, (item, length) in enumerate(zip(cast, lengths, strict=True)):
        kind: Transition = rng.choices(list(_TRANSITIONS), list(_TRANSITIONS.values()))[0]
        half = round(rng.uniform(0.25, 0.5) * rate) if kind != "cut" else 0
        half = min(half, length // 3, lengths[i - 1] // 3)
        room = max(0.0, item.seconds - length / rate - 0.05)
        shots.append(
            Shot(
                source=item.source,
                file=item.file,
                start_frame=start,
                end_frame=start + length,
                transition=kind if i else "start",
                half_frames=half if i else 0,
                takes=shape.takes(rng, start, length, rate) if item.source == "photo" else (),
                clip_start_seconds=round(rng.uniform(0.0, room), 3),
            )
        )
        start += length
    return tuple(shots)


def _plan_queries(
    rng: random.Random,
    groups: Sequence[Sequence[Item]],
    absent: Sequence[Item],
    casts: Sequence[Sequence[Item]],
    videos: Sequence[VideoPlan],
) -> list[Query]:
    shown = {item: [content_words(c) for c in item.captions] for cast in casts for item in cast}
    asked: list[tuple[Item, str | None]] = [
        (item, video.file) for group, video in zip(groups, videos, strict=True) for item in group
    ]
    queries = []
    for item, file in [*asked, *((item, None) for item in absent)]:
        others = [words for other, sets in shown.items() if other != item for words in sets]
        text = choose_caption(rng, item.captions, others)
        queries.append(Query(text, item.source, item.file, file))
    return queries
