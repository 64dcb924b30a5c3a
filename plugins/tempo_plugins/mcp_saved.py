"""The tools that list and ask saved searches. None saves one: whoever does is told of moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tempo_edge.errors import TempoEdgeError
from tempo_edge.saved.search import LONGEST_NAME
from tempo_plugins.mcp_moments import ANSWER, answer_facts
from tempo_plugins.mcp_tool import READS_ONLY, AssistantTool
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["LIST_SAVED_SEARCHES", "RUN_SAVED_SEARCH"]

_SEARCH = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "What its user calls it."},
        "query": {"type": "string", "description": "What it asks, in one line."},
        "told": {"type": "integer", "description": "Moments of new footage it has told so far."},
    },
    "required": ["name", "query", "told"],
}


def _list(client: ServiceOrLibrary, given: Mapping[str, Any]) -> dict[str, Any]:
    told = _SEARCH["required"]
    return {"searches": [{name: each[name] for name in told} for each in client.searches()]}


def _run(client: ServiceOrLibrary, given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("name") is None:
        raise TempoEdgeError(
            "run_saved_search needs the name of a saved search: list_saved_searches gives them"
        )
    return answer_facts(client.run_saved(given["name"]))


LIST_SAVED_SEARCHES = AssistantTool(
    {
        "name": "list_saved_searches",
        "title": "List saved searches",
        "description": "Lists the searches that the user has saved, by name.",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        "outputSchema": {
            "type": "object",
            "properties": {"searches": {"type": "array", "items": _SEARCH}},
            "required": ["searches"],
        },
        "annotations": READS_ONLY,
    },
    {},
    _list,
)

RUN_SAVED_SEARCH = AssistantTool(
    {
        "name": "run_saved_search",
        "title": "Run a saved search",
        "description": (
            "Finds what a saved search of the user matches now, in all of the library; the answer "
            "is that of find_moments."
        ),
        "inputSchema": {
            "type": "object",
            "properties": {
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_NAME,
                    "description": "As list_saved_searches gives it.",
                }
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        "outputSchema": ANSWER,
        "annotations": READS_ONLY,
    },
    {"name": ((str,), "a string")},
    _run,
)
