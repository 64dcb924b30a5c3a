"""What a backup of a library came to."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backup"]


@dataclass(frozen=True)
class Backup:
    """A copy that was made.

    Attributes:
        size: in bytes.
        fault: what is damaged in the library, and so in the copy; empty where all is well.
    """

    size: int
    fault: str
