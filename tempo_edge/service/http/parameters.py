"""The parameters of a request: text from outside, turned into values or refused in one line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from tempo_edge.errors import ServiceError
from tempo_edge.service.http.paths import path_from

__all__ = ["LATEST_SECONDS", "Parameters"]

#: Latest instant of a video that may be named, in seconds. A container may well say that thousands
#: of years lie between two pictures.
LATEST_SECONDS = 1e13


class Parameters:
    """Named texts. Every method gives None for a name that was not sent.

    Args:
        values: of each name, all that was sent under it, in order.

    Raises:
        ServiceError: by every method, for a value that is not what it must be; status 400.
    """

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values
        self._read: set[str] = set()

    @property
    def unread(self) -> list[str]:
        """The names that were sent and that no method was called with, in order."""
        return [name for name in self._values if name not in self._read]

    def _sent(self, name: str) -> list[str]:
        self._read.add(name)
        return self._values.get(name, [])

    def text(self, name: str, longest: int) -> str | None:
        """A text of at most ``longest`` characters."""
        given = self._sent(name)
        if len(given) > 1:
            raise ServiceError(400, f"{name} is given {len(given)} times: give it once")
        if not given:
            return None
        if len(given[0]) > longest:
            raise ServiceError(400, f"{name} has {len(given[0])} characters: {longest} are allowed")
        return given[0]

    def texts(self, name: str, most: int) -> list[str]:
        """Every text sent under a name, at most so many."""
        given = self._sent(name)
        if len(given) > most:
            raise ServiceError(400, f"{name} is given {len(given)} times: {most} are allowed")
        return list(given)

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number within ``[low, high]``."""
        text = self.text(name, 32)
        if text is None:
            return None
        number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
        if number is None or not low <= number <= high:
            raise ServiceError(
                400, f"{name} {text!r} must be a whole number within [{low}, {high}]"
            )
        return number

    def number(self, name: str, low: float, high: float) -> float | None:
        """A finite number within ``[low, high]``."""
        text = self.text(name, 32)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ServiceError(400, f"{name} {text!r} must be a number within [{low:g}, {high:g}]")
        return value

    def instant(self, name: str) -> float | None:
        """An instant of a video, in seconds since its start."""
        return self.number(name, 0.0, LATEST_SECONDS)

    def flag(self, name: str) -> bool | None:
        """``0`` or ``1``."""
        text = self.text(name, 32)
        if text is not None and text not in ("0", "1"):
            raise ServiceError(400, f"{name} {text!r} must be 0 or 1")
        return None if text is None else text == "1"

    def day(self, name: str) -> date | None:
        """A day, as ``YYYY-MM-DD``."""
        text = self.text(name, 32)
        if text is None:
            return None
        try:
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                raise ValueError(text)
            return date.fromisoformat(text)
        except ValueError:
            raise ServiceError(400, f"{name} {text!r} must be a day, as 2024-12-31") from None

    def paths(self, name: str, most: int) -> list[Path] | None:
        """Paths from the root, or from the home of who runs the service; at most so many."""
        return [path_from(text, name) for text in self.texts(name, most)] or None
