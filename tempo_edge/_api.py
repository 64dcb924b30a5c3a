"""The public face: a library to index into, to search and to watch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING

from tempo_edge.errors import LibraryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tempo_edge.library.catalogue import Catalogue, FileRow
    from tempo_edge.library.footage import Sampling
    from tempo_edge.library.indexer import Indexer, IndexEvent, IndexReport
    from tempo_edge.library.vectors import VectorCache
    from tempo_edge.models import Profile
    from tempo_edge.search.searcher import Answer, Searcher

__all__ = ["Library", "default_library_path", "find", "index", "watch"]


def default_library_path() -> Path:
    """Where the library is kept when none is named: ``$TEMPO_EDGE_LIBRARY`` or the user's data."""
    named = os.environ.get("TEMPO_EDGE_LIBRARY")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "library.db"


class Library:
    """The footage a person indexed. A context manager; open it with :meth:`open`."""

    def __init__(self, path: Path, profile_name: str) -> None:
        self.path = path
        self._profile_name = profile_name
        self._catalogue: Catalogue | None = None

    @classmethod
    def open(cls, path: str | Path | None = None, *, profile: str | None = None) -> Library:
        """Open a library, which need not exist before something is indexed into it.

        Args:
            path: the database file; by default :func:`default_library_path`.
            profile: name of a model profile; by default the one that the library was built with,
                or ``"nano"`` for a new one.

        Raises:
            ProfileError: there is no profile of that name.
            LibraryError: the library was built with another profile, by a newer tempo-edge, or is
                not a library.
        """
        from tempo_edge.models import load_profile

        where = Path(path) if path is not None else default_library_path()
        library = cls(where, profile or "nano")
        if profile is not None:
            load_profile(profile)
        if where.exists():
            recorded = library.catalogue.get_meta("profile")
            if recorded is not None:
                library._profile_name = recorded.rpartition("-")[0]
                library._check_profile(recorded, profile)
        return library

    def _check_profile(self, recorded: str, asked: str | None) -> None:
        if asked is not None and asked != self._profile_name:
            raise LibraryError(
                f"{self.path} was built with profile {self._profile_name!r}, not {asked!r}: "
                "use another --library, or forget everything in this one"
            )
        if self.profile.fingerprint != recorded:
            raise LibraryError(
                f"{self.path} was built with another version of profile {self._profile_name!r} "
                f"({recorded}, now {self.profile.fingerprint}): delete it and index again"
            )

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = None
        self.__dict__.pop("searcher", None)
        self.__dict__.pop("vectors", None)

    @cached_property
    def profile(self) -> Profile:
        """The models this library is built with."""
        from tempo_edge.models import load_profile

        return load_profile(self._profile_name)

    @property
    def catalogue(self) -> Catalogue:
        """The database, opened for reading on first use.

        Raises:
            LibraryError: there is no library at this path yet.
        """
        if self._catalogue is None:
            from tempo_edge.library.catalogue import Catalogue

            self._catalogue = Catalogue(self.path, readonly=True)
        return self._catalogue

    @cached_property
    def vectors(self) -> VectorCache:
        """The vector cache over the catalogue."""
        from tempo_edge.library.vectors import VectorCache

        return VectorCache(self.path.with_suffix(".vectors"), self.catalogue)

    @cached_property
    def searcher(self) -> Searcher:
        """The search over this library."""
        from tempo_edge.search.searcher import Searcher

        return Searcher(self.catalogue, self.vectors, self.profile)

    def find(
        self,
        query: str,
        *,
        limit: int = 10,
        min_confidence: float | None = None,
        within: str | Path | None = None,
        refine: bool = False,
    ) -> Answer:
        """Moments that match ``query``, best first; none when nothing matches.

        Args and errors are those of :meth:`tempo_edge.search.searcher.Searcher.find`.
        """
        return self.searcher.find(
            query,
            limit=limit,
            min_confidence=min_confidence,
            within=None if within is None else Path(within),
            refine=refine,
        )

    def index(
        self,
        paths: Iterable[str | Path] | str | Path,
        *,
        decoder: str = "pyav",
        sampling: Sampling | None = None,
        on_event: Callable[[IndexEvent], None] | None = None,
    ) -> IndexReport:
        """Index what is new or changed under ``paths``, and forget what is gone.

        Args:
            paths: files and folders.
            decoder: ``"pyav"`` or ``"decord"``.
            sampling: which frames to look at; SAA by default.
            on_event: told of every file and of progress inside long ones.

        Raises:
            LibraryError: another process writes this library, a path does not exist, or the disk
                is full.
        """
        roots = [paths] if isinstance(paths, (str, Path)) else list(paths)
        with _Writing(self, decoder, sampling, on_event) as indexer:
            report = indexer.index(Path(root) for root in roots)
        self.vectors.refresh()
        return report

    def watch(
        self,
        paths: Iterable[str | Path] | str | Path,
        *,
        decoder: str = "pyav",
        polling: bool = False,
        stop: Event | None = None,
        on_event: Callable[[IndexEvent], None] | None = None,
    ) -> None:
        """Index ``paths``, then keep the library up to date until ``stop`` is set.

        Args:
            polling: look for changes by listing folders, for network mounts without notification.

        Raises:
            LibraryError: another process writes this library, or a path is not there.
        """
        from tempo_edge.library.watcher import Watcher

        roots = [paths] if isinstance(paths, (str, Path)) else list(paths)
        with _Writing(self, decoder, None, on_event) as indexer:
            Watcher(
                indexer, [Path(root) for root in roots], polling=polling, settled=self.vectors.refresh
            ).run(stop or Event())

    def forget(self, path: str | Path) -> int:
        """Drop everything at or under a path from the library; gives how many files.

        Raises:
            LibraryError: the library holds nothing there, or another process writes it.
        """
        from tempo_edge.library.catalogue import Catalogue
        from tempo_edge.library.lock import WriterLock

        absolute = Path(os.path.abspath(path))
        known = self.catalogue.files(absolute)
        if not known:
            raise LibraryError(f"the library holds nothing at or under {absolute}")
        with WriterLock(self.path.with_suffix(".lock")):
            writer = Catalogue(self.path)
            try:
                with writer.transaction():
                    writer.drop_files(known)
                    writer.prune()
            finally:
                writer.close()
        self.vectors.refresh()
        return len(known)

    def files(self, under: str | Path | None = None) -> list[FileRow]:
        """Every file the library knows, with its state and, if it was skipped, the reason."""
        scope = None if under is None else Path(os.path.abspath(under))
        return sorted(self.catalogue.files(scope).values(), key=lambda row: row.path)

    def variation(self, path: str | Path) -> NDArray[np.float32]:
        """SAA's variation curve of an indexed file: ``[n, 2]`` (seconds, variation in [0, 1]).

        Raises:
            LibraryError: the file is not in the library.
        """
        absolute = os.path.abspath(path)
        row = self.catalogue.files(Path(absolute)).get(absolute)
        if row is None or row.video_id is None:
            raise LibraryError(f"{absolute} is not indexed")
        return self.catalogue.curve(row.video_id)


class _Writing:
    """The library's lock, its database opened for writing, and an indexer over both."""

    def __init__(
        self,
        library: Library,
        decoder: str,
        sampling: Sampling | None,
        on_event: Callable[[IndexEvent], None] | None,
    ) -> None:
        from tempo_edge.library.footage import FootageReader, Sampling
        from tempo_edge.library.lock import WriterLock
        from tempo_edge.models.sessions import cpu_count

        self._library = library
        self._on_event = on_event
        self._lock = WriterLock(library.path.with_suffix(".lock"))
        self._reader = FootageReader(
            library.profile, sampling or Sampling(), decoder, workers=cpu_count()
        )

    def __enter__(self) -> Indexer:
        from tempo_edge.library.catalogue import Catalogue
        from tempo_edge.library.indexer import Indexer

        try:
            self._lock.__enter__()
        except BaseException:
            self._reader.close()
            raise
        self._writer = Catalogue(self._library.path)
        with self._writer.transaction():
            if self._writer.get_meta("profile") is None:
                self._writer.set_meta("profile", self._library.profile.fingerprint)
        return Indexer(self._writer, self._reader, self._on_event)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()
        self._writer.close()
        self._lock.__exit__(kind, error, trace)


def find(
    query: str, *, library: str | Path | None = None, limit: int = 10, refine: bool = False
) -> Answer:
    """Search the default library, or the one named: ``for moment in find("dog jumps")``."""
    with Library.open(library) as opened:
        return opened.find(query, limit=limit, refine=refine)


def index(
    paths: Iterable[str | Path] | str | Path, *, library: str | Path | None = None
) -> IndexReport:
    """Index files and folders into the default library, or the one named."""
    with Library.open(library) as opened:
        return opened.index(paths)


def watch(
    paths: Iterable[str | Path] | str | Path,
    *,
    library: str | Path | None = None,
    stop: Event | None = None,
) -> None:
    """Keep the default library, or the one named, up to date with some folders until ``stop``."""
    with Library.open(library) as opened:
        opened.watch(paths, stop=stop)
