"""Moments of what was found: which file shows it, its copies, and when, where it was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tempo_edge.moment import PICTURE, Copy, Moment, Span
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.findings import Found
from tempo_edge.search.places import places_of
from tempo_edge.store.interface import Catalogue

__all__ = ["Moments", "Refined"]

Refined = Callable[[Path, Candidate], Span]
"""The finer span of a candidate, by the file that shows it."""


class Moments:
    """Makes moments of what was found in one library.

    Args:
        catalogue: the library's rows.
        profile: the name of the profile that it was searched with.
    """

    def __init__(self, catalogue: Catalogue, profile: str) -> None:
        self._catalogue = catalogue
        self._profile = profile

    def path_of(self, video_id: int) -> tuple[Path, bool]:
        """A file that holds the video, one that is there if any is; and whether none is."""
        return places_of(self._catalogue, video_id)[0]

    def of(self, found: Found, refined: Refined | None = None) -> tuple[Moment, Candidate | None]:
        """A moment, and what pictures say of it.

        Args:
            found: what speaks for it.
            refined: gives its finer span, where its file is there.
        """
        group = found.group
        if not group or found.first.kind != PICTURE:
            seen = group[0] if group else None
            return self._moment(found, found.first.video, found.first.span, ()), seen
        candidate, *others = self._reachable(group)
        video, span = candidate.window.video_id, candidate.segment.span
        path, offline = self.path_of(video)
        if refined is not None and not offline:
            span = refined(path, candidate)
        return self._moment(found, video, span, self._copies(others, span, candidate)), candidate

    def at(self, found: Found, span: Span) -> tuple[Moment, Candidate | None]:
        """A moment at another time than it was found, and what pictures say of it."""
        if not found.group or found.first.kind != PICTURE:
            told, seen = self.of(found)
            start, end = span.start_seconds, span.end_seconds
            return replace(told, start_seconds=start, end_seconds=end), seen
        candidate, *others = found.group
        copies = self._copies(others, span, candidate)
        return self._moment(found, found.first.video, span, copies), candidate

    def _reachable(self, group: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """A group that begins with a candidate whose file is there, if one is."""
        if len(group) == 1:
            return group
        return tuple(sorted(group, key=lambda each: self.path_of(each.window.video_id)[1]))

    def _moment(self, found: Found, video: int, span: Span, copies: Sequence[Copy]) -> Moment:
        (path, offline), *same = places_of(self._catalogue, video)
        own = [Copy(each, span.start_seconds, span.end_seconds, gone) for each, gone in same]
        return Moment(
            path=path,
            start_seconds=span.start_seconds,
            end_seconds=span.end_seconds,
            score=found.first.score,
            confidence=found.confidence,
            profile=self._profile,
            offline=offline,
            copies=(*own, *copies),
            video=video,
            found_by=found.found_by,
            text=found.text,
            capture=self._catalogue.capture(video),
        )

    def _copies(self, copies: Sequence[Candidate], span: Span, of: Candidate) -> list[Copy]:
        """The files of copies of a candidate whose span, finer perhaps, is `span`."""
        return [each for copy in copies for each in self._files_of(copy, span, of)]

    def _files_of(self, copy: Candidate, span: Span, of: Candidate) -> Iterator[Copy]:
        shift = copy.segment.span.start_seconds - of.segment.span.start_seconds
        start, end = max(0.0, span.start_seconds + shift), span.end_seconds + shift
        for path, offline in places_of(self._catalogue, copy.window.video_id):
            yield Copy(path, start, end, offline)
