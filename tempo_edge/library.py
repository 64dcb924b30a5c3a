"""A library to index into, to search and to watch: the only place that composes these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

from tempo_edge.errors import NoLibraryError
from tempo_edge.example import Example, example
from tempo_edge.filters import Filters
from tempo_edge.holdings import Holdings
from tempo_edge.preferences import Preferences
from tempo_edge.query import DEFAULT_LIMIT, THEN_SECONDS, Query, places
from tempo_edge.store.built_with import check_built_with
from tempo_edge.store.place import library_path
from tempo_edge.words.line import KINDS

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tempo_edge.answer import Answer
    from tempo_edge.filters import Where
    from tempo_edge.indexing.footage import Sampling
    from tempo_edge.indexing.report import IndexEvent, IndexReport
    from tempo_edge.indexing.watcher import Order
    from tempo_edge.models import Profile
    from tempo_edge.saved.search import SavedSearch
    from tempo_edge.search.lines import LineMatch
    from tempo_edge.search.searcher import Searcher
    from tempo_edge.store.line_vectors import LineVectors
    from tempo_edge.store.vectors import Vectors

__all__ = ["Library"]


class Library(Holdings):
    """The footage a person indexed. A context manager; open it with :meth:`open`.

    Threads may share one; their searches take turns.
    """

    def __init__(self, path: Path, profile_name: str) -> None:
        super().__init__(path)
        self._profile_name = profile_name

    @classmethod
    def open(
        cls, path: str | Path | None = None, *, profile: str | Profile | None = None
    ) -> Library:
        """Open a library, which need not exist before something is indexed into it.

        Args:
            path: the database file; by default :func:`tempo_edge.store.place.default_library_path`.
            profile: name of a model profile, or the profile itself, wherever its folder lies; by
                default the one that the library was built with, and for a new one that of the
                user's preferences, ``"nano"`` where there are none.

        Raises:
            ProfileError: there is no profile of that name.
            LibraryError: the library was built with another profile, by a newer tempo-edge, or is
                not a library.
        """
        from tempo_edge.models import load_profile

        if isinstance(profile, str):
            load_profile(profile)
        asked = profile if profile is None or isinstance(profile, str) else profile.name
        where = library_path(path)
        library = cls(where, asked or "")
        if profile is not None and not isinstance(profile, str):
            library.profile = profile
        try:
            library._recall_profile(asked)
        except BaseException:
            library.close()
            raise
        return library

    def _recall_profile(self, asked: str | None) -> None:
        """Use the profile that the library was built with, if it was built yet."""
        recorded, frames = None, 0
        with suppress(NoLibraryError), self.catalogue.snapshot():
            recorded = self.catalogue.get_meta("profile")
            frames = self.catalogue.count_frames()
        if recorded is None and asked is None:
            self._profile_name = Preferences.read().profile
        if recorded is not None and (frames or asked is None):
            self._profile_name = recorded.rpartition("-")[0]
        if recorded is not None and frames:
            check_built_with(self.path, lambda: self.profile, recorded, asked)
            self.catalogue.expect(self.profile.dim, self.profile.tokens_per_frame)

    def close(self) -> None:
        """Release the database."""
        super().close()
        self.__dict__.pop("searcher", None)
        self.__dict__.pop("vectors", None)

    @cached_property
    def profile(self) -> Profile:
        """The models this library is built with."""
        from tempo_edge.models import load_profile

        return load_profile(self._profile_name)

    def adopt(self, profile: Profile) -> None:
        """Use models that are loaded already, if they are those that this library is built with."""
        if profile.fingerprint == self.profile.fingerprint:
            self.__dict__["profile"] = profile

    @cached_property
    def vectors(self) -> Vectors:
        """The search among the vectors of the catalogue."""
        return self.store.vectors(self.catalogue)

    @cached_property
    def searcher(self) -> Searcher:
        """The search over this library."""
        from tempo_edge.search.searcher import Searcher

        return Searcher(*(self.catalogue, lambda: self.vectors, self._line_vectors), self.profile)

    def _line_vectors(self) -> LineVectors:
        return self.store.line_vectors(self.catalogue)

    def find(
        self,
        query: str = "",
        *,
        limit: int = DEFAULT_LIMIT,
        min_confidence: float | None = None,
        within: str | Path | Iterable[str | Path] | None = None,
        refine: bool = False,
        parts: bool = False,
        grounder: str | None = None,
        retrieval: bool = False,
        videos: Collection[int] | None = None,
        said: bool = False,
        shown: bool = False,
        seen: bool = False,
        like: str | Path | Example | None = None,
        also: Iterable[str] = (),
        without: Iterable[str] = (),
        then: Iterable[str] = (),
        near_seconds: float = 0.0,
        then_seconds: float = THEN_SECONDS,
        plain: bool = False,
        sort: str = "score",
        checkpoint: Callable[[], None] = lambda: None,
        **where: Unpack[Where],
    ) -> Answer:
        """Moments that match ``query``, best first; none when nothing matches.

        Args:
            query: what to look for; the rest but the last is as :class:`Query` has it.
            within: one path or more, from the root, from the home or from the present folder.
            like: a picture's file, or a moment: ``"film.mp4@1:23"``, ``"film.mp4@1:20-1:30"``.
            checkpoint: called between two readings; whatever it raises ends the search.
            where: when, where and by what it was taken, as people say it: ``since="last summer"``,
                ``place="Lisbon"``; see :class:`tempo_edge.filters.Where`.

        Raises:
            QueryError: it can't be searched for that.
            LibraryError: there is no library yet.
        """
        only = None if videos is None else frozenset(videos)
        how = min_confidence, places(within), grounder, retrieval, refine, parts, only
        asked = Query(
            *(query, limit, *how),
            said=said,
            shown=shown,
            seen=seen,
            like=example(like),
            also=tuple(also),
            without=tuple(without),
            then=tuple(then),
            near_seconds=near_seconds,
            then_seconds=then_seconds,
            plain=plain,
            filters=Filters.of(where),
            sort=sort,
        )
        return self.ask(asked, checkpoint=checkpoint)

    def ask(self, query: Query, *, checkpoint: Callable[[], None] = lambda: None) -> Answer:
        """The answer to a query that was made already, of one term or of several.

        Args and errors are those of :meth:`tempo_edge.search.searcher.Searcher.find`.
        """
        with self._turn, self.catalogue.snapshot():
            if query.like is not None:
                return self.searcher.find(query, checkpoint)
            terms = query.expression.terms
            if len(terms) == 1:
                return self.searcher.find(query.of_term(terms[0].text), checkpoint)
            from tempo_edge.search.combined import Combiner

            return Combiner(self.searcher).find(query, checkpoint)

    def lines(
        self,
        query: str,
        *,
        limit: int = DEFAULT_LIMIT,
        within: str | Path | Iterable[str | Path] | None = None,
        kinds: Collection[str] = KINDS,
    ) -> list[LineMatch]:
        """Lines of words that match ``query``, best first; see :mod:`tempo_edge.search.lines`.

        Args:
            query: words; those in quotes must stand there in a row.
            limit, within: as in :meth:`find`.
            kinds: of :data:`tempo_edge.words.line.KINDS`, those that count.

        Raises:
            QueryError: it can't be searched for that.
            LibraryError: there is no library yet.
        """
        from tempo_edge.search.lines import find_lines

        asked = Query(query, limit=limit, within=places(within), plain=True)
        with self._turn, self.catalogue.snapshot():
            return find_lines(self.catalogue, asked, kinds=kinds)

    def index(
        self,
        paths: Iterable[str | Path] | str | Path,
        *,
        exclude: Iterable[str] = (),
        decoder: str = "pyav",
        sampling: Sampling | None = None,
        on_event: Callable[[IndexEvent], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
        verify: bool = False,
        words: str = "subtitles",
    ) -> IndexReport:
        """Index what is new or changed under ``paths``, and forget what is gone.

        Args:
            paths: files and folders.
            exclude: patterns, as in a gitignore file that lies in each of the folders, of what to
                leave out. It is forgotten if it was indexed; a run without them takes it again.
            decoder: one of :data:`tempo_edge.media.DECODERS`.
            sampling: which frames to look at; SAA by default.
            on_event: told of every file and of progress inside long ones.
            stopping: asked often; True ends the run, and a file that is being read then is left
                for the next time. It may take its time to answer: meanwhile nothing goes on.
            verify: then read every file of the library under ``paths`` whole, tell of those whose
                contents changed while size and time did not, and read these again.
            words: ``"subtitles"`` for subtitles, titles of chapters and names, or ``"none"``, and
                what is known of words stays.

        Raises:
            LibraryError: another process writes this library, a path does not exist, or the disk
                is full. What was stored until then is kept.
            TempoEdgeError: there is no such decoder, rate or kind of words; a pattern matches
                nothing.
        """
        from tempo_edge.indexing.exclusion import Exclusion
        from tempo_edge.indexing.roots import check_roots, roots_of
        from tempo_edge.indexing.session import WritingSession
        from tempo_edge.indexing.upkeep import kept_up

        roots = roots_of(paths)
        check_roots(roots, self.files)
        exclusion = Exclusion(exclude, [root for root in roots if root.is_dir()])
        told, profile = kept_up(self._refresh, on_event), self.profile
        how = decoder, sampling, told, stopping, words
        with (session := WritingSession(self.store, profile, *how)) as indexer:
            report = indexer.index(roots, exclusion=exclusion, verify=verify)
            session.read_lines()
            self._refresh(must_save=True)
            indexer.read_later(roots, report)
            session.read_lines()
        self._refresh(must_save=True)
        return report

    def _refresh(self, must_save: bool = False) -> None:
        """Bring the vector cache up to date with what was written."""
        with self._turn, self.catalogue.snapshot():
            self.vectors.refresh(writing=True, must_save=must_save)
            self._line_vectors().refresh(writing=True)

    def watch(
        self,
        paths: Iterable[str | Path] | str | Path,
        *,
        exclude: Iterable[str] = (),
        decoder: str = "pyav",
        polling: bool = False,
        stop: Event | None = None,
        on_event: Callable[[IndexEvent], None] | None = None,
        stopping: Callable[[], bool] | None = None,
        orders: SimpleQueue[Order] | None = None,
        on_notice: Callable[[str], None] = lambda line: None,
        words: str = "subtitles",
    ) -> None:
        """Index ``paths``, then keep the library up to date until ``stop`` is set.

        What comes in is held against saved searches, on a thread of its own; see :meth:`tell`.

        Args:
            paths: folders.
            exclude: patterns of what under them to leave out, as in :meth:`index`.
            decoder: one of :data:`tempo_edge.media.DECODERS`.
            polling: look for changes by listing folders, for network mounts without notification.
            stop: ends it; a file that is being read then is left for the next time.
            on_event: told of every file and of progress inside long ones.
            stopping: asked often while files are read, in place of ``stop``; see :meth:`index`.
            orders: further paths to index once, whenever some are put in.
            on_notice: told in a line which folders are followed and how, what hinders it, and what
                saved searches have found.
            words: which to read, as in :meth:`index`.

        Raises:
            LibraryError: another process writes this library, or a path is not a folder.
            TempoEdgeError: there is no such decoder or kind of words; a pattern matches nothing.
        """
        from tempo_edge.indexing.roots import roots_of
        from tempo_edge.indexing.session import WritingSession
        from tempo_edge.indexing.watcher import Watcher
        from tempo_edge.saved.telling_thread import telling

        ending = stop or Event()
        how = decoder, None, on_event, stopping or ending.is_set, words
        session = WritingSession(self.store, self.profile, *how)

        def settled() -> None:
            session.read_lines()
            self._refresh()
            thread.wake()

        told = telling(self.store, self.has_searches, self.ask, on_notice)
        with session as indexer, told as thread:
            Watcher(
                indexer,
                roots_of(paths),
                exclude=exclude,
                polling=polling,
                settled=settled,
                orders=orders,
                notice=on_notice,
            ).run(ending)

    def save(self, search: SavedSearch, *, everything: bool = False) -> None:
        """Save a search; see :func:`tempo_edge.saved.keeping.put_search`.

        Raises:
            QueryError: it can't be asked, there is one of this name, or there are too many.
            LibraryError: the library can't be written, or this user's key.
        """
        from tempo_edge.saved.keeping import put_search

        query = search.asked.query
        has_models = query.like is not None or query.grounder is not None
        if has_models and self.store.identity() is not None:
            with self._turn, self.catalogue.snapshot():
                self.searcher.check(query)
        put_search(self.store, search, everything=everything)

    def tell(
        self,
        names: Sequence[str] | None = None,
        *,
        on_notice: Callable[[str], None] = lambda line: None,
    ) -> int:
        """Tell what is new to saved searches, or to some; gives how many moments were told.

        Each is told once, see :mod:`tempo_edge.saved.teller`, whose arguments these are.

        Raises:
            LibraryError: another process writes this library, or there is none.
        """
        from tempo_edge.saved.teller import Teller

        if not self.has_searches():
            return 0
        with self.store.lock(), self.store.writer() as writer:
            return Teller(writer, self.ask, on_notice).tell(names)

    def forget(self, path: str | Path) -> int:
        """Drop everything at or under a path from the library; gives how many files.

        Raises:
            LibraryError: the library holds nothing there, or another process writes it.
        """
        scope = self.known(path)
        with self.store.lock(), self.store.writer() as writer, writer.transaction():
            known = writer.files(scope)
            writer.drop_files(known)
            writer.prune()
        self._refresh()
        return len(known)
