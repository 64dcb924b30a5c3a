"""What is closed at the end of a `with` block."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["Closing"]

Own = TypeVar("Own", bound="Closing")


class Closing:
    """A context manager of whatever has a ``close``."""

    def close(self) -> None:
        """Release what is held."""
        raise NotImplementedError

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
