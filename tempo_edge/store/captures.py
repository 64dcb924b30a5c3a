"""The part of a store's interface about captures: when, where and by what videos were taken."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempo_edge.capture.facts import Capture
    from tempo_edge.filters import Filters

__all__ = ["Captures", "WritableCaptures"]


class Captures(ABC):
    """The captures of the videos of a library, to be read.

    Each file says one of its video. Of several that hold the same video that one counts which is
    trusted most, see :data:`tempo_edge.capture.facts.SOURCES`; it lacks nothing that another knows.
    """

    @abstractmethod
    def capture(self, video_id: int) -> Capture | None:
        """When, where and by what a video was taken; None where no file's capture was noted."""

    @abstractmethod
    def file_capture(self, path: str) -> tuple[str, Capture] | None:
        """(mark, capture) as they were noted of one file, or None."""

    @abstractmethod
    def taken(self) -> dict[int, Capture]:
        """By video, when it was taken and who says so, of those of which that is known.

        That and nothing else is in these captures.
        """

    @abstractmethod
    def videos_within(self, filters: Filters) -> set[int]:
        """Ids of the videos that some filters leave, where these leave anything out."""

    @abstractmethod
    def lacking(self, filters: Filters) -> int:
        """How many videos lack what some filters ask for: a time, a place, a camera."""

    @abstractmethod
    def cameras(self) -> list[str]:
        """The names of all cameras, make and model, in the order of their letters."""


class WritableCaptures(Captures):
    """The captures of the videos of a library, to be read and written."""

    @abstractmethod
    def note_capture(self, path: str, mark: str, capture: Capture) -> None:
        """Note a file's capture, until the file is put again.

        Args:
            path: a file that is there, and holds a video.
            mark: whatever tells what was read.
            capture: what it said.
        """

    @abstractmethod
    def capture_marks(self, paths: Sequence[str]) -> dict[str, str]:
        """By path, the mark of those files among some whose capture was noted."""
