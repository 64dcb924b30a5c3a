"""What a library holds, to be looked at: its files, its videos, its words. No model is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from tempo_edge._closing import Closing
from tempo_edge._files.absolute import recorded
from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError, QueryError
from tempo_edge.scope import ALL, Scope
from tempo_edge.store.listing import ORDERS
from tempo_edge.store.opening import open_store
from tempo_edge.store.words_read import WordsRead, words_read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tempo_edge.copy_groups import CopyGroup
    from tempo_edge.saved.search import SavedSearch
    from tempo_edge.store.interface import Catalogue, Store
    from tempo_edge.store.listing import ListedVideo
    from tempo_edge.store.rows import FileRow

__all__ = ["Holdings"]


class Holdings(Closing):
    """The rows of a library, whichever models it was built with. A context manager.

    Attributes:
        path: what the library is called; ``store`` keeps it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store: Store = open_store(path)
        self._catalogue: Catalogue | None = None
        self._turn = RLock()

    def close(self) -> None:
        """Release the database."""
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = None

    @property
    def catalogue(self) -> Catalogue:
        """The library's rows, opened for reading on first use.

        Raises:
            LibraryError: there is no library at this path yet.
        """
        if self._catalogue is None:
            self._catalogue = self.store.reader()
        return self._catalogue

    @property
    def is_replaced(self) -> bool:
        """Whether another library was found in the place of this one: open that one anew."""
        return self._catalogue is not None and self._catalogue.is_replaced

    def files(self, under: str | Path | None = None) -> list[FileRow]:
        """Every file the library knows, with its state and, if it was skipped, the reason."""
        return list(self.each_file(under))

    def each_file(self, under: str | Path | None = None) -> Iterator[FileRow]:
        """The rows of :meth:`files`, few of which are in memory at a time.

        Until all were given, nothing else can be asked of this library.
        """
        scope = None if under is None else recorded(under)
        with self._turn, self.catalogue.snapshot():
            yield from self.catalogue.each_file(scope)

    def known(self, under: str | Path | None) -> Path | None:
        """A path as the library knows it, at or under which it holds something; None for all of it.

        Raises:
            LibraryError: it holds nothing there, or there is no library yet.
        """
        if under is None:
            return None
        scope = recorded(under)
        with self._turn, self.catalogue.snapshot():
            if next(iter(self.catalogue.each_file(scope)), None) is None:
                raise LibraryError(
                    f"the library holds nothing at or under {scope}: index it, or name another path"
                )
        return scope

    def videos(
        self,
        under: str | Path | None = None,
        *,
        order: str = "name",
        limit: int | None = None,
        scope: Scope = ALL,
    ) -> Iterator[ListedVideo]:
        """Every file that was indexed, with what is known of the video in it.

        Few are in memory at a time, and until all were given nothing else can be asked of this.

        Args:
            under: only files at or under this path.
            order: one of :data:`tempo_edge.store.listing.ORDERS`.
            limit: as many at most.
            scope: only videos that count by it.

        Raises:
            QueryError: there is no such order, the limit is below 1, or nothing is where the scope
                looks.
            LibraryError: there is no library yet, or it holds nothing there.
        """
        if order not in ORDERS:
            raise QueryError.naming("{order} {!r} must be one of {}", order, ", ".join(ORDERS))
        if limit is not None and limit < 1:
            raise QueryError.naming("{limit} {} must be at least 1", limit)
        return self._videos(under, order, limit, scope)

    def _videos(
        self, under: str | Path | None, order: str, limit: int | None, scope: Scope
    ) -> Iterator[ListedVideo]:
        from tempo_edge.search.scope import videos_in

        known = self.known(under)
        with self._turn, self.catalogue.snapshot():
            chosen = videos_in(scope, self.catalogue)
            if chosen is None:
                yield from self.catalogue.each_video(known, order, limit)
                return
            every = self.catalogue.each_video(known, order)
            yield from islice((each for each in every if each.file.video_id in chosen), limit)

    def copies(
        self,
        under: str | Path | None = None,
        *,
        on_remark: Callable[[str], None] = lambda line: None,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> list[CopyGroup]:
        """Files that show the same footage, in groups; see :mod:`tempo_edge.copy_groups`.

        Args:
            under: only files at or under this path.
            on_remark: told in a line of each file that can't be compared.
            checkpoint: called often; whatever it raises ends it.

        Raises:
            LibraryError: there is no library yet, or it holds nothing there.
        """
        from tempo_edge.copy_groups import copy_groups
        from tempo_edge.indexing.presence import Presence

        presence = Presence()
        scope = self.known(under)
        with self._turn, self.catalogue.snapshot():
            here = lambda row: presence.of(row.file) == "here"  # noqa: E731
            return copy_groups(self.catalogue, here, scope, on_remark, checkpoint)

    def totals(self) -> dict[str, float]:
        """Counts of files, videos and frames, and the hours of footage."""
        with self._turn, self.catalogue.snapshot():
            return self.catalogue.totals()

    def words_read(self, under: str | Path | None = None) -> WordsRead:
        """What words have been read: how many lines of each kind, and what there is to say."""
        scope = None if under is None else recorded(under)
        with self._turn, self.catalogue.snapshot():
            return words_read(self.catalogue, scope)

    def searches(self) -> list[tuple[SavedSearch, int]]:
        """(saved search, how many moments it has told) of all that there are, by name.

        Raises:
            LibraryError: there is no library yet, or one of them can't be read.
        """
        from tempo_edge.saved.keeping import kept_searches

        with self._turn, self.catalogue.snapshot():
            return kept_searches(self.catalogue)

    def has_searches(self) -> bool:
        """Whether there are saved searches.

        Raises:
            LibraryError: there is no library yet.
        """
        with self._turn, self.catalogue.snapshot():
            return bool(self.catalogue.saved())

    def drop_search(self, name: str) -> None:
        """Take a saved search out, also while another process writes this library.

        Raises:
            QueryError: there is none of this name.
            LibraryError: there is no library yet, or it can't be written.
        """
        from tempo_edge.saved.keeping import drop_search

        drop_search(self.store, name)

    def variation(self, path: str | Path) -> NDArray[np.float32]:
        """SAA's variation curve of an indexed file: ``[n, 2]`` (seconds, variation in [0, 1]).

        Raises:
            LibraryError: the file is not in the library.
        """
        file = recorded(path)
        with self._turn, self.catalogue.snapshot():
            row = self.catalogue.files(file).get(spelled(file))
            if row is None or row.video_id is None:
                raise LibraryError(f"{file} is not indexed: index it first")
            return self.catalogue.curve(row.video_id)
