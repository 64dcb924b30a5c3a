"""The tool that finds moments by a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tempo_edge.errors import TempoEdgeError
from tempo_edge.example import example
from tempo_edge.expression import MOST_TERMS
from tempo_edge.filters import WHERE, Filters, Where
from tempo_edge.query import DEFAULT_LIMIT, ORDERS, THEN_SECONDS, Query, places
from tempo_plugins.mcp_moments import ANSWER, answer_facts
from tempo_plugins.mcp_tool import READS_ONLY, Arguments, AssistantTool
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["FIND_MOMENTS"]

# Things that a query names beside its text.
_TERMS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 1000},
    "maxItems": MOST_TERMS,
}

# The filters by when, where and by what a video was filmed.
_WHERE = {
    "since": "Filmed then or later: 2024, 2024-01-31, yesterday, last summer.",
    "until": "Filmed then or earlier, that day included.",
    "on": "Filmed on that day, or in that month or year.",
    "around": "Filmed within: latitude,longitude,kilometres.",
    "place": "Filmed within 25 km of a town: Lisbon, or Paris, US.",
    "camera": "Words of the camera's make and model: iPhone.",
    "size": "Least picture: 1080p, 4k, 1920x1080.",
}

_FACTS: dict[str, Any] = {
    "name": "find_moments",
    "title": "Find moments in videos",
    "description": (
        "Finds where something is seen, said or written in the user's own indexed videos. "
        "Without said, shown or seen everything counts, names of files too. Gives spans "
        "[start_seconds, end_seconds) with calibrated confidence, best first. An empty list "
        "means that nothing matches; `nearest` is then the best that was held back, and is "
        "no match. If `unsure`, `rivals` other videos have a moment nearly as likely as the "
        "first, which is then seldom the right one."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": 1000,
                "description": (
                    "What is seen, in plain English: a dog jumps into water. Or what is said; "
                    "words in double quotes to the letter. AND, NOT and THEN in capitals "
                    "join things: a dog AND a beach NOT people."
                ),
            },
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
                "default": 10,
                "description": "Most moments to give.",
            },
            "min_confidence": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "Least probability to show; by default a calibrated one.",
            },
            "within": {
                "type": ["string", "array"],
                "items": {"type": "string"},
                "description": "Search only at or under this absolute path, or these.",
            },
            "parts": {
                "type": "boolean",
                "default": False,
                "description": (
                    "Give neighbouring stretches that show it equally well one by one, "
                    "instead of as one moment."
                ),
            },
            "said": {
                "type": "boolean",
                "default": False,
                "description": "Find it by what is said: lines of subtitles and of speech.",
            },
            "shown": {
                "type": "boolean",
                "default": False,
                "description": "Find it by words that stand on the screen.",
            },
            "seen": {
                "type": "boolean",
                "default": False,
                "description": "Find it by pictures. Of these three, those given count.",
            },
            "like": {
                "type": "string",
                "maxLength": 4200,
                "description": (
                    "An example, in place of a query or with one, which must then both be "
                    "there: a moment, as /home/me/film.mp4@80-90 in seconds, that is left out "
                    "itself; or the absolute path of a picture. It excludes said and shown."
                ),
            },
            "also": {**_TERMS, "description": "What else is there at the same time."},
            "without": {**_TERMS, "description": "What is not there."},
            "then": {**_TERMS, "description": "What comes next, one after the other."},
            "near_seconds": {
                "type": "number",
                "minimum": 0,
                "default": 0,
                "description": "How far apart `also` may lie; 0: at the same time.",
            },
            "then_seconds": {
                "type": "number",
                "minimum": 0,
                "default": THEN_SECONDS,
                "description": "The longest time before what comes next.",
            },
            "plain": {
                "type": "boolean",
                "default": False,
                "description": "AND, NOT and THEN in the query are words like others.",
            },
            **{
                name: {"type": "string", "maxLength": 200, "description": about}
                for name, about in _WHERE.items()
            },
            "sort": {
                "enum": list(ORDERS),
                "default": "score",
                "description": "Order of the best: likeliest, filmed first, or by name.",
            },
        },
        "additionalProperties": False,
    },
    "outputSchema": ANSWER,
    "annotations": READS_ONLY,
}

_ARGUMENTS: Arguments = {
    "query": ((str,), "a string"),
    "limit": ((int,), "a whole number"),
    "min_confidence": ((int, float), "a number"),
    "within": ((str, list), "a string or a list of strings"),
    "parts": ((bool,), "true or false"),
    "said": ((bool,), "true or false"),
    "shown": ((bool,), "true or false"),
    "seen": ((bool,), "true or false"),
    "like": ((str,), "a string"),
    "also": ((list,), "a list of strings"),
    "without": ((list,), "a list of strings"),
    "then": ((list,), "a list of strings"),
    "near_seconds": ((int, float), "a number"),
    "then_seconds": ((int, float), "a number"),
    "plain": ((bool,), "true or false"),
    **dict.fromkeys((*WHERE, "sort"), ((str,), "a string")),
}


def _find_moments(client: ServiceOrLibrary, given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("query") is None and given.get("like") is None:
        raise TempoEdgeError("find_moments needs a query, or an example as like")
    # An assistant may say null for what it leaves out.
    wanted = {name: value for name, value in given.items() if value is not None}
    query = Query(
        wanted.get("query", ""),
        limit=wanted.get("limit", DEFAULT_LIMIT),
        min_confidence=wanted.get("min_confidence"),
        within=places(wanted.get("within")),
        parts=wanted.get("parts", False),
        said=wanted.get("said", False),
        shown=wanted.get("shown", False),
        seen=wanted.get("seen", False),
        like=example(wanted.get("like"), is_decoded=False),
        also=tuple(wanted.get("also", ())),
        without=tuple(wanted.get("without", ())),
        then=tuple(wanted.get("then", ())),
        near_seconds=wanted.get("near_seconds", 0.0),
        then_seconds=wanted.get("then_seconds", THEN_SECONDS),
        plain=wanted.get("plain", False),
        filters=Filters.of(Where(**{n: wanted[n] for n in WHERE if n in wanted})),  # type: ignore[typeddict-item]
        sort=wanted.get("sort", "score"),
    )
    return answer_facts(client.find(query))


FIND_MOMENTS = AssistantTool(_FACTS, _ARGUMENTS, _find_moments)
