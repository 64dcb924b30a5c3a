"""Moments that pictures show: findings of a sentence, and of an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import QueryError
from tempo_edge.models import Profile
from tempo_edge.query import Query
from tempo_edge.search.by_example import ByExample, Words
from tempo_edge.search.calibrate import Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.contrast import Cohort, stand_in
from tempo_edge.search.findings import Finding, of_candidates
from tempo_edge.search.fitted import QUICK, calibration_of, grounders_of, is_quick, preferred
from tempo_edge.search.glance import Glance
from tempo_edge.search.grounders import GROUNDERS, Grounder, Materials
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.moments import Moments
from tempo_edge.search.retrieve import GLANCE, WINDOWS, retrieve
from tempo_edge.search.search_space import SearchSpace
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.wording import Reading, read
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.vectors import Vectors

__all__ = ["PictureFinder"]


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


class PictureFinder:
    """Finds what pictures of one library show, with one profile.

    Args:
        catalogue: the library's rows.
        vectors: gives the search among its frames, which is asked for where pictures count.
        profile: the models.
        moments: says where the file of a video is.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: Callable[[], Vectors],
        profile: Profile,
        moments: Moments,
    ) -> None:
        self._catalogue = catalogue
        self._open_vectors = vectors
        self._profile = profile
        self._moments = moments
        self.examples = ByExample(catalogue, profile)
        self._grounders: dict[str, Grounder] = {}
        self._cohort: tuple[NDArray[np.float32], Cohort] | None = None
        self._stand_in: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    @cached_property
    def vectors(self) -> Vectors:
        """The search among the library's frames."""
        return self._open_vectors()

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
        sample = self.vectors.sample()
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

    def chosen(self, query: Query) -> str:
        """The grounder that a query is searched with.

        Raises:
            QueryError: there is no such grounder, or it is to read where retrieval alone is asked
                for.
        """
        if query.retrieval and query.grounder is not None and not is_quick(query.grounder):
            raise QueryError(
                f"grounder {query.grounder!r} and retrieval exclude each other: choose one of them"
            )
        if query.like is not None:
            return self._grounder_of_example(query.grounder)
        return QUICK if query.retrieval else self.grounder(query.grounder)

    def _grounder_of_example(self, asked: str | None) -> str:
        """The grounder of an example: a curve, for what reads has learned to read sentences."""
        if asked is not None and not is_quick(asked):
            raise QueryError.naming(
                "{grounder} {!r} reads sentences, no examples: use {!r}", asked, QUICK
            )
        return QUICK

    def seen(
        self,
        query: Query,
        reading: Callable[[], Reading],
        space: SearchSpace,
        grounder: str,
        checkpoint: Callable[[], None],
        *,
        counts: bool,
    ) -> Iterator[Finding]:
        """What pictures say of a sentence.

        Args:
            query: what is asked for; ``reading``: gives it as the towers read it.
            space: where it is looked for; ``grounder``: the name of what cuts out moments.
            checkpoint: called between two readings; whatever it raises ends the search.
            counts: whether a moment may be sure by its pictures.
        """
        vector, states = reading()
        windows = GLANCE if query.retrieval else WINDOWS
        sought = _Sought(query.text, vector, states, space, windows)
        least = query.min_confidence
        if least is None:
            least = self.calibration(grounder).threshold
        found = self._candidates(sought, grounder, checkpoint, query.parts)
        yield from of_candidates(found, least, counts=counts)

    def _candidates(
        self, sought: _Sought, grounder: str, checkpoint: Callable[[], None], parts: bool
    ) -> list[Candidate]:
        """Every span worth judging, most likely first; overlapping ones are merged."""
        self.vectors.refresh()
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
            self.vectors,
            videos=space.videos,
            limit=sought.windows,
            context_seconds=GROUNDERS[grounder].context_seconds,
            reels=space.reels,
        )
        asked = self._opened(grounder)
        return asked.ground(question, windows, null, calibration, checkpoint, parts=parts)

    def glance(self, space: SearchSpace, reading: Callable[[], Reading]) -> Glance | None:
        """How likely pictures show one term, anywhere; None where there are none."""
        if not space.crowd_frames:
            return None
        vector, _ = reading()
        self.vectors.refresh()
        null = self._null(vector, space, QUICK)
        return Glance(vector, null, self.calibration(QUICK), self.settings, space.reels)

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

    def like(
        self, query: Query, space: SearchSpace, checkpoint: Callable[[], None]
    ) -> Iterator[Finding]:
        """What pictures say of an example, and of words beside it if there are some."""
        assert query.like is not None
        sight = self.examples.sight(query.like)
        self.vectors.refresh()
        footage = self.footage
        words = self._words(query.text, space) if query.text.strip() else None
        how = self.settings, space.videos, GLANCE if query.retrieval else WINDOWS, checkpoint
        found = self.examples.candidates(
            *(sight, words, self.vectors, footage, *how), parts=query.parts
        )
        judge = self.examples.judge
        least = (judge.alone if words is None else judge.words).threshold
        if query.min_confidence is not None:
            least = query.min_confidence
        yield from of_candidates(found, least)

    def _words(self, text: str, space: SearchSpace) -> Words:
        """Words beside an example, as they are judged alone."""
        vector, _ = read(self._profile, text)
        null = self._null(vector, space, QUICK)
        return Words(vector, null, self.calibration(QUICK))

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
        path, offline = self._moments.path_of(video_id)
        return None if offline else path
