"""The search by example: what it shows as a vector, and spans that show the like."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files.spelling import spelled
from tempo_edge.errors import MediaError, QueryError
from tempo_edge.example import Example
from tempo_edge.models import Profile
from tempo_edge.moment import Span, format_timestamp
from tempo_edge.quantization import unit
from tempo_edge.search.calibrate import Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate, distinct
from tempo_edge.search.grounders.curve import by_curve
from tempo_edge.search.likeness import ExampleJudge, Likeness, WordsToo, combined
from tempo_edge.search.retrieve import retrieve
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window, open_window
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.vectors import Vectors

__all__ = ["ByExample", "Sight", "Words", "without"]

# Ends of a span are rounded where they are printed.
_SLACK_SECONDS = 0.1


@dataclass(frozen=True)
class Sight:
    """What an example shows.

    Attributes:
        vector: its unit vector ``[d]``.
        video: the id of the video that it is of, and ``span`` where; None of a picture, and of what
            is not indexed.
    """

    vector: NDArray[np.float32]
    video: int | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Words:
    """Words beside an example: their unit vector ``[d]``, and how a span is judged by them."""

    vector: NDArray[np.float32]
    null: NullDistribution
    judge: Calibration


class ByExample:
    """Searches one library by examples.

    Args:
        catalogue: the library's rows; ``profile``: the models that it is built with.
        judge: how spans are judged; by default as the program brings it.
    """

    def __init__(
        self, catalogue: Catalogue, profile: Profile, judge: ExampleJudge | None = None
    ) -> None:
        self._catalogue = catalogue
        self._profile = profile
        self._judge = judge
        self._last: tuple[Example, Sight] | None = None

    @property
    def judge(self) -> ExampleJudge:
        """How spans are judged."""
        return self._judge or ExampleJudge.shipped()

    def sight(self, example: Example) -> Sight:
        """What an example shows; that of the last one is remembered.

        Raises:
            QueryError: it is no picture that can be decoded, or no moment of a video that is there.
        """
        if self._last is None or self._last[0] != example:
            self._last = example, self._seen(example)
        return self._last[1]

    def _seen(self, example: Example) -> Sight:
        if example.picture:
            return Sight(self._of_picture(example))
        video = self._video(example)
        if video is None:
            if not example.is_decoded:
                raise QueryError.naming(
                    "{like} {!r}: the library holds no such video", example.name
                )
            return Sight(self._decoded(example))
        return self._stored(example, video)

    def _video(self, example: Example) -> int | None:
        """The id of the indexed video that a moment is of."""
        if example.video is not None:
            if not self._catalogue.files_of(example.video):
                raise QueryError.naming(
                    "{like} {!r}: the library lists no such video", example.name
                )
            return example.video
        assert example.path is not None
        row = self._catalogue.file(spelled(example.path))
        return None if row is None else row.video_id

    def _of_picture(self, example: Example) -> NDArray[np.float32]:
        from tempo_edge.media.picture_file import thumbnail

        profile = self._profile
        how = profile.image_size, profile.interpolation
        try:
            picture = thumbnail(example.picture, *how, crop=profile.crop)
        except MediaError as error:
            how_else = "of a video name a moment, as film.mp4@1:23"
            raise QueryError.naming("{like} {!r} {}; {}", example.name, error, how_else) from error
        return self._encoded(picture[None])

    def _decoded(self, example: Example) -> NDArray[np.float32]:
        """The vector of a moment of a video that is not indexed: a few of its pictures."""
        from tempo_edge.media.stills import stills_within

        assert example.path is not None
        if not os.path.exists(example.path):  # noqa: PTH110 - whatever it is called
            raise QueryError.naming(
                "{like} {!r}: {} is neither there nor indexed: name one that is",
                *(example.name, example.path),
            )
        profile = self._profile
        how = profile.image_size, profile.interpolation
        span = example.start_seconds, example.end_seconds
        try:
            pictures = stills_within(example.path, *span, *how, crop=profile.crop)
        except MediaError as error:
            raise QueryError.naming(
                "{like} {!r}: {} {}", example.name, example.path, error
            ) from error
        return self._encoded(pictures)

    def _encoded(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors, _ = self._profile.image_tower.encode(pictures)
        return np.asarray(unit(vectors.mean(0)), dtype=np.float32)

    def _stored(self, example: Example, video: int) -> Sight:
        """What the library keeps of a moment: nothing is decoded."""
        row = self._catalogue.video(video)
        start, end = example.start_seconds, example.end_seconds
        late = start if end is None or start >= row.end_seconds else end
        if start >= row.end_seconds or late > row.end_seconds + _SLACK_SECONDS:
            raise QueryError.naming(
                "{like} {!r}: the video ends at {}: name an earlier time",
                *(example.name, format_timestamp(row.end_seconds)),
            )
        nothing = np.zeros(self._profile.dim, np.float32)
        window = open_window(nothing, self._catalogue, video, row, -(2**63), 2**63 - 1)
        if window.units is None or not len(window.pts):
            raise QueryError.naming(
                "{like} {!r}: the library holds no picture of that video", example.name
            )
        first = int(np.searchsorted(window.edges, start, side="right")) - 1
        last = first + 1 if end is None else int(np.searchsorted(window.edges, end, side="left"))
        first = min(max(first, 0), len(window.pts) - 1)
        last = min(max(last, first + 1), len(window.pts))
        shown = np.diff(window.edges[first : last + 1])
        if end is not None:
            # A look counts for as long as it lies within the span.
            low = np.maximum(window.edges[first:last], start)
            high = np.minimum(window.edges[first + 1 : last + 1], end)
            shown = np.maximum(high - low, 1e-3)
        vectors = window.units[first:last]
        vector = np.asarray(unit(shown.astype(np.float32) @ vectors), dtype=np.float32)
        span = Span(start, end or float(np.nextafter(start, np.inf)))
        return Sight(vector, video, span)

    def candidates(
        self,
        sight: Sight,
        words: Words | None,
        vectors: Vectors,
        footage: NDArray[np.float32],
        settings: CurveSettings,
        videos: list[int] | None,
        windows: int,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        parts: bool = False,
    ) -> list[Candidate]:
        """The spans worth judging, most likely first, without the moment that is the example.

        Args:
            words: what must be there as well, if anything.
            footage: unrelated frames ``[m, d]``; ``settings``: the shape of a span.
            videos: ids of the only videos that count; ``windows``: most stretches to look into.
            checkpoint, parts: as a grounder has them.
        """
        frames = self._catalogue.count_frames(videos)
        if not frames:
            return []
        sample = vectors.sample(videos)
        likeness = Likeness.of(sight.vector, footage, frames)
        vector = np.asarray(unit(sight.vector - likeness.centre), dtype=np.float32)
        null = replace(NullDistribution.of(vector, footage, sample, frames), contrast=likeness)
        judge = self.judge.alone
        if words is not None:
            both = WordsToo(words.null, words.judge, words.vector, null, judge)
            vector = combined(words.vector, vector, footage)
            null = replace(NullDistribution.of(vector, footage, sample, frames), contrast=both)
            judge = self.judge.words

        def cut(window: Window) -> list[Candidate]:
            return by_curve([window], null, settings, judge, checkpoint, parts=parts)

        found: list[Candidate] = []
        for window in self._windows(vector, sight, vectors, videos, windows):
            checkpoint()
            if window.video_id == sight.video and sight.span is not None:
                for rest in without(window, _itself(cut(window), sight.span)):
                    found += cut(rest)
            else:
                found += cut(window)
        return distinct(found)

    def _windows(
        self,
        vector: NDArray[np.float32],
        sight: Sight,
        vectors: Vectors,
        videos: list[int] | None,
        limit: int,
    ) -> Iterator[Window]:
        """The windows to look into: an example's own film must not crowd out all others."""
        if sight.video is None:
            yield from retrieve(vector, self._catalogue, vectors, videos=videos, limit=limit)
            return
        counting = (
            videos if videos is not None else [video for video, _ in self._catalogue.videos()]
        )
        if sight.video in counting:
            own = [sight.video]
            yield from retrieve(vector, self._catalogue, vectors, videos=own, limit=limit)
        others = [video for video in counting if video != sight.video]
        if others:
            yield from retrieve(vector, self._catalogue, vectors, videos=others, limit=limit)


def _itself(found: Sequence[Candidate], span: Span) -> Span:
    """The stretch that is the example: its span, and all of the moments that it lies in."""
    own = [each.segment.span for each in found if each.segment.span.intersection_seconds(span) > 0]
    return Span(
        min([span.start_seconds, *(each.start_seconds for each in own)]),
        max([span.end_seconds, *(each.end_seconds for each in own)]),
    )


def without(window: Window, span: Span) -> list[Window]:
    """What is left of a window before and after a span, look by look."""
    middles = (window.edges[:-1] + window.edges[1:]) / 2
    inside = (window.edges[1:] > span.start_seconds) & (window.edges[:-1] < span.end_seconds)
    if not inside.any():
        return [window]
    first, last = int(np.argmax(inside)), len(middles) - int(np.argmax(inside[::-1]))
    parts = [(0, first), (last, len(middles))]
    return [_part(window, *part) for part in parts if part[0] < part[1]]


def _part(window: Window, first: int, end: int) -> Window:
    looks = slice(first, end)
    return replace(
        window,
        pts=window.pts[looks],
        edges=window.edges[first : end + 1],
        cuts=window.cuts[looks],
        similarities=window.similarities[looks],
        packed=None if window.packed is None else window.packed[looks],
        units=None if window.units is None else window.units[looks],
    )
