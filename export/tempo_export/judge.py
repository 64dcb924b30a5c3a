"""Grounding and refusal of a profile, judged on videos whose moments are known.

Through the real indexer and the real search, so that whatever a smaller model does to them is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tempo_edge import Library
from tempo_edge.evaluation.truth import Query, read_truth
from tempo_edge.models.registry import Profile
from tempo_edge.moment import Span

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True)
class Verdict:
    """The answers of a profile, and how good they were, in percent.

    Attributes:
        r1: queries that occur whose first moment lies in the right file with a tIoU of at least
            0.7; a refusal is a miss.
        refused: queries that don't occur and were refused.
        spans: the first moment of every query that was answered, as file, start and end.
    """

    r1: float
    refused: float
    spans: tuple[tuple[str, float, float] | None, ...]

    def same_as(self, other: Verdict) -> int:
        """Queries that both answered with the same span, or both refused."""
        return sum(mine == theirs for mine, theirs in zip(self.spans, other.spans, strict=True))

    def to_json(self) -> dict[str, float]:
        return {"r1_at_0.7": self.r1, "refused": self.refused, "queries": len(self.spans)}


def judge(profile: Profile, videos: Path, scratch: Path) -> dict[str, Verdict]:
    """Index a folder with a profile and ask every query of its ``truth.jsonl``.

    Args:
        videos: a folder with a ``truth.jsonl``, one query a line: ``query``, ``file`` (none if it
            doesn't occur) and ``spans``.
        scratch: where the library goes.

    Returns:
        What each of the profile's grounders answered.

    Raises:
        TempoEdgeError: there is no ``truth.jsonl``, or it can't be read.
    """
    queries = read_truth(videos)
    with Library.open(scratch / "library.db", profile=profile) as library:
        library.index([videos])
        return {
            grounder: _verdict(
                queries, [_first(library, query.text, grounder) for query in queries]
            )
            for grounder in library.searcher.pictures.grounders
        }


def _verdict(queries: list[Query], found: list[tuple[str, float, float] | None]) -> Verdict:
    hits, refusals = [], []
    for query, moment in zip(queries, found, strict=True):
        if query.file is None:
            refusals.append(moment is None)
        else:
            hits.append(
                moment is not None
                and moment[0] == query.file
                and max(Span(*moment[1:]).iou(span) for span in query.spans) >= 0.7
            )
    share = 100 * sum(refusals) / len(refusals) if refusals else 100.0
    return Verdict(100 * sum(hits) / len(hits), share, tuple(found))


def _first(library: Library, query: str, grounder: str) -> tuple[str, float, float] | None:
    answer = library.find(query, grounder=grounder)
    if not answer.moments:
        return None
    best = answer.moments[0]
    return Path(best.path).name, best.start_seconds, best.end_seconds
