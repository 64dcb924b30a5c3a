"""A meeting: a stretch of footage where the terms of an expression are, or are not, together.

A meeting begins as a moment of one term, sure or not; the others are looked for where that is. The
terms are taken to be independent of each other once the place is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tempo_edge.expression import AND, FIND, NOT, THEN, Scene
from tempo_edge.moment import Part, Span
from tempo_edge.search.findings import Finding, Found
from tempo_edge.search.term import TermSearch

__all__ = ["EACH_FROM", "ORDER_FROM", "SURE_FROM", "THERE_FROM", "Meetings", "Met", "distinct"]

#: What the probability of each thing that is to be there must reach, and what all of them must on
#: average, as a geometric mean: a product is less than its factors. Chosen on development
#: composites (``python -m benchmarks.combined --sweep``), as are the next two.
EACH_FROM, SURE_FROM = 0.5, 0.65

#: The same of a thing that is one of an order and alone in its moment: in the time that is allowed
#: there is always something that is a little like it.
ORDER_FROM = 0.86

#: The probability from which a thing is there that is not to be.
THERE_FROM = 0.2

# Moments of a term that others are looked for at.
_ANCHORS = 24

# Two moments of one video that overlap by this much are one answer.
_SAME = 0.3

# How long a moment may go on behind the time in which it must begin.
# How much of the shorter of two moments in order both may show: bounds are found to a look.
_SHARED_IN_ORDER = 0.25

_LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class Met:
    """A stretch of footage where terms meet.

    Attributes:
        anchor: the moment of the term that it began with.
        parts: each term that counts, where it is and how likely; in the order of the expression.
        words: the lines of words that speak for it.
        is_seen: whether pictures alone speak for something that is to be there.
    """

    anchor: Found
    parts: tuple[Part, ...]
    words: tuple[Finding, ...]
    is_seen: bool

    @property
    def video(self) -> int:
        """The id of its video."""
        return self.anchor.first.video

    @property
    def span(self) -> Span:
        """From where the first of what is to be there begins to where the last ends."""
        spans = [each.span for each in self.parts if each.role != NOT]
        return Span(
            min(each.start_seconds for each in spans), max(each.end_seconds for each in spans)
        )

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] that all is there that is to be, and nothing else."""
        product = 1.0
        for each in self.parts:
            product *= 1.0 - each.confidence if each.role == NOT else each.confidence
        return product

    def is_sure(self, least: float | None) -> bool:
        """Whether it is likely enough: by what is asked for, or else by what was fitted.

        Where one thing alone is to be there its own search knows.
        """
        if least is not None:
            return self.confidence >= least
        if any(each.confidence >= THERE_FROM for each in self.parts if each.role == NOT):
            return False
        scenes = self._scenes()
        if len(scenes) == len(scenes[0]) == 1:
            return self.anchor.is_sure
        return all(
            each[0] >= ORDER_FROM
            if len(each) == 1
            else min(each) >= EACH_FROM and math.prod(each) >= SURE_FROM ** len(each)
            for each in scenes
        )

    def _scenes(self) -> list[list[float]]:
        """How likely each thing is that is to be there, moment for moment of an order."""
        scenes: list[list[float]] = []
        for each in self.parts:
            if each.role in (FIND, THEN):
                scenes.append([])
            if each.role != NOT:
                scenes[-1].append(each.confidence)
        return scenes


@dataclass(frozen=True)
class Meetings:
    """Where the terms of an expression meet.

    Attributes:
        terms: the search of each; ``scenes``: what is to be where, in order.
        near_seconds, then_seconds: see :class:`Query`.
    """

    terms: dict[str, TermSearch]
    scenes: tuple[Scene, ...]
    near_seconds: float
    then_seconds: float

    @property
    def _chosen(self) -> float:
        """How much of the choice of a place is each term's that is to be there: as much as others'.

        The best of many places is likely by chance, and all of them chose it together.
        """
        return 1.0 / sum(len(scene.wanted) for scene in self.scenes)

    @property
    def _counts_pictures(self) -> bool:
        return any(term.glance is not None for term in self.terms.values())

    def _likely(self, text: str, found: Found, span: Span) -> tuple[float, tuple[Finding, ...]]:
        """How likely a term that is to be there is at a span, and the words that say so."""
        if self._chosen == 1.0:
            return found.confidence, ()
        return self.terms[text].likelihood(found.first.video, span, self._chosen)

    def all(self, checkpoint: Callable[[], None]) -> Iterator[Met]:
        """Every meeting: from each moment of each term, the likeliest."""
        for number, scene in enumerate(self.scenes):
            for text in scene.wanted:
                for found in self.terms[text].found[:_ANCHORS]:
                    checkpoint()
                    met = self._from(number, text, found)
                    if met is not None:
                        yield met

    def _from(self, number: int, text: str, found: Found) -> Met | None:
        """The likeliest meeting that begins with a moment of a term of one of the scenes."""
        here = self._scene(number, text, found, found.first.span)
        before, after = here, here
        for earlier in range(number - 1, -1, -1):
            best = self._best(earlier, found, before.span, True)
            if best is None:
                return None
            before = _chained(best, before)
        after = before
        for later in range(number + 1, len(self.scenes)):
            best = self._best(later, found, after.span, False)
            if best is None:
                return None
            after = _chained(after, best)
        return after

    def _best(self, number: int, found: Found, beside: Span, is_before: bool) -> Met | None:
        """The likeliest meeting of a scene that ends, or begins, soon enough by another's span."""
        video = found.first.video
        if is_before:
            high = beside.start_seconds
            low, high = _positive(high - self.then_seconds, high)
            stretch = Span(max(0.0, low - _LONGEST_SECONDS), high)
        else:
            low = beside.end_seconds
            high = low + self.then_seconds + 1e-3
            stretch = Span(low, high + _LONGEST_SECONDS)

        def in_order(span: Span) -> bool:
            return _in_order(span, beside) if is_before else _in_order(beside, span)

        best: Met | None = None
        # A scene of one term is where that is: what is known before it is looked at.
        is_alone = len(self.scenes[number].wanted) == 1
        for text in self.scenes[number].wanted:
            for span in self.terms[text].spans(video, stretch):
                if (span.end_seconds < low) if is_before else (span.start_seconds > high):
                    continue
                if is_alone and not in_order(span):
                    continue
                met = self._scene(number, text, found, span)
                likelier = best is None or met.confidence > best.confidence
                if likelier and (is_alone or in_order(met.span)):
                    best = met
        return best

    def _scene(self, number: int, text: str, found: Found, span: Span) -> Met:
        """What of a scene is at a span of one of its terms."""
        scene, video = self.scenes[number], found.first.video
        likely, said = self._likely(text, found, span)
        placed: dict[str, tuple[Span, float]] = {text: (span, likely)}
        words, is_seen = [*said], not _are_sure(said)
        for other in scene.wanted:
            if other not in placed:
                placed[other], said = self._place(other, found, span)
                words += said
                is_seen = is_seen or not _are_sure(said)
        if self.near_seconds == 0.0:
            shared = _shared(each for each, _ in placed.values()) or span
            placed = {each: (shared, likely) for each, (_, likely) in placed.items()}
        whole = Span(
            min(each.start_seconds for each, _ in placed.values()),
            max(each.end_seconds for each, _ in placed.values()),
        )
        first = FIND if number == 0 else THEN
        parts = [
            Part(each, first if index == 0 else AND, *_bounds(placed[each][0]), placed[each][1])
            for index, each in enumerate(scene.wanted)
        ]
        for each in scene.unwanted:
            likely, _ = self.terms[each].likelihood(video, whole)
            parts.append(Part(each, NOT, *_bounds(whole), likely))
        sure = tuple(each for each in words if each.is_sure)
        return Met(found, tuple(parts), sure, is_seen and self._counts_pictures)

    def _place(
        self, text: str, by: Found, span: Span
    ) -> tuple[tuple[Span, float], tuple[Finding, ...]]:
        """Where a term is by a moment of another one, how likely, and the words that say so."""
        term, video = self.terms[text], by.first.video
        if self.near_seconds == 0.0:
            # Two moments that lie over each other meet where both are.
            over = (
                _shared([span, each.first.span])
                for each in term.found
                if each.first.video == video and _most_of(each.first.span, span)
            )
            there = next((each for each in over if each is not None), span)
            likely, words = self._likely(text, by, there)
            return (there, likely), words
        best, (likely, words) = span, self._likely(text, by, span)
        low, high = span.start_seconds - self.near_seconds, span.end_seconds + self.near_seconds
        around = Span(max(0.0, low - _LONGEST_SECONDS), high + _LONGEST_SECONDS)
        for each in term.spans(video, around):
            if each.end_seconds < low or each.start_seconds > high:
                continue
            there_likely, said = self._likely(text, by, each)
            if there_likely > likely:
                best, likely, words = each, there_likely, said
        return (best, likely), words


def distinct(met: Iterable[Met]) -> list[Met]:
    """The likeliest first, without those that lie over a likelier one of the same video.

    A meeting in a copy of the footage of a likelier one is told of as its copy.
    """
    ordered = sorted(met, key=lambda each: (-each.confidence, each.video, each.span))
    kept: list[Met] = []
    taken: dict[int, list[Span]] = {}
    for each in ordered:
        if any(each.span.iou(other) >= _SAME for other in taken.get(each.video, [])):
            continue
        kept.append(each)
        for video, shift in _copies(each):
            start, end = each.span.start_seconds + shift, each.span.end_seconds + shift
            taken.setdefault(video, []).append(Span(start, end))
    return kept


def _copies(met: Met) -> Iterator[tuple[int, float]]:
    """The videos that show a meeting, its own first, and how much later in them it is."""
    yield met.video, 0.0
    first, *others = met.anchor.group or (None,)
    for each in others:
        if first is not None and each is not None:
            shift = each.segment.span.start_seconds - first.segment.span.start_seconds
            yield each.window.video_id, shift


def _chained(first: Met, second: Met) -> Met:
    """Two meetings one after the other."""
    return replace(
        first,
        parts=first.parts + second.parts,
        words=first.words + second.words,
        is_seen=first.is_seen or second.is_seen,
    )


def _are_sure(words: Sequence[Finding]) -> bool:
    """Whether one of the lines of words is enough by itself."""
    return any(each.is_sure for each in words)


def _in_order(former: Span, later: Span) -> bool:
    """Whether one moment comes after another: they may share a quarter of the shorter one."""
    shared = former.end_seconds - later.start_seconds
    shorter = min(each.end_seconds - each.start_seconds for each in (former, later))
    return shared <= _SHARED_IN_ORDER * shorter


def _shared(spans: Iterable[Span]) -> Span | None:
    """What all of some spans have in common."""
    given: Sequence[Span] = list(spans)
    start = max(each.start_seconds for each in given)
    end = min(each.end_seconds for each in given)
    return Span(start, end) if end > start else None


def _most_of(one: Span, other: Span) -> bool:
    """Whether what two spans share is most of the shorter one."""
    shorter = min(one.duration_seconds, other.duration_seconds)
    return one.intersection_seconds(other) >= 0.5 * shorter


def _bounds(span: Span) -> tuple[float, float]:
    return span.start_seconds, span.end_seconds


def _positive(start: float, end: float) -> tuple[float, float]:
    """Bounds from the start of a film on; never empty."""
    low = max(0.0, start)
    return low, max(end, low + 1e-3)
