"""The request of one ``tempo-edge export``, and what is handed from step to step with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tempo_edge.errors import ExportError
from tempo_edge.models.registry import installed_profiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tempo_export.precision import Precision

__all__ = ["Progress", "Request"]

#: Pictures that are read at most: chance needs no more.
_MOST = 2048

#: Where a line goes that says what is being done.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """The options of an export; see ``tempo-edge export --help``."""

    name: str
    target: str = "onnx"
    precision: Precision = "fp32"
    out: Path | None = None
    pictures: Path | None = None
    videos: Path | None = None
    tolerance: float = 1.0
    replace: bool = False
    beside: str = "nano"
    adapter: Path | None = None
    size: int | None = None

    def validate(self) -> None:
        """Refuse what makes no sense or can't be read, before anything takes time.

        Raises:
            TempoEdgeError: the tolerance is no number, or the videos' truth can't be read.
        """
        from tempo_edge.evaluation.truth import read_truth

        if not math.isfinite(self.tolerance):
            raise ExportError(f"tolerance {self.tolerance} must be a number of points")
        if self.videos is not None:
            read_truth(self.videos)

    def destination(self, name: str) -> Path:
        """The folder that what is written gets, under its name."""
        return (self.out or installed_profiles()) / name

    def read_pictures(self, size: int) -> NDArray[np.uint8]:
        """The pictures that were given, uint8 ``[n, size, size, 3]``.

        Raises:
            ExportError: none were given, or too few can be read.
            MissingExtraError: Pillow is not installed.
        """
        from tempo_export.pictures import read_pictures

        if self.pictures is None:
            raise ExportError("--pictures DIR is needed: real pictures, unrelated, any number")
        return read_pictures(self.pictures, size, _MOST)
