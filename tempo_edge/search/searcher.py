"""A search from sentence to moments: what pictures, lines and names say, as one answer, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.answer import Answer
from tempo_edge.models import Profile
from tempo_edge.models.line_encoder import LineEncoder, is_readable
from tempo_edge.moment import PICTURE, Moment, Span
from tempo_edge.query import Query
from tempo_edge.search.candidates import Candidate, rivals_of
from tempo_edge.search.findings import Finding, Found, merged
from tempo_edge.search.line_finder import LineFinder, Meaning
from tempo_edge.search.lines import WantedWords
from tempo_edge.search.moments import Moments
from tempo_edge.search.name_finder import NameFinder
from tempo_edge.search.ordering import in_order
from tempo_edge.search.picture_finder import PictureFinder
from tempo_edge.search.search_space import SearchSpace
from tempo_edge.search.term import TermSearch
from tempo_edge.search.wording import Reading, read
from tempo_edge.search.wording import sought as without_request
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.line_vectors import LineVectors
from tempo_edge.store.vectors import Vectors

__all__ = ["Searcher"]

# Rejected moments that an answer tells of.
_CLOSEST = 6


class Searcher:
    """Searches one library with one profile.

    Args:
        catalogue: the library's rows.
        vectors: gives the search among its frames, which is asked for where pictures count.
        lines: gives the search among its lines, which is asked for where some have a vector.
        profile: the models.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: Callable[[], Vectors],
        lines: Callable[[], LineVectors],
        profile: Profile,
    ) -> None:
        self._catalogue = catalogue
        self._open_line_vectors = lines
        self._profile = profile
        self.moments = Moments(catalogue, profile.name)
        self.pictures = PictureFinder(catalogue, vectors, profile, self.moments)
        self._lines = LineFinder(catalogue)
        self._names = NameFinder(catalogue)

    @cached_property
    def _line_vectors(self) -> LineVectors:
        return self._open_line_vectors()

    @cached_property
    def _encoder(self) -> LineEncoder:
        return LineEncoder(self._profile)

    def find(self, query: Query, checkpoint: Callable[[], None] = lambda: None) -> Answer:
        """The answer to a query: moments that match, best first.

        Args:
            query: what is asked for.
            checkpoint: called between two readings; whatever it raises ends the search.

        Raises:
            QueryError: there is no such grounder, it is to read where retrieval alone is asked for,
                or the library holds nothing where the query is kept to.
        """
        chosen = self.pictures.chosen(query)
        space = self.space(query)
        reading = cache(lambda: read(self._profile, query.text))
        how = query, space, chosen, reading, checkpoint
        found = merged(self._findings(*how, query.kinds))
        likely = [each for each in found if each.is_sure]
        rejected = [each for each in found if not each.is_sure]
        shown = [self._told(each, query) for each in likely[: query.limit]]
        shown = in_order(shown, query.sort)
        closest = [self.moments.of(each) for each in rejected[:_CLOSEST]]
        return Answer(
            tuple(moment for moment, _ in shown),
            tuple(moment for moment, _ in closest),
            len(rejected),
            chosen,
            rivals_of([(each.first.video, each.confidence) for each in found]),
            tuple(candidate for _, candidate in shown),
            tuple(candidate for _, candidate in closest),
            query.like is not None and self.pictures.examples.sight(query.like).span is not None,
            unknown_count=self.unknown_count(query),
        )

    def check(self, query: Query) -> None:
        """Refuse what no search of this library can be asked for, without searching.

        Raises:
            QueryError: there is no such grounder, or the example is no picture and no moment.
        """
        self.pictures.chosen(query)
        if query.like is not None:
            self.pictures.examples.sight(query.like)

    def unknown_count(self, query: Query) -> int:
        """How many videos a query leaves out for want of knowing when or where they were taken."""
        return self._catalogue.lacking(query.filters)

    def space(self, query: Query, along_seconds: float = 0.0) -> SearchSpace:
        """Where a query looks; ``along_seconds``: see :class:`SearchSpace`.

        Raises:
            QueryError: the library holds nothing where the query is kept to.
        """
        return SearchSpace(query, self._catalogue, lambda: self.pictures.vectors, along_seconds)

    def term(
        self,
        query: Query,
        space: SearchSpace,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        is_wanted: bool = True,
    ) -> TermSearch:
        """The search of one term: every moment that it may mean, and how likely it is elsewhere.

        Args:
            query, checkpoint: as in :meth:`find`, which raises what this does.
            space: that of the query, and of those of other terms.
            is_wanted: whether it is asked for; else it is only asked how likely it is at places.
        """
        reading = cache(lambda: read(self._profile, query.text))
        how = query, space, self.pictures.chosen(query), reading, checkpoint
        kinds = query.kinds if is_wanted else query.kinds - {PICTURE}
        findings = list(self._findings(*how, kinds))
        # A name that is not sure speaks for what pictures show of its film, and for nothing else.
        if not is_wanted and any(each.kind == "name" and not each.is_sure for each in findings):
            findings = list(self._findings(*how, query.kinds))
        counts = PICTURE in query.kinds and not self._is_quoted(query)
        glance = self.pictures.glance(space, reading) if counts else None
        return TermSearch(query.text, merged(findings), glance)

    def _findings(
        self,
        query: Query,
        space: SearchSpace,
        grounder: str,
        reading: Callable[[], Reading],
        checkpoint: Callable[[], None],
        kinds: frozenset[str],
    ) -> Iterator[Finding]:
        """What some kinds of evidence say."""
        if query.like is not None:
            yield from self.pictures.like(query, space, checkpoint)
            return
        words = kinds - {PICTURE, "name"}
        meaning = partial(self._meaning, query.text, reading)
        said = self._lines.begin(query, words, space.videos, meaning)  # goes on beside pictures
        if PICTURE in kinds:
            how = query, reading, space, grounder, checkpoint
            yield from self.pictures.seen(*how, counts=not self._is_quoted(query))
        yield from said()
        if "name" in kinds:
            yield from self._names.findings(query, space.videos)

    def _meaning(self, text: str, reading: Callable[[], Reading]) -> Meaning | None:
        """What a query means among lines, if some have vectors of the model that reads them."""
        model = self._catalogue.line_model()
        if not model or model != self._encoder.digest or not is_readable(text):
            return None
        self._line_vectors.refresh()
        if not self._line_vectors.count():
            return None
        if self._encoder.shares_tower:
            vector = self._encoder.of_states(reading()[1])
        else:
            vector = self._encoder.encode([without_request(text)])[0]
        return Meaning(vector, self._line_vectors)

    def _is_quoted(self, query: Query) -> bool:
        """Whether a query is of words to the letter, which no picture holds.

        Where there can't be a line that answers, quotes mean nothing.
        """
        has_lines = query.kinds != {PICTURE} and bool(self._catalogue.line_model())
        return has_lines and bool(WantedWords.of(query.text).quoted)

    def _told(self, found: Found, query: Query) -> tuple[Moment, Candidate | None]:
        """A moment, and what pictures say of it; finer where the query wants that."""
        return self.moments.of(found, partial(self._refined, query) if query.refine else None)

    def _refined(self, query: Query, path: Path, candidate: Candidate) -> Span:
        """The span of a candidate, by pictures of its file that lie densely around its ends."""
        from tempo_edge.search.refine import refine

        vector = self._finer(query)
        return refine(path, candidate.window, candidate.segment, vector, self._profile)

    def _finer(self, query: Query) -> NDArray[np.float32]:
        """The vector ``[d]`` by which boundaries are told: of the example, else of the words."""
        if query.like is not None:
            return self.pictures.examples.sight(query.like).vector
        return read(self._profile, query.text)[0]
