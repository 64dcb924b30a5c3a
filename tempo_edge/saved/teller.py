"""Telling: saved searches are held against new videos, and each new moment is told once.

A moment is claimed in the library, with an id, before anything is done for it, and what has been
done is noted at once: a command as soon as it runs, a webhook as soon as it was sent, a
notification as soon as it was taken. A run that is killed goes on with what was claimed. So nothing
is done twice unless the process dies within the instant between a deed and its note, and then under
the same id.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tempo_edge.answer import Answer
from tempo_edge.errors import MissingExtraError, QueryError
from tempo_edge.moment import Moment
from tempo_edge.query import Query
from tempo_edge.saved.deeds import Deeds
from tempo_edge.saved.search import SavedSearch
from tempo_edge.saved.told_moment import ToldMoment
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.saved import Claim, SavedRow

__all__ = ["Teller"]

# Moments of one video that are told at most.
_MOST = 1000


class Teller:
    """Tells what is new.

    Args:
        writer: the library, whose lock this process holds.
        ask: gives the answer to a query.
        notice: told in a line of each moment, and once of each trouble.
        stopping: asked often whether to end early; what is left is told by the next run.
    """

    def __init__(
        self,
        writer: WritableCatalogue,
        ask: Callable[[Query], Answer],
        notice: Callable[[str], None],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._writer = writer
        self._ask = ask
        self._notice = notice
        self._stopping = stopping
        self._said: set[tuple[str, str]] = set()

    def tell(self, names: Sequence[str] | None = None) -> int:
        """Tell all that is due of all searches, or of some; gives how many moments were told.

        Raises:
            LibraryError: the library can't be read or written.
        """
        count = 0
        for row in self._writer.saved():
            if self._stopping():
                break
            if names is not None and row.name not in names:
                continue
            try:
                search = SavedSearch.of(row)
            except QueryError as error:
                self._complain(row.name, str(error))
                continue
            if not search.is_own:
                self._complain(row.name, "was saved elsewhere, and what it does is not done here")
                search = replace(search, deeds=Deeds())
            for claim in self._claimed(row):
                self._do(search, claim)
                count += 1
            count += self._tell_new(row, search)
        return count

    def _claimed(self, row: SavedRow) -> Iterator[Claim]:
        """What a run that was ended has claimed and not told."""
        for claim in self._writer.claims(row.number, untold=True):
            if not self._stopping():
                yield claim

    def _tell_new(self, row: SavedRow, search: SavedSearch) -> int:
        """Hold a search against what is new to it."""
        _, newest_line = self._writer.newest()
        videos = self._writer.videos_due(row)
        count = 0
        for video in videos:
            moments = self._moments(search, video)
            if moments is None:
                return count
            for moment in moments:
                if self._stopping():
                    return count
                count += self._tell(row, search, moment)
            with self._writer.transaction():
                self._writer.note_searched(row.number, [video], video, row.line)
        if row.line < newest_line and not self._stopping():
            with self._writer.transaction():
                self._writer.note_searched(row.number, (), row.video, newest_line)
        return count

    def _moments(self, search: SavedSearch, video: int) -> Sequence[Moment] | None:
        """The sure moments of a video, in the order of time; None if it can't be asked now.

        A search looks into a few stretches of footage only, and no moment of a new video is to be
        lost among those of others. It is as sure as it would be in all of the library: whatever is
        told, the search shows as well.
        """
        try:
            query = search.asked.now()
            only = frozenset({video})
            query = replace(query, videos=only, amid_all=True, limit=_MOST, sort="score")
            answer = self._ask(query)
        except MissingExtraError as error:
            self._complain(search.name, str(error))
            return None
        except QueryError as error:  # it names a folder or a camera that nothing is of, say
            self._complain(search.name, str(error))
            return ()
        return sorted(answer.moments, key=lambda each: each.start_seconds)

    def _tell(self, row: SavedRow, search: SavedSearch, moment: Moment) -> bool:
        """Claim a moment, and tell it, if it wasn't told before."""
        assert moment.video is not None
        id = uuid.uuid4().hex
        told = ToldMoment.of(moment, id, search.name, search.asked.title)
        contents = self._writer.contents_key(moment.video)
        span = moment.start_seconds, moment.end_seconds
        claim = Claim(id, row.number, contents, *span, told.as_text())
        with self._writer.transaction():
            is_new = self._writer.put_claim(claim)
        if is_new:
            self._do(search, claim)
        return is_new

    def _do(self, search: SavedSearch, claim: Claim) -> None:
        """Do what is left to be done for a claim."""
        try:
            told = ToldMoment.read(claim.moment)
        except QueryError as error:
            self._complain(search.name, str(error))
            self._note(replace(claim, is_told=True))
            return
        if not claim.done:
            self._notice(f"saved {search.name}: {told.line}")
        done = list(claim.done)
        for name in search.deeds.names:
            if name in done:
                continue

            def begun(name: str = name) -> None:
                if name not in done:
                    done.append(name)
                    self._note(replace(claim, done=tuple(done)))

            trouble = search.deeds.do(name, told, begun, self._stopping)
            if trouble:
                self._complain(search.name, trouble)
        self._note(replace(claim, done=tuple(done), is_told=True))

    def _note(self, claim: Claim) -> None:
        with self._writer.transaction():
            self._writer.note_done(claim)

    def _complain(self, name: str, trouble: str) -> None:
        """Say once what is wrong with a search."""
        if (name, trouble) not in self._said:
            self._said.add((name, trouble))
            self._notice(f"saved {name}: {trouble}")
