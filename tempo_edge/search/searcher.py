"""A search from sentence to moments: retrieve, ground, judge, and say so when nothing matches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import LibraryError, QueryError
from tempo_edge.indexing.walk import absolute
from tempo_edge.models import Profile
from tempo_edge.moment import Copy, Moment, Span
from tempo_edge.search.calibrate import Calibration, Chance
from tempo_edge.search.candidates import Candidate, by_curve, by_reading
from tempo_edge.search.copies import grouped
from tempo_edge.search.curve import CurveSettings
from tempo_edge.search.decoder import Decoder
from tempo_edge.search.fitted import GROUNDERS, calibration_of, grounders_of, preferred
from tempo_edge.search.grounder import Follower, Grounder
from tempo_edge.search.prompt import Question
from tempo_edge.search.retrieve import GLANCE, WINDOWS, retrieve
from tempo_edge.store.catalogue import Catalogue
from tempo_edge.store.vectors import VectorCache

__all__ = ["Answer", "Searcher"]

# Nearest misses that an answer tells of.
_MISSES = 6


@dataclass(frozen=True)
class Answer:
    """What a search found: iterate over its moments, best first. Empty when nothing matches.

    Attributes:
        moments: the moments shown.
        misses: the likeliest of those that were held back, best first; a handful at most.
        filtered_count: how many moments were held back because they were not likely enough.
        grounder: what turned candidates into spans.
        evidence: what each moment was judged by; ``miss_evidence``: the same of ``misses``.
            Answers are equal if their moments are.
    """

    moments: tuple[Moment, ...]
    misses: tuple[Moment, ...]
    filtered_count: int
    grounder: str = field(compare=False)
    evidence: tuple[Candidate, ...] = field(default=(), compare=False, repr=False)
    miss_evidence: tuple[Candidate, ...] = field(default=(), compare=False, repr=False)

    @property
    def best_rejected(self) -> Moment | None:
        """The most likely moment that was held back, if any was."""
        return self.misses[0] if self.misses else None

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)

    def __len__(self) -> int:
        return len(self.moments)


@dataclass(frozen=True)
class _Sought:
    """A sentence as the towers read it, and where it is looked for.

    Attributes:
        vector: its unit vector ``[d]``; ``states``: those of its tokens ``[l, 384]``.
        videos: ids of the only videos that count; None for all.
        windows: most stretches of footage to look into.
    """

    text: str
    vector: NDArray[np.float32]
    states: NDArray[np.float32]
    videos: list[int] | None
    windows: int


class Searcher:
    """Searches one library with one profile."""

    def __init__(self, catalogue: Catalogue, vectors: VectorCache, profile: Profile) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._profile = profile

    @cached_property
    def settings(self) -> CurveSettings:
        """The profile's shape of a span."""
        return CurveSettings.of(self._profile)

    @cached_property
    def reader(self) -> Grounder:
        """The grounder that reads frames, over this library."""
        path = self._profile.folder / "grounder.onnx"
        decoder = Decoder(self._profile.grounder_session, path)
        return Grounder(self._catalogue, decoder, self.settings)

    def calibration(self, grounder: str) -> Calibration:
        """The profile's calibration of a grounder."""
        return calibration_of(self._profile, grounder)

    def grounder(self, asked: str | None) -> str:
        """The grounder that was asked for, or the one that the profile's calibration prefers.

        Raises:
            QueryError: there is no such grounder, or the profile has none that reads.
        """
        if asked is None:
            return preferred(self._profile)
        if asked not in GROUNDERS:
            raise QueryError(f"grounder {asked!r} must be one of {', '.join(GROUNDERS)}")
        if asked not in self.grounders:
            raise QueryError(
                f"profile {self._profile.name!r} has no grounder {asked!r}: use 'curve'"
            )
        return asked

    @property
    def grounders(self) -> tuple[str, ...]:
        """The grounders that the profile has."""
        return grounders_of(self._profile)

    def find(
        self,
        query: str,
        *,
        limit: int = 10,
        min_confidence: float | None = None,
        within: Sequence[Path] | None = None,
        refine: bool = False,
        grounder: str | None = None,
        retrieval: bool = False,
        videos: Collection[int] | None = None,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Moments that match a sentence, best first.

        Args:
            query: what to look for, in plain English.
            limit: most moments to give.
            min_confidence: show moments from this probability on; by default the one that the
                profile's calibration chose.
            within: search only at or under these paths.
            refine: decode densely around each boundary for finer times.
            grounder: ``"mllm"`` reads the frames of the best candidates, ``"curve"`` is a matter
                of milliseconds; by default what its calibration prefers. ``"vlm"`` decodes the
                frames and looks at them, which takes its time.
            retrieval: candidates only, for every key that somebody presses: judged by their curve,
                and looked for in fewer stretches of footage.
            videos: ids of the only videos to search, those under ``within`` if that is given too.
            checkpoint: called between two readings; whatever it raises ends the search.

        Raises:
            QueryError: the query is empty, a number is out of range, there is no such grounder, it
                is to read where retrieval alone is asked for, or there is nothing under a path of
                ``within``.
        """
        if limit < 1:
            raise QueryError(f"limit {limit} must be at least 1")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise QueryError(f"min_confidence {min_confidence} must be within [0, 1]")
        if retrieval and grounder not in (None, "curve"):
            raise QueryError(
                f"grounder {grounder!r} and retrieval exclude each other: choose one of them"
            )
        if within is not None:
            if not within:
                raise QueryError("within names no path: name one, or leave it out")
            under = {video for path in within for video in self._videos_under(path)}
            videos = under if videos is None else set(videos).intersection(under)
        chosen_videos = None if videos is None else sorted(videos)
        chosen = "curve" if retrieval else self.grounder(grounder)
        threshold = self.calibration(chosen).threshold if min_confidence is None else min_confidence
        vector, states = self._profile.text_tower.read(query)
        windows = GLANCE if retrieval else WINDOWS
        sought = _Sought(query, vector, states, chosen_videos, windows)
        candidates = self._candidates(sought, chosen, checkpoint)
        groups = grouped(candidates)
        shown = [self._reachable(g) for g in groups if g[0].confidence >= threshold][:limit]
        rejected = [g for g in groups if g[0].confidence < threshold]
        closest = [self._reachable(g) for g in rejected[:_MISSES]]
        return Answer(
            tuple(self._moment(group, vector if refine else None) for group in shown),
            tuple(self._moment(group, None) for group in closest),
            len(rejected),
            chosen,
            tuple(group[0] for group in shown),
            tuple(group[0] for group in closest),
        )

    def _candidates(
        self, sought: _Sought, grounder: str, checkpoint: Callable[[], None]
    ) -> list[Candidate]:
        """Every span worth judging, most likely first; overlapping ones are merged."""
        self._vectors.refresh()
        vector, videos = sought.vector, sought.videos
        frames = self._frames(videos)
        if not frames:
            return []
        chance = Chance.of(vector, self._profile.background, self.sample(videos), frames)
        windows = retrieve(
            vector, self._catalogue, self._vectors, videos=videos, limit=sought.windows
        )
        found = by_curve(windows, chance, self.settings, self.calibration("curve"))
        if grounder == "curve":
            return found
        question = Question(
            sought.states, vector, chance.background_mean, chance.background_deviation
        )
        reader = self.reader if grounder == "mllm" else self.watcher(sought.text)
        calibration = self.calibration(grounder)
        return by_reading(found, question, chance, reader, calibration, checkpoint)

    @cached_property
    def _speaker(self) -> Any:
        from tempo_edge.search.vlm import Speaker

        return Speaker(self._profile.vlm)

    def watcher(self, query: str) -> Follower:
        """The grounder that looks at frames, for one query."""
        from tempo_edge.search.vlm import Watcher

        def path_of(video_id: int) -> Path | None:
            path, offline = self._path_of(video_id)
            return None if offline else path

        return Watcher(self._catalogue, self._speaker, query, path_of)

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

    def _videos_under(self, within: Path) -> set[int]:
        path = absolute(within)
        rows = self._catalogue.files(path)
        videos = {row.video_id for row in rows.values() if row.video_id is not None}
        if not videos:
            raise QueryError(f"the library holds no footage at or under {path}")
        return videos

    def _reachable(self, group: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """A group that begins with a candidate whose file is there, if one is."""
        if len(group) == 1:
            return group
        return tuple(sorted(group, key=lambda each: self._path_of(each.window.video_id)[1]))

    def _moment(self, group: tuple[Candidate, ...], vector: NDArray[np.float32] | None) -> Moment:
        candidate, *others = group
        window, span = candidate.window, candidate.bump.span
        (path, offline), *same = self._places(window.video_id)
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
            copies=(
                *(Copy(each, span.start_seconds, span.end_seconds, gone) for each, gone in same),
                *(copy for each in others for copy in self._copies(each, span, candidate)),
            ),
        )

    def _copies(self, copy: Candidate, span: Span, of: Candidate) -> Iterator[Copy]:
        """The files of a copy of a candidate whose span, finer perhaps, is `span`."""
        shift = copy.bump.span.start_seconds - of.bump.span.start_seconds
        start, end = max(0.0, span.start_seconds + shift), span.end_seconds + shift
        for path, offline in self._places(copy.window.video_id):
            yield Copy(path, start, end, offline)

    def _path_of(self, video_id: int) -> tuple[Path, bool]:
        """A file that holds the video, one that is there if any is; and whether none is."""
        return self._places(video_id)[0]

    def _places(self, video_id: int) -> list[tuple[Path, bool]]:
        """Every file that holds a video, and whether it is out of reach; those in reach first."""
        paths = [Path(path) for path, _ in self._catalogue.paths_of(video_id)]
        if not paths:
            raise LibraryError(
                f"{self._catalogue.path} is damaged: no file holds video {video_id}: "
                "put a copy of it back, or delete it and index again"
            )
        return sorted(((path, not path.exists()) for path in paths), key=lambda place: place[1])
