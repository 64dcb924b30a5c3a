"""The answer to a query, written down and read back in the formats that doors speak.

There are two. The command line (``find --json``) prints a moment a line by :meth:`Answer.rows`, and
:meth:`Answer.refusal` where there is none: numbers are rounded, a moment names its profile and is
``offline`` or not. The service (``/v1/find``) gives
:meth:`Answer.as_dict`: numbers are in full, a moment names its video and is ``online`` or not.
Whoever asks a service reads that back by :meth:`Answer.from_dict`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tempo_edge._files.spelling import spelled
from tempo_edge.capture.facts import Capture
from tempo_edge.expression import Expression, Term
from tempo_edge.moment import PICTURE, Copy, Moment, Part

if TYPE_CHECKING:
    from tempo_edge.search.candidates import Candidate

__all__ = ["Answer", "moment_as_dict", "moment_from_dict"]

# Rejected moments that a refusal of the command line names.
_CLOSEST = 3

# With so many rivals the first moment is right for one query in twelve, else for two in five.
_MANY = 4


@dataclass(frozen=True)
class Answer:
    """What a search found: iterate over its moments, best first. Empty when nothing matches.

    Attributes:
        moments: the moments shown.
        rejected: the likeliest of those that were held back, best first; a handful at most.
        rejected_count: how many moments were held back because they were not likely enough.
        grounder: what turned candidates into spans.
        rivals: how many other videos have a moment that is nearly as likely as the first.
        evidence: what pictures say of each moment, None of one that words alone speak for;
            ``rejected_evidence``: the same of ``rejected``. A service keeps both to itself. Answers
            are equal if their moments are.
        left_out: whether a moment was left out that is the example itself.
        understood: the expression that was asked for, if it has several terms; else None.
        missing: the terms of it that are to be there and of which nothing was found anywhere, so
            that there is no moment of all of them.
        unknown_count: how many videos were left out since it isn't known when, where or by what
            they were taken, which the query asks for.
    """

    moments: tuple[Moment, ...]
    rejected: tuple[Moment, ...]
    rejected_count: int
    grounder: str = field(compare=False)
    rivals: int = 0
    evidence: tuple[Candidate | None, ...] = field(default=(), compare=False, repr=False)
    rejected_evidence: tuple[Candidate | None, ...] = field(default=(), compare=False, repr=False)
    left_out: bool = field(default=False, compare=False)
    understood: Expression | None = None
    missing: tuple[str, ...] = ()
    unknown_count: int = 0

    @property
    def is_unsure(self) -> bool:
        """Whether the first moment stands out of nothing: many others are nearly as likely."""
        return bool(self.moments) and self.rivals >= _MANY

    @property
    def doubt(self) -> str:
        """Why an answer is unsure, in one line for people; empty where it is not."""
        if not self.is_unsure:
            return ""
        return f"unsure: {self.rivals} other videos have a moment that is nearly as likely"

    @property
    def omission(self) -> str:
        """What was left out for want of knowing, in one line for people; empty without any."""
        if not self.unknown_count:
            return ""
        videos = "1 video is" if self.unknown_count == 1 else f"{self.unknown_count} videos are"
        return (
            f"{videos} left out: nothing tells when, where or by what camera they were taken "
            "(if an older tempo-edge indexed them, tempo-edge index looks for it)"
        )

    @property
    def best_rejected(self) -> Moment | None:
        """The most likely moment that was held back, if any was."""
        return self.rejected[0] if self.rejected else None

    @property
    def closest(self) -> tuple[Moment, ...]:
        """The moments that a refusal names, of those that were held back."""
        return self.rejected[:_CLOSEST]

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)

    def __len__(self) -> int:
        return len(self.moments)

    def rows(self) -> list[dict[str, Any]]:
        """The moments as plain values, each with what is true of all: what ``find --json`` says."""
        whole = {
            "rivals": self.rivals,
            "unsure": self.is_unsure,
            "unknown_count": self.unknown_count,
            **self._understood(),
        }
        return [{**moment.as_dict(), **whole} for moment in self.moments]

    def refusal(self) -> dict[str, Any]:
        """Why there is no moment, as plain values: what ``find --json`` says then."""
        closest = [moment.as_dict() for moment in self.closest]
        return {
            "best_rejected": closest[0] if closest else None,
            "closest": closest,
            "filtered_count": self.rejected_count,
            **self._understood(),
            **({"missing": list(self.missing)} if self.understood else {}),
            "unknown_count": self.unknown_count,
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``/v1/find`` gives them; numbers in full."""
        return {
            "grounder": self.grounder,
            "moments": [moment_as_dict(moment) for moment in self.moments],
            "near": [moment_as_dict(moment) for moment in self.rejected],
            "held_back": self.rejected_count,
            "rivals": self.rivals,
            "unsure": self.is_unsure,
            "left_out": self.left_out,
            **self._understood(),
            **({"missing": list(self.missing)} if self.understood else {}),
            "unknown_count": self.unknown_count,
        }

    def _understood(self) -> dict[str, Any]:
        """What was understood, as plain values; nothing of one term, which says itself."""
        if self.understood is None:
            return {}
        return {"understood": [term.as_dict() for term in self.understood.terms]}

    @classmethod
    def from_dict(cls, facts: Any, profile: str = "") -> Answer:
        """The answer again, from what :meth:`as_dict` gave.

        Args:
            facts: plain values from outside: they may be anything.
            profile: the models that judged, which the service tells elsewhere.

        Raises:
            ValueError: something is missing, of another kind, or out of bounds.
        """
        try:
            return cls(
                tuple(moment_from_dict(each, profile) for each in facts["moments"]),
                tuple(moment_from_dict(each, profile) for each in facts["near"]),
                int(facts["held_back"]),
                str(facts["grounder"]),
                int(facts.get("rivals", 0)),
                left_out=facts.get("left_out") is True,
                understood=_understood(facts.get("understood")),
                missing=tuple(str(each) for each in facts.get("missing", ())),
                unknown_count=int(facts.get("unknown_count", 0)),
            )
        except (AttributeError, KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"{error!r} is missing or of another kind") from error


def _understood(terms: Any) -> Expression | None:
    """The expression again, from its terms as plain values; None where there are none."""
    if terms is None:
        return None
    return Expression(tuple(Term(str(each["text"]), str(each["role"])) for each in terms))


def moment_as_dict(moment: Moment) -> dict[str, Any]:
    """A moment as the service tells it; numbers in full."""
    parts = {"parts": [asdict(part) for part in moment.parts]} if moment.parts else {}
    return {
        "video": moment.video,
        "path": spelled(moment.path),
        "name": moment.path.name,
        "start_seconds": moment.start_seconds,
        "end_seconds": moment.end_seconds,
        "cue_seconds": moment.cue_seconds,
        "score": moment.score,
        "confidence": moment.confidence,
        "online": not moment.offline,
        "copies": [
            {
                "path": spelled(copy.path),
                "start_seconds": copy.start_seconds,
                "end_seconds": copy.end_seconds,
                "online": not copy.offline,
            }
            for copy in moment.copies
        ],
        "found_by": list(moment.found_by),
        "text": moment.text,
        **parts,
        **(moment.capture or Capture()).as_dict(),
    }


def moment_from_dict(facts: Any, profile: str = "") -> Moment:
    """The moment again, from what :func:`moment_as_dict` gave.

    Args:
        facts: plain values from outside: they may be anything.
        profile: the models that judged it, where they are known.

    Raises:
        ValueError: something is missing, of another kind, or out of bounds.
    """
    try:
        video = facts.get("video")
        return Moment(
            **_place(facts),
            score=float(facts["score"]),
            confidence=float(facts["confidence"]),
            profile=profile,
            copies=tuple(Copy(**_place(each)) for each in facts.get("copies", ())),
            video=None if video is None else int(video),
            # A service of before knows of pictures alone.
            found_by=tuple(str(kind) for kind in facts.get("found_by", (PICTURE,))),
            text=str(facts.get("text", "")),
            parts=tuple(_part(each) for each in facts.get("parts", ())),
            capture=Capture.from_dict(facts),
        )
    except (AttributeError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"{facts!r} is not a moment") from error


def _part(facts: Mapping[str, Any]) -> Part:
    """One term of a moment again."""
    times = float(facts["start_seconds"]), float(facts["end_seconds"])
    return Part(str(facts["text"]), str(facts["role"]), *times, float(facts["confidence"]))


def _place(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Where a moment or a copy is: its file, its span, and whether the file is out of reach.

    Raises:
        ValueError: the path is not from the root, or the span begins before the file does.
    """
    path, start = str(facts["path"]), float(facts["start_seconds"])
    if not Path(path).is_absolute() or "\0" in path:
        raise ValueError(f"path {path!r} must be absolute")
    if start < 0:
        raise ValueError(f"start_seconds {start} must not be negative")
    return {
        "path": Path(path),
        "start_seconds": start,
        "end_seconds": float(facts["end_seconds"]),
        "offline": not facts.get("online", True),
    }
