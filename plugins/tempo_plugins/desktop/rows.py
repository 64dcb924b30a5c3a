"""What launchers ask: a program that reads one request from stdin and writes one answer to stdout.

A launcher's own Python can seldom load the library, so its plugin starts this program, with the
Python that tempo-edge is installed in. Requests, in JSON::

    {"query": "a dog", "limit": 8}  ->  {"rows": [{"title", "subtitle", "icon", "moment"}...]}
    {"play": MOMENT}                ->  {}
    {"folder": MOMENT}              ->  {}

or ``{"error": "one line"}`` for each. ``icon`` is a file, or "" where there is no picture.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import Any

from tempo_edge._console.text import printable
from tempo_edge.answer import Answer, moment_as_dict, moment_from_dict
from tempo_edge.errors import TempoEdgeError
from tempo_edge.query import Query
from tempo_edge.service.client import SupersededError
from tempo_plugins.desktop.offers import subtitle, title
from tempo_plugins.desktop.pictures import Pictures
from tempo_plugins.desktop.playing import play, show_folder
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["answer", "looked_up", "main", "refusal", "rows", "rows_of"]

_LIMIT = 8
_SHORTEST = 3
_WAIT_SECONDS = 0.5


def rows(
    query: str, limit: int, client: ServiceOrLibrary, pictures: Pictures
) -> list[dict[str, Any]]:
    """Lines to show for a query; none while it is too short.

    Raises:
        TempoEdgeError: it can't be searched for that.
    """
    found = looked_up(query, limit, client)
    return [] if found is None else rows_of(found, pictures)


def looked_up(query: str, limit: int, client: ServiceOrLibrary) -> Answer | None:
    """What is found while somebody types; None while it is too short, or more was typed since.

    Raises:
        TempoEdgeError: it can't be searched for that.
    """
    if len(query.strip()) < _SHORTEST:
        return None
    try:
        return client.find(Query(query, limit, retrieval=True))
    except SupersededError:
        return None


def refusal(found: Answer) -> tuple[str, str]:
    """(that nothing matches, what comes closest or nothing) of an answer without moments."""
    near = found.best_rejected
    return "Nothing matches", "" if near is None else f"Closest: {title(near)}, {subtitle(near)}"


def rows_of(found: Answer, pictures: Pictures) -> list[dict[str, Any]]:
    """Lines to show of an answer."""
    files = pictures.get(found.moments, _WAIT_SECONDS)
    return [
        {
            "title": title(moment),
            "subtitle": subtitle(moment, found.is_unsure),
            "icon": str(files[moment]) if moment in files else "",
            "moment": moment_as_dict(moment),
        }
        for moment in found.moments
    ]


def answer(request: Any, client: ServiceOrLibrary, pictures: Pictures) -> dict[str, Any]:
    """The answer to a request; whatever is wrong with it is told as its ``error``."""
    try:
        if not isinstance(request, dict):
            raise ValueError("request must be a JSON object")
        if "play" in request:
            play(moment_from_dict(request["play"]))
            return {}
        if "folder" in request:
            show_folder(moment_from_dict(request["folder"]))
            return {}
        query, limit = request.get("query"), request.get("limit", _LIMIT)
        if not isinstance(query, str) or isinstance(limit, bool) or not isinstance(limit, int):
            raise ValueError("request must have a query, a text, and may have a limit, a number")
        return {"rows": rows(query, limit, client, pictures)}
    except (TempoEdgeError, ValueError) as error:
        return {"error": printable(str(error))}


def main() -> int:
    """Answer the request on stdin; gives the exit status."""
    try:
        request = json.loads(sys.stdin.buffer.read())
    except ValueError:
        request = None
    with ServiceOrLibrary(name="launcher") as client, closing(Pictures(client)) as pictures:
        told = answer(request, client, pictures)
    sys.stdout.buffer.write(json.dumps(told).encode("ascii"))
    return 1 if "error" in told else 0


if __name__ == "__main__":
    sys.exit(main())
