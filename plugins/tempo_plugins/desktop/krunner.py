"""KRunner's D-Bus plugin, ``org.kde.krunner1``.

The interface: https://invent.kde.org/frameworks/krunner/-/blob/master/src/data/org.kde.krunner1.xml
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.query import Query
from tempo_edge.service.http.find_request import LONGEST_TEXT
from tempo_plugins.desktop.bus import BusObject, Method, serve
from tempo_plugins.desktop.offers import Offers, subtitle, title
from tempo_plugins.desktop.pictures import Pictures, pixels
from tempo_plugins.desktop.playing import play, show_folder
from tempo_plugins.service_or_library import ServiceOrLibrary

if TYPE_CHECKING:
    from dbus_fast import Variant

__all__ = ["BUS_NAME", "OBJECT_PATH", "Runner", "main"]

BUS_NAME = "org.tempoedge.KRunner"
OBJECT_PATH = "/org/tempoedge/KRunner"

_LIMIT = 5
_SHORTEST = 3

# A match can't be given its picture later, so this is added to each search.
_WAIT_SECONDS = 0.3

# How matches of this kind stand to others' (KRunner's category relevance): 0, 30, 50, 70 or 100.
_RELEVANCE = 30

_FOLDER = "folder"


class Runner:
    """Answers KRunner."""

    def __init__(self, client: ServiceOrLibrary, pictures: Pictures) -> None:
        self._client, self._pictures = client, pictures
        self._offers = Offers()

    def match(self, query: str) -> list[list[Any]]:
        """``Match``: id, text, icon's name, kind, relevance in [0, 1], and what else there is."""
        from dbus_fast import Variant

        wanted = query.strip()
        if len(wanted) < _SHORTEST:
            return []
        try:
            asked = Query(wanted[:LONGEST_TEXT], _LIMIT, retrieval=True)
            answer = self._client.find(asked)
        except TempoEdgeError as error:
            note(f"tempo-edge: {error}")
            return []
        names = self._offers.add(answer)
        pictures = self._pictures.get(answer.moments, _WAIT_SECONDS)
        matches = []
        for name, moment in zip(names, answer.moments, strict=True):
            more = {
                "subtext": Variant("s", subtitle(moment, answer.is_unsure)),
                "urls": Variant("as", [moment.path.as_uri()]),
                "actions": Variant("as", [_FOLDER]),
            }
            icon = _icon(pictures.get(moment))
            if icon is not None:
                more["icon-data"] = Variant("(iiibiiay)", icon)
            matches.append(
                [name, title(moment), "video-x-generic", _RELEVANCE, _sure(moment), more]
            )
        return matches

    def actions(self) -> list[list[str]]:
        """``Actions``: id, text and icon of what else can be done with a match."""
        return [[_FOLDER, "Show the folder", "document-open-folder"]]

    def run(self, name: str, action: str) -> None:
        """``Run``: play the moment, or show its folder.

        Raises:
            TempoEdgeError: there is no such match or action, or it can't be opened.
        """
        moment = self._offers.known(name)
        if action == "":
            play(moment)
        elif action == _FOLDER:
            show_folder(moment)
        else:
            raise TempoEdgeError(f"action {action!r} must be '' or {_FOLDER!r}")

    def config(self) -> dict[str, Variant]:
        """``Config``: from how many letters on KRunner asks."""
        from dbus_fast import Variant

        return {"MinLetterCount": Variant("i", _SHORTEST)}

    def on_bus(self) -> BusObject:
        """The object to serve."""
        return BusObject(
            BUS_NAME,
            OBJECT_PATH,
            "org.kde.krunner1",
            {
                "Match": Method(("s",), "a(sssida{sv})", self.match),
                "Actions": Method((), "a(sss)", self.actions),
                "Run": Method(("s", "s"), "", self.run),
                "Config": Method((), "a{sv}", self.config),
                "Teardown": Method((), "", lambda: None),
            },
        )


def _sure(moment: Any) -> float:
    return float(min(1.0, max(0.0, moment.confidence)))


def _icon(file: Path | None) -> list[int | bytes] | None:
    """A picture's pixels, if there are any that can be read."""
    if file is None:
        return None
    try:
        return list(pixels(file.read_bytes()).icon_data())
    except (OSError, TempoEdgeError):
        return None


def main() -> int:
    """Serve KRunner; gives the exit status."""
    asker = ServiceOrLibrary(name="krunner")
    with asker as client, closing(Pictures(client, width=128)) as pictures:
        try:
            serve(Runner(client, pictures).on_bus())
        except TempoEdgeError as error:
            note(f"tempo-edge: error: {error}")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
