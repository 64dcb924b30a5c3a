"""The interface of a grounder: windows of footage go in, candidates or a refusal come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models import Profile
from tempo_edge.search.calibrate import Calibration, NullDistribution
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.grounders.prompt import Question
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.store.interface import Catalogue

if TYPE_CHECKING:
    from tempo_edge.search.grounders.context_window import Groundings

__all__ = ["Grounder", "Materials"]


@dataclass(frozen=True)
class Materials:
    """The materials that a grounder may draw on besides the windows that it is given.

    Attributes:
        profile: the models.
        catalogue: the library that the windows are of.
        settings: the shape of a span.
        curve: how the spans of the similarity curve are judged, which say where to ask a model.
        path_of: a file that holds a video, by its id; None if none is there.
        groundings: what models have answered so far, for those who ask the same again and again;
            None if nothing is kept.
    """

    profile: Profile
    catalogue: Catalogue
    settings: CurveSettings
    curve: Calibration
    path_of: Callable[[int], Path | None]
    groundings: Groundings | None = field(default=None, compare=False)


class Grounder(ABC):
    """Finds the spans of windows that answer a question, and says how likely each does.

    What the rest of the program has to know about a kind of grounder are attributes of its class:

    Attributes:
        name: what it is asked for by.
        files: what a profile must have for it.
        calibration: the part of ``calibration.json`` that it is judged by; None for the whole.
        features: the facts it is judged by, in order; those of :data:`FEATURES` come last.
        is_quick: whether it may be used for every key that somebody presses.
        decodes: whether it decodes frames, so that it wants the files to be there.
        context_seconds: footage on either side of a window that it may look into.
    """

    name: ClassVar[str]
    files: ClassVar[tuple[str, ...]] = ()
    calibration: ClassVar[str | None]
    features: ClassVar[tuple[str, ...]]
    is_quick: ClassVar[bool] = False
    decodes: ClassVar[bool] = False
    context_seconds: ClassVar[float] = 0.0

    def __init__(self, materials: Materials) -> None:
        """Load what it needs.

        Raises:
            ProfileError: a file of the profile can't be used.
        """
        self.materials = materials

    @classmethod
    def comes_with(cls, profile: Profile) -> bool:
        """Whether a profile has the files for it."""
        return all(file in profile.files for file in cls.files)

    @classmethod
    def is_offered_by(cls, profile: Profile) -> bool:
        """Whether a profile has all that it takes to search with it.

        Raises:
            ProfileError: the profile's calibration can't be read.
        """
        return cls.comes_with(profile) and (
            cls.calibration is None or cls.calibration in profile.calibration
        )

    @classmethod
    def calibration_of(cls, profile: Profile) -> Calibration:
        """How a profile judges the spans that it finds.

        Raises:
            ProfileError: there is no calibration of it, or it can't be read.
        """
        about = profile.calibration
        part = about if cls.calibration is None else about.part(cls.calibration)
        return Calibration.of(part, cls.features)

    @classmethod  # noqa: B027 - most have nothing to load
    def preload(cls, profile: Profile) -> None:
        """Load what every search with it wants, before the first one."""

    @classmethod  # noqa: B027 - without models of its own there is nothing to try
    def inspect(
        cls,
        profile: Profile,
        question: Question,
        vector: NDArray[np.float32],
        tokens: NDArray[np.float32],
    ) -> None:
        """Try a profile's models for it on one frame, of this vector ``[d]`` and tokens ``[k, d]``.

        Raises:
            ProfileError: they can't be used.
        """

    @abstractmethod
    def ground(
        self,
        question: Question,
        windows: Sequence[Window],
        null: NullDistribution,
        calibration: Calibration,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        parts: bool = False,
    ) -> list[Candidate]:
        """The spans worth judging, most likely first, none over another of the same video.

        A span lies within its candidate's window. Where nothing can be said the list is empty, and
        where what was asked for is not there no confidence reaches the calibration's threshold:
        both are refusals. What can't be looked at any more ends nothing.

        Args:
            question: what is asked.
            windows: the footage, most promising first.
            null: how the question scores by chance.
            calibration: how the facts of a span are weighed: of :attr:`features`.
            checkpoint: called between two steps that take their time; whatever it raises ends the
                search.
            parts: leave neighbouring spans apart that show it equally well; else they are one, as
                likely as the likeliest of them.
        """
