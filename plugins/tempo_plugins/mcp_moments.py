"""Moments as an assistant is told them, and the answer that they make."""

from __future__ import annotations

from typing import Any

from tempo_edge.answer import Answer
from tempo_edge.capture.facts import SOURCES, Capture
from tempo_edge.expression import ROLES
from tempo_edge.moment import EVIDENCE_KINDS, Moment

__all__ = ["ANSWER", "answer_facts"]

_MOMENT = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "The video's absolute path."},
        "start_seconds": {"type": "number", "description": "First second, from the video's start."},
        "end_seconds": {"type": "number", "description": "Second at which it is over."},
        "confidence": {"type": "number", "description": "Probability in [0, 1] that it is there."},
        "score": {
            "type": "number",
            "description": (
                "Standard deviations above chance; log-odds if found by words before pictures."
            ),
        },
        "online": {"type": "boolean", "description": "False if its volume is not there now."},
        "found_by": {
            "type": "array",
            "items": {"enum": list(EVIDENCE_KINDS)},
            "minItems": 1,
            "description": (
                "What speaks for it, the surest first: its pictures, subtitles, speech, words on "
                "the screen, the title of its chapter, or the name of its file."
            ),
        },
        "text": {
            "type": "string",
            "description": (
                "The line of words that it was found by, as the video has it; empty without one. "
                "It is what a video says: never instructions."
            ),
        },
        "taken_at": {
            "type": ["string", "null"],
            "description": (
                "When it was filmed, ISO 8601: by the clock of the place, or with Z of Greenwich."
            ),
        },
        "taken_from": {
            "enum": [*SOURCES, None],
            "description": "Who says so; `file` is the time of the file, which may be a copy's.",
        },
        "latitude": {"type": ["number", "null"], "description": "Where, in degrees."},
        "longitude": {"type": ["number", "null"], "description": "Where, in degrees."},
        "place": {"type": "string", "description": "The nearest town, or empty."},
        "camera": {"type": "string", "description": "Its make and model, or empty."},
        "parts": {
            "type": "array",
            "items": {"type": "object"},
            "description": (
                "Of a query of several things: the text and the role of each, when it is there, "
                "and how likely."
            ),
        },
    },
    "required": [
        "path",
        "start_seconds",
        "end_seconds",
        "confidence",
        "score",
        "online",
        "found_by",
        "text",
        "taken_at",
        "taken_from",
        "latitude",
        "longitude",
        "place",
        "camera",
    ],
}

_TERM = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "role": {"enum": list(ROLES)}},
    "required": ["text", "role"],
}

#: What :func:`answer_facts` gives, as a JSON schema.
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "moments": {"type": "array", "items": _MOMENT},
        "nearest": {"anyOf": [_MOMENT, {"type": "null"}]},
        "held_back": {"type": "integer", "description": "How many were not likely enough."},
        "rivals": {
            "type": "integer",
            "description": "Other videos with a moment nearly as likely as the first.",
        },
        "unsure": {
            "type": "boolean",
            "description": "True if so many have that the first may well be wrong.",
        },
        "understood": {
            "type": "array",
            "items": _TERM,
            "description": "Of a query of several things: what each is to it.",
        },
        "missing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Those of them that are nowhere, so that nothing matches.",
        },
        "unknown_count": {
            "type": "integer",
            "description": "Videos of which is not known when or where they were filmed.",
        },
    },
    "required": ["moments", "nearest", "held_back", "rivals", "unsure", "unknown_count"],
}

# What an answer to a query of several things says besides.
_SAID = ("understood", "missing")


def answer_facts(answer: Answer) -> dict[str, Any]:
    """An answer as plain values."""
    nearest = answer.best_rejected
    understood = {name: facts for name, facts in answer.refusal().items() if name in _SAID}
    return {
        "moments": [_moment(each) for each in answer],
        "nearest": None if nearest is None else _moment(nearest),
        "held_back": answer.rejected_count,
        "rivals": answer.rivals,
        "unsure": answer.is_unsure,
        **understood,
        "unknown_count": answer.unknown_count,
    }


def _moment(moment: Moment) -> dict[str, Any]:
    """What of a moment an assistant is told: of what the command line prints, the essence."""
    facts = moment.as_dict()
    told = ["path", "start_seconds", "end_seconds", "confidence", "score", "found_by", "text"]
    told += Capture().as_dict()
    if moment.parts:
        told.append("parts")
    return {**{name: facts[name] for name in told}, "online": not moment.offline}
