"""GNOME Shell's search provider, ``org.gnome.Shell.SearchProvider2``.

The interface: https://developer.gnome.org/documentation/tutorials/search-provider.html
"""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.query import Query
from tempo_edge.service.http.find_request import LONGEST_TEXT
from tempo_plugins.desktop import page
from tempo_plugins.desktop.bus import BusObject, Method, serve
from tempo_plugins.desktop.offers import Offers, subtitle, title
from tempo_plugins.desktop.pictures import Pictures
from tempo_plugins.desktop.playing import play
from tempo_plugins.service_or_library import ServiceOrLibrary

if TYPE_CHECKING:
    from dbus_fast import Variant

__all__ = ["BUS_NAME", "OBJECT_PATH", "Provider", "main"]

BUS_NAME = "org.tempoedge.SearchProvider"
OBJECT_PATH = "/org/tempoedge/SearchProvider"

# The shell shows five of a provider's results at most.
_LIMIT = 5

# Shorter words match everything and nothing.
_SHORTEST = 3

# What the shell's overview waits for; a picture that comes later is there for the next letter.
_WAIT_SECONDS = 0.4


class Provider:
    """Answers the shell."""

    def __init__(self, client: ServiceOrLibrary, pictures: Pictures) -> None:
        self._client, self._pictures = client, pictures
        self._offers = Offers()

    def initial(self, terms: list[str]) -> list[str]:
        """``GetInitialResultSet``: names of the moments for some words, best first."""
        query = " ".join(terms).strip()
        if len(query) < _SHORTEST:
            return []
        try:
            answer = self._client.find(Query(query[:LONGEST_TEXT], _LIMIT, retrieval=True))
        except TempoEdgeError as error:
            note(f"tempo-edge: {error}")
            return []
        names = self._offers.add(answer)
        # So that the pictures are on their way when the shell asks for them.
        self._pictures.get(answer.moments, 0.0)
        return names

    def subsearch(self, previous: list[str], terms: list[str]) -> list[str]:
        """``GetSubsearchResultSet``: one word more can name something else, so all is searched."""
        return self.initial(terms)

    def metas(self, names: list[str]) -> list[dict[str, Variant]]:
        """``GetResultMetas``: what to show; names that are not known are left out."""
        from dbus_fast import Variant

        known = {n: m for n in names if (m := self._offers.get(n)) is not None}
        pictures = self._pictures.get(known.values(), _WAIT_SECONDS)
        shown = []
        for name, moment in known.items():
            about = subtitle(moment, self._offers.is_unsure(name))
            meta = {"id": name, "name": title(moment), "description": about}
            if moment in pictures:
                meta["gicon"] = str(pictures[moment])
            shown.append({key: Variant("s", text) for key, text in meta.items()})
        return shown

    def activate(self, name: str, terms: list[str], timestamp: int) -> None:
        """``ActivateResult``: play the moment."""
        play(self._offers.known(name))

    def launch(self, terms: list[str], timestamp: int) -> None:
        """``LaunchSearch``: a page with all that was found."""
        page.show(" ".join(terms), self._client)

    def on_bus(self) -> BusObject:
        """The object to serve."""
        return BusObject(
            BUS_NAME,
            OBJECT_PATH,
            "org.gnome.Shell.SearchProvider2",
            {
                "GetInitialResultSet": Method(("as",), "as", self.initial),
                "GetSubsearchResultSet": Method(("as", "as"), "as", self.subsearch),
                "GetResultMetas": Method(("as",), "aa{sv}", self.metas),
                "ActivateResult": Method(("s", "as", "u"), "", self.activate),
                "LaunchSearch": Method(("as", "u"), "", self.launch),
            },
        )


def main() -> int:
    """Serve the shell; gives the exit status."""
    asker = ServiceOrLibrary(name="gnome")
    with asker as client, closing(Pictures(client)) as pictures:
        try:
            serve(Provider(client, pictures).on_bus())
        except TempoEdgeError as error:
            note(f"tempo-edge: error: {error}")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
