"""The search of one term of an expression: its moments, and how likely it is anywhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tempo_edge.moment import PICTURE, Span
from tempo_edge.search.findings import NEAR_SECONDS, Finding, Found
from tempo_edge.search.glance import Glance

__all__ = ["TermSearch"]


@dataclass(frozen=True)
class TermSearch:
    """What a library holds of one term.

    Attributes:
        text: the term.
        found: every moment that it may mean, likeliest first, sure or not.
        glance: what pictures say of it elsewhere; None where they don't count.
    """

    text: str
    found: Sequence[Found]
    glance: Glance | None

    def likelihood(
        self, video: int, span: Span, chosen: float = 0.0
    ) -> tuple[float, tuple[Finding, ...]]:
        """Probability in [0, 1] that the term is there at a span, and the words that say so.

        As of a moment, it is that of at least one kind of evidence being right.

        Args:
            chosen: see :meth:`Glance.likelihood`.
        """
        wrong = 1.0
        if self.glance is not None:
            wrong -= self.glance.likelihood(video, span, chosen)
        said = self._said(video, span)
        for each in said:
            wrong *= 1.0 - each.confidence
        return 1.0 - wrong, said

    def spans(self, video: int, stretch: Span) -> Iterator[Span]:
        """The spans within a stretch at which the term may be, by pictures and by words."""
        if self.glance is not None:
            yield from self.glance.spans(video, stretch)
        for each in self._words.get(video, ()):
            if each.span.intersection_seconds(stretch) >= 0.5 * each.span.duration_seconds:
                yield each.span

    def _said(self, video: int, span: Span) -> tuple[Finding, ...]:
        """The words that are there at a span, the surest of each kind."""
        near = Span(max(0.0, span.start_seconds - NEAR_SECONDS), span.end_seconds + NEAR_SECONDS)
        best: dict[str, Finding] = {}
        for each in self._words.get(video, ()):
            known = best.get(each.kind)
            is_there = each.span.intersection_seconds(near) > 0
            if is_there and (known is None or known.confidence < each.confidence):
                best[each.kind] = each
        return tuple(sorted(best.values(), key=lambda each: -each.confidence))

    @cached_property
    def _words(self) -> Mapping[int, Sequence[Finding]]:
        """What words say of each video."""
        said: dict[int, list[Finding]] = defaultdict(list)
        for moment in self.found:
            for each in moment.findings:
                if each.kind != PICTURE:
                    said[each.video].append(each)
        return dict(said)
