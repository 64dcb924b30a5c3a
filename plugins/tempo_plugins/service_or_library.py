"""Asks the service or, where none listens, the library in this process.

Little is loaded to ask the service.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from tempo_edge.answer import Answer
from tempo_edge.moment import Moment
from tempo_edge.query import Query
from tempo_edge.service.client import Client, NoServiceError

if TYPE_CHECKING:
    from tempo_edge import Library

__all__ = ["ServiceOrLibrary"]

_TOLD = ("library", "profile", "videos", "hours", "frames", "skipped", "indexing")


class ServiceOrLibrary:
    """One asker, to be closed in the end, for it may hold a library. Threads may share it.

    Args:
        socket: the service's socket; by default where services listen.
        library: the library to ask when there is no service; by default the user's.
        name: tells this asker's queries from others': a newer one ends an older one.
    """

    def __init__(
        self, socket: Path | None = None, library: Path | None = None, name: str | None = None
    ) -> None:
        self._service = Client(socket, name=name)
        self._path = library
        self._library: Library | None = None
        self._turn = RLock()

    def __enter__(self) -> ServiceOrLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the library, if there was need of it; who asks again opens it again."""
        with self._turn:
            if self._library is not None:
                self._library.close()
                self._library = None

    def find(self, query: Query) -> Answer:
        """The answer to a query.

        Raises:
            QueryError: it can't be searched for that.
            SupersededError: a newer query of this asker came in between.
            TempoEdgeError: the service answers nothing sensible, or there is no library.
        """
        with suppress(NoServiceError):
            return self._service.find(query)
        return self._ask(query)

    def searches(self) -> list[dict[str, Any]]:
        """The saved searches by name, as ``/v1/saved`` tells them.

        Raises:
            TempoEdgeError: the service answers nothing sensible, or there is no library.
        """
        with suppress(NoServiceError):
            return self._service.searches()
        from tempo_edge.service.access.right import OWNER
        from tempo_edge.service.http.saved_searches import listed

        return listed(self._opened(), OWNER)

    def run_saved(self, name: str) -> Answer:
        """The answer to a saved search as it is meant now.

        Raises:
            TempoEdgeError: there is none of this name, and as :meth:`find`.
        """
        with suppress(NoServiceError):
            return self._service.run_saved(name)
        from tempo_edge.service.http.saved_searches import query_of

        return self._ask(query_of(self._opened(), name))

    def describe(self) -> dict[str, Any]:
        """What the library holds: ``library``, ``profile``, ``videos``, ``hours``, ``frames``,
        ``skipped``, and ``indexing`` (None when no service runs).

        Raises:
            TempoEdgeError: the service answers nothing sensible, or there is no library.
        """
        try:
            facts = self._service.status()
        except NoServiceError:
            library = self._opened()
            from tempo_edge.service.http import listing

            facts = listing.totals(library)
        return {name: facts.get(name) for name in _TOLD}

    def picture(self, moment: Moment, seconds: float, width: int) -> bytes | None:
        """A JPEG of what a moment's video shows at a time, from the service; None without one.

        Raises:
            TempoEdgeError: the service can't give it.
        """
        if moment.video is None:
            return None
        with suppress(NoServiceError):
            return self._service.picture(moment.video, seconds, width)
        return None

    def _ask(self, query: Query) -> Answer:
        answer = self._opened().ask(query)
        # A service that comes to be later may give another library's videos these numbers.
        return replace(
            answer, moments=tuple(replace(moment, video=None) for moment in answer.moments)
        )

    def _opened(self) -> Library:
        """The library, kept open: to load its models takes longer than a search."""
        with self._turn:
            if self._library is None:
                from tempo_edge import Library

                library = Library.open(self._path)
                library.totals()  # raises if there is none yet; it may be there the next time
                self._library = library
            return self._library
