"""A library as one thread of the service holds it: open, warm, and opened anew when replaced."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from threading import Lock

from tempo_edge.library import Library
from tempo_edge.models import Profile
from tempo_edge.search.grounders import GROUNDERS
from tempo_edge.store.opening import open_store

__all__ = ["Handle", "Models"]


class Models:
    """The models that the handles of a service share: they are loaded once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._profile: Profile | None = None

    def give_to(self, library: Library) -> None:
        """Let a library use them, or keep its own for the others if they have none or another's."""
        with self._lock:
            if self._profile is not None:
                library.adopt(self._profile)
            self._profile = library.profile

    def load(self, library: Library) -> None:
        """Load what searching needs, once for all: of two threads the second one waits."""
        with self._lock:
            _loaded(library.profile)


def _loaded(profile: Profile) -> list[object]:
    """The models that searching needs, which are loaded by being looked at."""
    for grounder in GROUNDERS.values():
        if grounder.comes_with(profile):
            grounder.preload(profile)
    return [profile.text_tower, profile.background]


class Handle:
    """One thread's access to the library at a path; it may be made, replaced or deleted meanwhile.

    Args:
        path: the database file.
        models: those to share.
    """

    def __init__(self, path: Path, models: Models) -> None:
        self._path = path
        self._models = models
        self._library: Library | None = None
        self._store = open_store(path)
        self._identity: Hashable | None = None

    def open(self) -> Library:
        """The library as it is now, with a database connection of this handle's own.

        Raises:
            LibraryError: what is there is not a library, or one of a newer tempo-edge.
            ProfileError: its models are not installed.
        """
        identity = self._store.identity()
        if self._library is not None and (identity != self._identity or self._library.is_replaced):
            self.close()
        if self._library is None:
            library = Library.open(self._path)
            self._models.give_to(library)
            self._library, self._identity = library, identity
        return self._library

    def close(self) -> None:
        """Release the database."""
        library, self._library = self._library, None
        if library is not None:
            library.close()
