"""A search from sentence to moments: retrieve, ground, judge, and say so when nothing matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import QueryError
from tempo_edge.library.catalogue import Catalogue
from tempo_edge.library.vectors import VectorCache
from tempo_edge.library.walk import absolute
from tempo_edge.models import Profile
from tempo_edge.moment import Moment, Span
from tempo_edge.search.calibrate import FEATURES, Calibration, Chance
from tempo_edge.search.curve import Bump, CurveSettings, ground
from tempo_edge.search.retrieve import Window, retrieve

__all__ = ["Answer", "Candidate", "Searcher"]

# Two answers in one video that overlap by this much are one answer.
_SAME = 0.3


@dataclass(frozen=True)
class Answer:
    """What a search found: iterate over its moments, best first. Empty when nothing matches.

    Attributes:
        moments: the moments shown.
        best_rejected: the most likely moment that was held back, if any was.
        filtered_count: how many moments were held back because they were not likely enough.
    """

    moments: tuple[Moment, ...]
    best_rejected: Moment | None
    filtered_count: int

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)

    def __len__(self) -> int:
        return len(self.moments)


@dataclass(frozen=True)
class Candidate:
    """A span before it is judged worth showing."""

    window: Window
    bump: Bump
    features: NDArray[np.float64]
    confidence: float

    @property
    def score(self) -> float:
        """Standard deviations above what the query scores on unrelated pictures."""
        return float(self.features[FEATURES.index("above_background")])


class Searcher:
    """Searches one library with one profile."""

    def __init__(self, catalogue: Catalogue, vectors: VectorCache, profile: Profile) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._profile = profile

    @cached_property
    def calibration(self) -> Calibration:
        """The profile's calibration."""
        return Calibration.from_json(self._profile.read_json("calibration.json"))

    @cached_property
    def settings(self) -> CurveSettings:
        """The profile's shape of a span."""
        return CurveSettings(**self._profile.read_json("calibration.json")["curve"])

    def find(
        self,
        query: str,
        *,
        limit: int = 10,
        min_confidence: float | None = None,
        within: Path | None = None,
        refine: bool = False,
    ) -> Answer:
        """Moments that match a sentence, best first.

        Args:
            query: what to look for, in plain English.
            limit: most moments to give.
            min_confidence: show moments from this probability on; by default the one that the
                profile's calibration chose.
            within: search only at or under this path.
            refine: decode densely around each boundary for finer times.

        Raises:
            QueryError: the query is empty, a number is out of range, or ``within`` holds nothing.
        """
        if limit < 1:
            raise QueryError(f"limit {limit} must be at least 1")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise QueryError(f"min_confidence {min_confidence} must be within [0, 1]")
        videos = None if within is None else self._videos_under(within)
        threshold = self.calibration.threshold if min_confidence is None else min_confidence
        candidates = self.candidates(query, videos=videos)
        shown = [c for c in candidates if c.confidence >= threshold]
        rejected = [c for c in candidates if c.confidence < threshold]
        vector = self._profile.text_tower.encode([query])[0] if refine else None
        moments = tuple(self._moment(c, vector) for c in shown[:limit])
        best = self._moment(rejected[0], None) if rejected else None
        return Answer(moments, best, len(rejected))

    def candidates(self, query: str, *, videos: list[int] | None = None) -> list[Candidate]:
        """Every span worth judging, most likely first; overlapping ones are merged."""
        vector = self._profile.text_tower.encode([query])[0]
        self._vectors.refresh()
        frames = self._frames(videos)
        if not frames:
            return []
        chance = Chance.of(vector, self._profile.background, self.sample(videos), frames)
        windows = retrieve(vector, self._catalogue, self._vectors, videos=videos)
        found: list[Candidate] = []
        for window in windows:
            for bump in ground(window, self.settings, chance.background_mean):
                features = chance.features(bump.peak, bump.mean, bump.floor)
                confidence = self.calibration.confidence(features)
                found.append(Candidate(window, bump, features, confidence))
        found.sort(key=lambda c: (-c.confidence, -c.score, c.window.video_id, c.bump.span))
        return _distinct(found)

    def _frames(self, videos: list[int] | None) -> int:
        if videos is None:
            return self._catalogue.frame_span()[0]
        return self._catalogue.count_frames(videos)

    def sample(self, videos: list[int] | None) -> NDArray[np.float32]:
        """Frames of what is searched, to tell how its footage scores by chance."""
        if videos is None:
            return self._vectors.sample
        from tempo_edge.packing import unpack

        _, packed = self._catalogue.vectors_of(videos[:500])
        return unpack(packed[:: max(1, len(packed) // 2048)])

    def _videos_under(self, within: Path) -> list[int]:
        path = absolute(within)
        rows = self._catalogue.files(path)
        videos = sorted({row.video_id for row in rows.values() if row.video_id is not None})
        if not videos:
            raise QueryError(f"the library holds no footage at or under {path}")
        return videos

    def _moment(self, candidate: Candidate, vector: NDArray[np.float32] | None) -> Moment:
        window, span = candidate.window, candidate.bump.span
        path, offline = self._path_of(window.video_id)
        if vector is not None and not offline:
            from tempo_edge.search.refine import refine

            span = refine(path, window, candidate.bump, vector, self._profile)
        return Moment(
            path=path,
            start_seconds=span.start_seconds,
            end_seconds=span.end_seconds,
            score=candidate.score,
            confidence=candidate.confidence,
            profile=self._profile.name,
            offline=offline,
        )

    def _path_of(self, video_id: int) -> tuple[Path, bool]:
        """A file that holds the video, one that is there if any is; and whether none is."""
        paths = [Path(path) for path, _ in self._catalogue.paths_of(video_id)]
        for path in paths:
            if path.exists():
                return path, False
        return paths[0], True


def _distinct(found: list[Candidate]) -> list[Candidate]:
    """Drop candidates that overlap a better one of the same video."""
    kept: list[Candidate] = []
    spans: dict[int, list[Span]] = {}
    for candidate in found:
        taken = spans.setdefault(candidate.window.video_id, [])
        span = candidate.bump.span
        if all(span.iou(other) < _SAME for other in taken):
            taken.append(span)
            kept.append(candidate)
    return kept
