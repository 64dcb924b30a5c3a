"""Draws of queries as a search sees them: the facts of every span that a grounder finds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tempo_edge.library import Library
from tempo_edge.search.calibrate import Calibration, NullDistribution
from tempo_edge.search.grounders import GROUNDERS, Grounder
from tempo_edge.search.grounders.curve import cut_out
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.retrieve import retrieve
from tempo_edge.search.searcher import Searcher
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.store.vectors import Vectors

__all__ = ["Draw", "Draws"]


@dataclass(frozen=True)
class Draw:
    """One query asked of one library: the facts of its spans, and whether it occurs."""

    features: NDArray[np.float64]
    present: bool


class Draws:
    """Asks queries of parts of a library."""

    def __init__(
        self,
        library: Library,
        vectors: Vectors,
        settings: CurveSettings,
        questions: dict[str, Question],
    ) -> None:
        self._catalogue, self._profile = library.catalogue, library.profile
        self._vectors, self._settings, self._questions = vectors, settings, questions
        self._searcher = Searcher(
            library.catalogue,
            lambda: vectors,
            lambda: library.store.line_vectors(library.catalogue),
            library.profile,
        )
        self._grounders: dict[str, Grounder] = {}

    def by_curve(self, text: str, videos: list[int], present: bool) -> Draw:
        """Facts of every segment of the similarity curve."""
        _, null, windows = self._ask(text, videos)
        facts = [
            null.features(
                segment.peak,
                segment.mean,
                segment.floor,
                window.pooled(segment.first, segment.last),
            )
            for window in windows
            for segment in cut_out(window, self._settings, null.background_mean)
        ]
        return Draw(np.stack(facts), present)

    def by(
        self, grounder: str, text: str, videos: list[int], present: bool, curve: Calibration
    ) -> Draw | None:
        """Facts of every span that a grounder finds; None if no window has room for one.

        `curve` is how the spans of the similarity curve are judged that it begins with.
        """
        kind = GROUNDERS[grounder]
        question, null, windows = self._ask(text, videos, kind.context_seconds)
        if grounder not in self._grounders:
            # Not the searcher's own: the shape of its drafts is what was fitted just now.
            materials = self._searcher.pictures.materials(self._settings, curve)
            self._grounders[grounder] = kind(replace(materials, groundings={}))
        # With a threshold above all, no more is asked than always is.
        unsure = Calibration(np.zeros(len(kind.features)), 0.0, 2.0)
        found = self._grounders[grounder].ground(question, windows, null, unsure)
        return Draw(np.stack([each.features for each in found]), present) if found else None

    def _ask(
        self, text: str, videos: list[int], context_seconds: float = 0.0
    ) -> tuple[Question, NullDistribution, list[Window]]:
        question = self._questions[text]
        frames = self._catalogue.count_frames(videos)
        sample = self._vectors.sample(videos)
        footage = self._searcher.pictures.footage
        null = NullDistribution.of(
            question.vector, footage, sample, frames, self._searcher.pictures.cohort(footage)
        )
        windows = retrieve(
            question.vector,
            self._catalogue,
            self._vectors,
            videos=videos,
            context_seconds=context_seconds,
        )
        return question, null, windows
