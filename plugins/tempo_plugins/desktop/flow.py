"""Flow Launcher's JSON-RPC: one request as an argument, one answer on stdout.

The protocol: https://www.flowlauncher.com/docs/#/json-rpc
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import Any

from tempo_edge._console.text import printable
from tempo_edge.answer import moment_from_dict
from tempo_edge.errors import TempoEdgeError
from tempo_plugins.desktop.pictures import Pictures
from tempo_plugins.desktop.playing import play, show_folder
from tempo_plugins.desktop.rows import looked_up, refusal, rows_of
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["answer", "main"]

_LIMIT = 8
_ICON = "icon.png"


def answer(request: Any, client: ServiceOrLibrary, pictures: Pictures) -> dict[str, Any]:
    """The answer to ``{"method", "parameters"}``; what is wrong is shown as a result of its own."""
    try:
        method, parameters = request["method"], request.get("parameters") or []
        if method == "query":
            return {"result": _results(str(parameters[0]), client, pictures)}
        if method == "context_menu":
            return {"result": [_folder(parameters[0])]}
        if method in ("play", "folder"):
            moment = moment_from_dict(json.loads(parameters[0]))
            (play if method == "play" else show_folder)(moment)
            return {"result": []}
        raise ValueError(f"method {method!r} must be query, context_menu, play or folder")
    except (AttributeError, IndexError, KeyError, TypeError):
        return {"result": [_line("tempo-edge can't read this request", printable(repr(request)))]}
    except (TempoEdgeError, ValueError) as error:
        return {"result": [_line("tempo-edge", printable(str(error)))]}


def _results(query: str, client: ServiceOrLibrary, pictures: Pictures) -> list[dict[str, Any]]:
    found = looked_up(query, _LIMIT, client)
    if found is None:
        return []
    if not found.moments:
        return [_line(*refusal(found))]
    results = []
    for row in rows_of(found, pictures):
        moment = json.dumps(row["moment"])
        results.append(
            {
                **_line(row["title"], row["subtitle"], row["icon"] or _ICON),
                # Parameters are told back as they are; a text survives every version's converter.
                "JsonRPCAction": {"method": "play", "parameters": [moment]},
                "ContextData": moment,
            }
        )
    return results


def _folder(moment: Any) -> dict[str, Any]:
    action = {"method": "folder", "parameters": [moment]}
    return {**_line("Show the folder", ""), "JsonRPCAction": action}


def _line(text: str, more: str, icon: str = _ICON) -> dict[str, Any]:
    return {"Title": text, "SubTitle": more, "IcoPath": icon}


def main(arguments: list[str]) -> int:
    """Answer the request of a command line; gives the exit status."""
    try:
        request = json.loads(arguments[0]) if arguments else None
    except ValueError:
        request = arguments[0]
    with ServiceOrLibrary(name="flow") as client, closing(Pictures(client)) as pictures:
        told = answer(request, client, pictures)
    sys.stdout.buffer.write(json.dumps(told).encode("ascii"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
