"""The ``mllm`` grounder: a small decoder reads what the library stored of frames, and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError
from tempo_edge.models import Profile
from tempo_edge.search.grounders.base import Materials
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.context_window import ContextWindow
from tempo_edge.search.grounders.decoder import AnswerDecoder, Reply
from tempo_edge.search.grounders.prompt import FrameTokens, Question, build, opposed
from tempo_edge.search.grounders.windowed import WindowedGrounder
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.search.wording import sought

__all__ = ["MllmGrounder"]

_FILE = "grounder.onnx"


class MllmGrounder(WindowedGrounder):
    """Reads stored vectors and visual tokens of the frames around the best candidates."""

    name: ClassVar[str] = "mllm"
    files: ClassVar[tuple[str, ...]] = (_FILE,)
    calibration: ClassVar[str | None] = "mllm"

    def __init__(self, materials: Materials, decoder: AnswerDecoder | None = None) -> None:
        """Open the profile's decoder, if none is given. Raises ProfileError if it can't be."""
        super().__init__(materials)
        self._decoder = _opened(materials.profile) if decoder is None else decoder
        self._asked: Question | None = None

    @classmethod
    def preload(cls, profile: Profile) -> None:
        """Open the decoder's session."""
        _ = profile.grounder_session

    @classmethod
    def inspect(
        cls,
        profile: Profile,
        question: Question,
        vector: NDArray[np.float32],
        tokens: NDArray[np.float32],
    ) -> None:
        """Ask a profile's decoder about a second of one frame."""
        cells = np.arange(len(tokens), dtype=np.uint8)
        frames = [FrameTokens(0.0, False, vector, cells, tokens)]
        boundaries = Boundaries.of(frames, np.array([0.0, 1.0]))
        decoder = _opened(profile)
        try:
            prompt = build(question, frames, 1.0, _shape(profile))
        except ValueError as error:
            raise ProfileError(f"profile {profile.name!r} can't have {_FILE}: {error}") from error
        decoder.answer(prompt, boundaries.grammar())

    def answer(
        self,
        question: Question,
        window: Window,
        context: ContextWindow,
        frames: Sequence[FrameTokens],
        boundaries: Boundaries,
        *,
        refuse: bool,
    ) -> Reply:
        """The decoder's reply about frames as they are stored; no picture is decoded for it."""
        shape = self.materials.settings
        asked = self._opposed(question) if self._decoder.judges_presence else question
        prompt = build(asked, frames, float(boundaries.edges[-1]), shape)
        return self._decoder.answer(prompt, boundaries.grammar(), refuse=refuse)

    def _opposed(self, question: Question) -> Question:
        """The question with its counterfactuals, which are read once for all of its windows."""
        if self._asked is None or self._asked.text != question.text:
            tower = self.materials.profile.text_tower
            self._asked = opposed(question, sought(question.text), tower)
        return replace(question, contrary=self._asked.contrary)


def _opened(profile: Profile) -> AnswerDecoder:
    return AnswerDecoder(profile.grounder_session, profile.folder / _FILE)


def _shape(profile: Profile) -> CurveSettings:
    """The shape of a draft's spans; a profile that was not calibrated yet has that of all."""
    return CurveSettings.of(profile) if "calibration.json" in profile.files else CurveSettings()
