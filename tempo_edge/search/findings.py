"""Findings: what pictures, words or names say of a stretch of footage; and moments made of them.

Whatever speaks for a moment has a probability of its own, and a threshold of its own from which it
is sure. What is found by pictures and by words at the same time is one moment, and surer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tempo_edge.moment import PICTURE, Span
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.copies import grouped

__all__ = ["NEAR_SECONDS", "Finding", "Found", "merged", "of_candidates"]

#: Findings of two kinds that lie no further apart than this many seconds are of one moment: people
#: say what they see a little before or after it is seen.
NEAR_SECONDS = 1.0

# Two lines of one kind that overlap by this much are of one moment, in two languages perhaps.
_SAME = 0.3

_NAME = "name"


@dataclass(frozen=True)
class Finding:
    """What one kind of evidence says of a stretch of a video.

    Attributes:
        kind: of :data:`tempo_edge.moment.EVIDENCE_KINDS`.
        video: the id of its video; ``span``: the stretch.
        confidence: probability in [0, 1] that what is asked for is there, by this kind alone.
        is_sure: whether that is enough for a moment that nothing else speaks for.
        score: what the moment's score is, if this speaks for it most.
        text: the line of words; empty of pictures.
        group: the candidate of pictures with its copies behind it; empty of words.
    """

    kind: str
    video: int
    span: Span
    confidence: float
    is_sure: bool
    score: float
    text: str = ""
    group: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Found:
    """A moment that was found: the findings that speak for it, the one that says most first."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that says most: the moment has its times."""
        return self.findings[0]

    @property
    def is_sure(self) -> bool:
        """Whether one of the findings is; a name is sure of all of its film alone."""
        return self.first.is_sure

    @property
    def is_named_only(self) -> bool:
        """Whether nothing but the name of its file speaks for it."""
        return self.first.kind == _NAME

    @property
    def confidence(self) -> float:
        """Probability in [0, 1] that at least one of the findings is right."""
        wrong = 1.0
        for each in self.findings:
            wrong *= 1.0 - each.confidence
        return 1.0 - wrong if len(self.findings) > 1 else self.first.confidence

    @property
    def found_by(self) -> tuple[str, ...]:
        """The kinds that speak for it: the first, and those that are sure."""
        sure = [each.kind for each in self.findings[1:] if each.is_sure]
        return tuple(dict.fromkeys([self.first.kind, *sure]))

    @property
    def text(self) -> str:
        """The line of words that speaks for it most, of those that it was found by."""
        kinds = self.found_by
        said = (each.text for each in self.findings if each.kind in kinds and each.text)
        return next(said, "")

    @property
    def group(self) -> tuple[Candidate, ...]:
        """The candidate of pictures, with copies behind it; empty where words alone speak."""
        return next((each.group for each in self.findings if each.group), ())


def of_candidates(
    found: Sequence[Candidate], least: float, *, counts: bool = True
) -> Iterator[Finding]:
    """Candidates as findings, those of the same footage as one; each is sure from `least` on.

    Args:
        counts: whether pictures are an answer at all; else none is sure.
    """
    for group in grouped(found):
        first = group[0]
        where = first.window.video_id, first.segment.span
        is_sure = counts and first.confidence >= least
        yield Finding(PICTURE, *where, first.confidence, is_sure, first.score, group=group)


def merged(findings: Iterable[Finding]) -> list[Found]:
    """Moments of all findings, the likeliest first; those that something is sure of before others.

    Findings of several kinds that lie at the same time, or a second apart, are one moment; of each
    kind one, but for lines that overlap. A name speaks for every moment of its film, and for all of
    the film where nothing else does.
    """
    ordered = sorted(findings, key=_by_weight)
    moments: dict[int, list[list[Finding]]] = {}
    for finding in ordered:
        of_video = moments.setdefault(finding.video, [])
        if finding.kind == _NAME:
            _name(of_video, finding)
            continue
        host = next((each for each in of_video if _takes(each, finding)), None)
        if host is None:
            of_video.append([finding])
        else:
            host.append(finding)
    found = [Found(tuple(each)) for of_video in moments.values() for each in of_video]
    return sorted(
        found,
        key=lambda each: (
            not each.is_sure,
            each.is_named_only,
            -each.confidence,
            -each.first.score,
            each.first.video,
            each.first.span,
        ),
    )


def _by_weight(finding: Finding) -> tuple[bool, bool, float, float, int, Span]:
    """What sorts findings: the one that says most first, and names last."""
    return (
        finding.kind == _NAME,
        not finding.is_sure,
        -finding.confidence,
        -finding.score,
        finding.video,
        finding.span,
    )


def _takes(moment: Sequence[Finding], finding: Finding) -> bool:
    """Whether a finding speaks for a moment that there is already."""
    span, other = moment[0].span, finding.span
    if any(each.kind == finding.kind for each in moment):
        return finding.kind != PICTURE and span.iou(other) >= _SAME
    return (
        other.start_seconds <= span.end_seconds + NEAR_SECONDS
        and span.start_seconds <= other.end_seconds + NEAR_SECONDS
    )


def _name(moments: list[list[Finding]], name: Finding) -> None:
    """Have a name speak for the moments of its film, or for the film where none is sure."""
    for moment in moments:
        moment.append(name)
    if name.is_sure and not any(each[0].is_sure for each in moments):
        moments.append([name])
