"""A search from sentence to moments: retrieve, ground, judge, and say so when nothing matches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.answer import Answer
from tempo_edge.errors import QueryError
from tempo_edge.models import Profile
from tempo_edge.models.line_encoder import LineEncoder, is_readable
from tempo_edge.moment import PICTURE, Moment, Span
from tempo_edge.query import Query
from tempo_edge.search.by_example import ByExample, Words
from tempo_edge.search.calibrate import Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate, rivals_of
from tempo_edge.search.contrast import Cohort, stand_in
from tempo_edge.search.findings import Finding, Found, merged, of_candidates
from tempo_edge.search.fitted import QUICK, calibration_of, grounders_of, is_quick, preferred
from tempo_edge.search.glance import Glance
from tempo_edge.search.grounders import GROUNDERS, Grounder, Materials
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.line_finder import LineFinder, Meaning
from tempo_edge.search.lines import WantedWords
from tempo_edge.search.moments import Moments
from tempo_edge.search.name_finder import NameFinder
from tempo_edge.search.ordering import in_order
from tempo_edge.search.retrieve import GLANCE, WINDOWS, retrieve
from tempo_edge.search.search_space import SearchSpace
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.term import TermSearch
from tempo_edge.search.wording import read
from tempo_edge.search.wording import sought as without_request
from tempo_edge.store.interface import Catalogue, Vectors
from tempo_edge.store.line_vectors import LineVectors

__all__ = ["Searcher"]

_Reading = tuple[NDArray[np.float32], NDArray[np.float32]]
"""(unit vector of a query ``[d]``, states of its tokens ``[l, 384]``)"""

# Rejected moments that an answer tells of.
_CLOSEST = 6


@dataclass(frozen=True)
class _Sought:
    """A sentence as the towers read it, and where it is looked for.

    Attributes:
        vector: its unit vector ``[d]``; ``states``: those of its tokens ``[l, 384]``.
        windows: most stretches of footage to look into.
    """

    text: str
    vector: NDArray[np.float32]
    states: NDArray[np.float32]
    space: SearchSpace
    windows: int


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
        self._open_vectors = vectors
        self._open_line_vectors = lines
        self._profile = profile
        self.moments = Moments(catalogue, profile.name)
        self._lines = LineFinder(catalogue)
        self._names = NameFinder(catalogue)
        self._examples = ByExample(catalogue, profile)
        self._grounders: dict[str, Grounder] = {}
        self._cohort: tuple[NDArray[np.float32], Cohort] | None = None
        self._stand_in: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    @cached_property
    def _vectors(self) -> Vectors:
        return self._open_vectors()

    @cached_property
    def _line_vectors(self) -> LineVectors:
        return self._open_line_vectors()

    @cached_property
    def _encoder(self) -> LineEncoder:
        return LineEncoder(self._profile)

    @cached_property
    def settings(self) -> CurveSettings:
        """The profile's shape of a span."""
        return CurveSettings.of(self._profile)

    @property
    def footage(self) -> NDArray[np.float32]:
        """Unrelated frames ``[k, d]``: the profile's own, or else what stands for them."""
        own = self._profile.background
        if len(own):
            return own
        sample = self._vectors.sample()
        if self._stand_in is None or self._stand_in[0] is not sample:
            self._stand_in = sample, stand_in(sample, self._profile.sentences)
        return self._stand_in[1]

    def cohort(self, footage: NDArray[np.float32]) -> Cohort:
        """What the profile makes of generic sentences and of unrelated footage ``[k, d]``."""
        if self._cohort is None or self._cohort[0] is not footage:
            self._cohort = footage, Cohort.of(self._profile.sentences, footage)
        return self._cohort[1]

    def calibration(self, grounder: str) -> Calibration:
        """The profile's calibration of a grounder."""
        return calibration_of(self._profile, grounder)

    def grounder(self, asked: str | None) -> str:
        """The grounder that was asked for, or the one that the profile's calibration prefers.

        Raises:
            QueryError: there is no such grounder, or the profile has none that reads.
        """
        if asked is None:
            return preferred(self._profile)
        if asked not in GROUNDERS:
            raise QueryError.naming(
                "{grounder} {!r} must be one of {}", asked, ", ".join(GROUNDERS)
            )
        if asked not in self.grounders:
            raise QueryError(
                f"profile {self._profile.name!r} has no grounder {asked!r}: use {QUICK!r}"
            )
        return asked

    @property
    def grounders(self) -> tuple[str, ...]:
        """The grounders that the profile has."""
        return grounders_of(self._profile)

    def find(self, query: Query, checkpoint: Callable[[], None] = lambda: None) -> Answer:
        """The answer to a query: moments that match, best first.

        Args:
            query: what is asked for.
            checkpoint: called between two readings; whatever it raises ends the search.

        Raises:
            QueryError: there is no such grounder, it is to read where retrieval alone is asked for,
                or the library holds nothing where the query is kept to.
        """
        chosen = self.chosen(query)
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
            query.like is not None and self._examples.sight(query.like).span is not None,
            unknown_count=self.unknown_count(query),
        )

    def check(self, query: Query) -> None:
        """Refuse what no search of this library can be asked for, without searching.

        Raises:
            QueryError: there is no such grounder, or the example is no picture and no moment.
        """
        self.chosen(query)
        if query.like is not None:
            self._examples.sight(query.like)

    def unknown_count(self, query: Query) -> int:
        """How many videos a query leaves out for want of knowing when or where they were taken."""
        return self._catalogue.lacking(query.filters)

    def chosen(self, query: Query) -> str:
        """The grounder that a query is searched with.

        Raises:
            QueryError: as :meth:`find`.
        """
        if query.retrieval and query.grounder is not None and not is_quick(query.grounder):
            raise QueryError(
                f"grounder {query.grounder!r} and retrieval exclude each other: choose one of them"
            )
        if query.like is not None:
            return self._grounder_of_example(query.grounder)
        return QUICK if query.retrieval else self.grounder(query.grounder)

    def space(self, query: Query, along_seconds: float = 0.0) -> SearchSpace:
        """Where a query looks; ``along_seconds``: see :class:`SearchSpace`.

        Raises:
            QueryError: the library holds nothing where the query is kept to.
        """
        return SearchSpace(query, self._catalogue, lambda: self._vectors, along_seconds)

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
        how = query, space, self.chosen(query), reading, checkpoint
        kinds = query.kinds if is_wanted else query.kinds - {PICTURE}
        findings = list(self._findings(*how, kinds))
        # A name that is not sure speaks for what pictures show of its film, and for nothing else.
        if not is_wanted and any(each.kind == "name" and not each.is_sure for each in findings):
            findings = list(self._findings(*how, query.kinds))
        return TermSearch(query.text, merged(findings), self._glance(query, space, reading))

    def _glance(
        self, query: Query, space: SearchSpace, reading: Callable[[], _Reading]
    ) -> Glance | None:
        """How likely pictures show one term, anywhere; None where they don't count."""
        if PICTURE not in query.kinds or self._is_quoted(query):
            return None
        if not space.crowd_frames:
            return None
        vector, _ = reading()
        self._vectors.refresh()
        null = self._null(vector, space, QUICK)
        return Glance(vector, null, self.calibration(QUICK), self.settings, space.reels)

    def _findings(
        self,
        query: Query,
        space: SearchSpace,
        grounder: str,
        reading: Callable[[], _Reading],
        checkpoint: Callable[[], None],
        kinds: frozenset[str],
    ) -> Iterator[Finding]:
        """What some kinds of evidence say."""
        if query.like is not None:
            yield from self._like(query, space, checkpoint)
            return
        words = kinds - {PICTURE, "name"}
        meaning = partial(self._meaning, query.text, reading)
        said = self._lines.begin(query, words, space.videos, meaning)  # goes on beside pictures
        if PICTURE in kinds:
            yield from self._seen(query, reading, space, grounder, checkpoint)
        yield from said()
        if "name" in kinds:
            yield from self._names.findings(query, space.videos)

    def _meaning(self, text: str, reading: Callable[[], _Reading]) -> Meaning | None:
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

    def _seen(
        self,
        query: Query,
        reading: Callable[[], _Reading],
        space: SearchSpace,
        grounder: str,
        checkpoint: Callable[[], None],
    ) -> Iterator[Finding]:
        """What pictures say."""
        vector, states = reading()
        windows = GLANCE if query.retrieval else WINDOWS
        sought = _Sought(query.text, vector, states, space, windows)
        least = query.min_confidence
        if least is None:
            least = self.calibration(grounder).threshold
        found = self._candidates(sought, grounder, checkpoint, query.parts)
        yield from of_candidates(found, least, counts=not self._is_quoted(query))

    def _grounder_of_example(self, asked: str | None) -> str:
        """The grounder of an example: a curve, for what reads has learned to read sentences."""
        if asked is not None and not is_quick(asked):
            raise QueryError.naming(
                "{grounder} {!r} reads sentences, no examples: use {!r}", asked, QUICK
            )
        return QUICK

    def _like(
        self, query: Query, space: SearchSpace, checkpoint: Callable[[], None]
    ) -> Iterator[Finding]:
        """What pictures say of an example, and of words beside it if there are some."""
        assert query.like is not None
        sight = self._examples.sight(query.like)
        self._vectors.refresh()
        footage = self.footage
        words = self._words(query.text, space) if query.text.strip() else None
        how = self.settings, space.videos, GLANCE if query.retrieval else WINDOWS, checkpoint
        found = self._examples.candidates(
            *(sight, words, self._vectors, footage, *how), parts=query.parts
        )
        judge = self._examples.judge
        least = (judge.alone if words is None else judge.words).threshold
        if query.min_confidence is not None:
            least = query.min_confidence
        yield from of_candidates(found, least)

    def _words(self, text: str, space: SearchSpace) -> Words:
        """Words beside an example, as they are judged alone."""
        vector, _ = read(self._profile, text)
        null = self._null(vector, space, QUICK)
        return Words(vector, null, self.calibration(QUICK))

    def _candidates(
        self, sought: _Sought, grounder: str, checkpoint: Callable[[], None], parts: bool
    ) -> list[Candidate]:
        """Every span worth judging, most likely first; overlapping ones are merged."""
        self._vectors.refresh()
        vector, space = sought.vector, sought.space
        if not space.frames:
            return []
        calibration = self.calibration(grounder)
        null = self._null(vector, space, grounder)
        question = Question(
            sought.states, vector, null.background_mean, null.background_std, sought.text
        )
        windows = retrieve(
            vector,
            self._catalogue,
            self._vectors,
            videos=space.videos,
            limit=sought.windows,
            context_seconds=GROUNDERS[grounder].context_seconds,
            reels=space.reels,
        )
        asked = self._opened(grounder)
        return asked.ground(question, windows, null, calibration, checkpoint, parts=parts)

    def _null(
        self, vector: NDArray[np.float32], space: SearchSpace, grounder: str
    ) -> NullDistribution:
        """How a query of this vector ``[d]`` scores by chance among a space's crowd."""
        has_contrast = self.calibration(grounder).has_contrast
        known = vector.tobytes(), has_contrast
        if known not in space.nulls:
            footage = self.footage
            cohort = self.cohort(footage) if has_contrast else None
            space.nulls[known] = NullDistribution.of(
                vector, footage, space.sample, space.crowd_frames, cohort
            )
        return space.nulls[known]

    def _opened(self, name: str) -> Grounder:
        """A grounder over this library, loaded on first use."""
        if name not in self._grounders:
            materials = self.materials(self.settings, self.calibration(QUICK))
            self._grounders[name] = GROUNDERS[name](materials)
        return self._grounders[name]

    def materials(self, settings: CurveSettings, curve: Calibration) -> Materials:
        """The materials of grounders over this library, with these settings and calibration."""
        return Materials(self._profile, self._catalogue, settings, curve, self._online_path_of)

    def _online_path_of(self, video_id: int) -> Path | None:
        path, offline = self.moments.path_of(video_id)
        return None if offline else path

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
            return self._examples.sight(query.like).vector
        return read(self._profile, query.text)[0]
