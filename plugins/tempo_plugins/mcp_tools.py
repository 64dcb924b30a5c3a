"""What an assistant may ask for: tools that only read, with times in seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tempo_edge._console.text import printable
from tempo_edge.errors import TempoEdgeError
from tempo_plugins.mcp_find import FIND_MOMENTS
from tempo_plugins.mcp_saved import LIST_SAVED_SEARCHES, RUN_SAVED_SEARCH
from tempo_plugins.mcp_tool import READS_ONLY, AssistantTool
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["TOOLS", "UnknownToolError", "call"]


def _describe_library(client: ServiceOrLibrary, given: Mapping[str, Any]) -> dict[str, Any]:
    facts = client.describe()
    hours = float(facts.pop("hours") or 0.0)
    return {**facts, "footage_seconds": round(hours * 3600, 3)}


_LIBRARY: dict[str, Any] = {
    "name": "describe_library",
    "title": "Describe the video library",
    "description": "Says how many videos and hours of footage can be searched.",
    "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
    "outputSchema": {
        "type": "object",
        "properties": {
            "library": {"type": ["string", "null"]},
            "profile": {"type": ["string", "null"]},
            "videos": {"type": "integer"},
            "footage_seconds": {"type": "number"},
            "frames": {"type": "integer"},
            "skipped": {"type": "integer", "description": "Files that could not be indexed."},
            "indexing": {"type": ["object", "null"]},
        },
        "required": ["videos", "footage_seconds"],
    },
    "annotations": READS_ONLY,
}

_TOOLS = (
    FIND_MOMENTS,
    AssistantTool(_LIBRARY, {}, _describe_library),
    LIST_SAVED_SEARCHES,
    RUN_SAVED_SEARCH,
)

#: How each describes itself.
TOOLS: tuple[dict[str, Any], ...] = tuple(tool.facts for tool in _TOOLS)


class UnknownToolError(TempoEdgeError):
    """There is no tool of that name."""


def call(client: ServiceOrLibrary, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a tool, as ``tools/call`` gives it. What goes wrong is told in the result.

    Raises:
        UnknownToolError: there is no such tool.
    """
    tools = {tool.name: tool for tool in _TOOLS}
    if name not in tools:
        raise UnknownToolError(f"tool {name!r} must be one of {', '.join(tools)}")
    try:
        facts = tools[name].call(client, arguments)
    except TempoEdgeError as error:
        return {"content": [_text(printable(str(error)))], "isError": True}
    # Clients that know no structured content read the same facts as text.
    content = [_text(json.dumps(facts, ensure_ascii=False))]
    return {"content": content, "structuredContent": facts, "isError": False}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
