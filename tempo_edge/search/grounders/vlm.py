"""The ``vlm`` grounder: a hub model looks at the frames themselves, decoded from the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.models import Profile
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.grounders.base import Materials
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.chat_decoder import ChatDecoder
from tempo_edge.search.grounders.context_window import ContextWindow
from tempo_edge.search.grounders.decoder import Reply
from tempo_edge.search.grounders.prompt import FrameTokens, Question
from tempo_edge.search.grounders.windowed import WindowedGrounder
from tempo_edge.search.window import Window

__all__ = ["VlmGrounder"]


class VlmGrounder(WindowedGrounder):
    """Looks at the pictures around the best candidates, as long as their files are there."""

    name: ClassVar[str] = "vlm"
    files: ClassVar[tuple[str, ...]] = ("grounder.json",)
    calibration: ClassVar[str | None] = "vlm"
    decodes: ClassVar[bool] = True

    def __init__(self, materials: Materials) -> None:
        """Load the hub model. Raises ProfileError if a file of it can't be used."""
        super().__init__(materials)
        self._decoder = ChatDecoder(materials.profile.vlm)

    @classmethod
    def is_offered_by(cls, profile: Profile) -> bool:
        """Whether a profile has a hub model, calibrated or not."""
        return cls.comes_with(profile)

    @classmethod
    def calibration_of(cls, profile: Profile) -> Calibration:
        """The profile's calibration of it; without one it is believed as it says itself."""
        if not super().is_offered_by(profile):
            return Calibration.none_fitted()
        return super().calibration_of(profile)

    @classmethod
    def inspect(
        cls,
        profile: Profile,
        question: Question,
        vector: NDArray[np.float32],
        tokens: NDArray[np.float32],
    ) -> None:
        """Open a profile's hub model; running it would take too long."""
        ChatDecoder(profile.vlm)

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
        """The model's reply about a context window's own pictures.

        Raises:
            MediaError: no file holds the video any more, or not with pictures at these times.
        """
        from tempo_edge.media.stills import stills

        path = self.materials.path_of(window.video_id)
        if path is None:
            raise MediaError("no file that holds it is there")
        pts = window.pts[context.first : context.last].tolist()
        found = stills(path, pts, self._decoder.model.manifest.size)
        missing = [tick for tick in pts if tick not in found]
        if missing:
            raise MediaError(f"holds no picture at tick {missing[0]} any more")
        return self._decoder.answer(
            question.text,
            [frame.seconds for frame in frames],
            float(boundaries.edges[-1]),
            np.stack([found[tick] for tick in pts]),
            boundaries.grammar(),
            refuse=refuse,
        )
