"""What a search would see of a query: the facts of every span that a grounder finds for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.library import Library
from tempo_edge.search import candidates
from tempo_edge.search.calibrate import READ_FEATURES, Calibration, Chance
from tempo_edge.search.curve import CurveSettings, ground
from tempo_edge.search.decoder import Decoder
from tempo_edge.search.grounder import Follower, Grounder, Reading
from tempo_edge.search.prompt import Question
from tempo_edge.search.retrieve import Window, retrieve
from tempo_edge.search.searcher import Searcher
from tempo_edge.store.interface import Vectors

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
        self._searcher = Searcher(library.catalogue, vectors, library.profile)
        self._read: dict[tuple[str, str, int, int], tuple[Window, Reading]] = {}

    @property
    def readers(self) -> list[str]:
        """The grounders of the profile that read."""
        has = {"mllm": self._profile.has_grounder, "vlm": self._profile.has_vlm}
        return [name for name, there in has.items() if there]

    def by_curve(self, text: str, videos: list[int], present: bool) -> Draw:
        """Facts of every bump."""
        _, chance, windows = self._ask(text, videos)
        bumps = [
            bump
            for window in windows
            for bump in ground(window, self._settings, chance.background_mean)
        ]
        facts = [chance.features(bump.peak, bump.mean, bump.floor) for bump in bumps]
        return Draw(np.stack(facts), present)

    def by_reading(
        self, text: str, videos: list[int], present: bool, curve: Calibration, grounder: str
    ) -> Draw | None:
        """Facts of every span that was answered; None if no window has room for one."""
        question, chance, windows = self._ask(text, videos)
        found = candidates.by_curve(windows, chance, self._settings, curve)
        # With a threshold above all, no more is read than always is.
        unsure = Calibration(np.zeros(len(READ_FEATURES)), 0.0, 2.0)
        reader = _Remembering(self._reader(grounder, text), self._read, (grounder, text))
        read = candidates.by_reading(found, question, chance, reader, unsure)
        return Draw(np.stack([each.features for each in read]), present) if read else None

    def _ask(self, text: str, videos: list[int]) -> tuple[Question, Chance, list[Window]]:
        question = self._questions[text]
        frames = self._catalogue.count_frames(videos)
        sample = self._vectors.sample(videos)
        chance = Chance.of(question.vector, self._profile.background, sample, frames)
        windows = retrieve(question.vector, self._catalogue, self._vectors, videos=videos)
        return question, chance, windows

    def _reader(self, grounder: str, text: str) -> Follower:
        if grounder == "vlm":
            return self._searcher.watcher(text)
        # Not the searcher's own: the shape of its drafts is what was fitted just now.
        decoder = Decoder(self._profile.grounder_session)
        return Grounder(self._catalogue, decoder, self._settings)


class _Remembering:
    """What was read once is not read again: it does not depend on the rest of the library."""

    def __init__(
        self,
        reader: Follower,
        known: dict[tuple[str, str, int, int], tuple[Window, Reading]],
        about: tuple[str, str],
    ) -> None:
        self._reader, self._known, self._about = reader, known, about

    def read(self, question: Question, window: Window, pts: int) -> tuple[Window, Reading]:
        key = (*self._about, window.video_id, pts)
        if key not in self._known:
            self._known[key] = self._reader.read(question, window, pts)
        return self._known[key]
