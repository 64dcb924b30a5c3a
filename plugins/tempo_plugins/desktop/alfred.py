"""Alfred's script filter and what its items do: JSON on stdout, one request as an argument.

The format: https://www.alfredapp.com/help/workflows/inputs/script-filter/json/
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

__all__ = ["do", "items", "main"]

_LIMIT = 8
_ICON = "icon.png"


def items(query: str, client: ServiceOrLibrary, pictures: Pictures) -> dict[str, Any]:
    """What Alfred lists for a query; what is wrong is an item of its own, which does nothing."""
    try:
        found = looked_up(query, _LIMIT, client)
        if found is None:
            listed = []
        elif found.moments:
            listed = [_item(row) for row in rows_of(found, pictures)]
        else:
            listed = [_saying(*refusal(found))]
    except (TempoEdgeError, ValueError) as error:
        listed = [_saying("tempo-edge", printable(str(error)))]
    # Alfred would bring what was taken before to the top.
    return {"skipknowledge": True, "items": listed}


def do(request: str) -> str:
    """Do what an item asks for: ``{"play": MOMENT}`` or ``{"folder": MOMENT}``.

    Returns:
        What went wrong, in a line; or nothing.
    """
    try:
        asked = json.loads(request)
        if not isinstance(asked, dict) or len(asked) != 1 or not asked.keys() <= _DEEDS.keys():
            raise ValueError(f"{request!r} must be an item's play or folder")
        ((deed, moment),) = asked.items()
        _DEEDS[deed](moment_from_dict(moment))
    except (TempoEdgeError, ValueError, RecursionError) as error:
        return printable(str(error))
    return ""


_DEEDS = {"play": play, "folder": show_folder}


def _item(row: dict[str, Any]) -> dict[str, Any]:
    moment = row["moment"]
    return {
        "title": row["title"],
        "subtitle": row["subtitle"],
        "icon": {"path": row["icon"] or _ICON},
        "arg": json.dumps({"play": moment}),
        "mods": {"cmd": {"subtitle": "Show the folder", "arg": json.dumps({"folder": moment})}},
    }


def _saying(title: str, subtitle: str) -> dict[str, Any]:
    return {"title": title, "subtitle": subtitle, "icon": {"path": _ICON}, "valid": False}


def main(arguments: list[str]) -> int:
    """``find QUERY`` or ``do ITEM``; gives the exit status."""
    command, text = (*arguments, "", "")[:2]
    if command == "do":
        print(do(text), end="")
        return 0
    with ServiceOrLibrary(name="alfred") as client, closing(Pictures(client)) as pictures:
        told = items(text, client, pictures)
    sys.stdout.buffer.write(json.dumps(told).encode("ascii"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
