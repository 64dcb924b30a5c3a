"""Descriptions: JSON files that somebody else wrote, read field by field.

A profile, a calibration or a checkpoint may come from anywhere. A checksum only says that a file is
the one its author meant, not that the author meant well: each field is read by its type and within
bounds, and what does not fit is one line that names the file and the field.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tempo_edge.errors import ProfileError

__all__ = ["NAME", "Description", "file_name", "load_json"]

#: Names of profiles that mean the same to every file system, and nothing to a terminal.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")

T = TypeVar("T")

#: Bytes of the longest description that is read.
MOST_BYTES = 4 << 20

# Letters of a value that an error shows.
_SHOWN = 60

_DIGEST = re.compile(r"[0-9a-f]{64}")


def load_json(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """The value of a JSON file.

    Raises:
        ProfileError: the file can't be read, is longer than ``most_bytes`` or nested deeper than
            Python reads, is not JSON, or holds ``NaN`` or ``Infinity``, which JSON does not have.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise ProfileError(f"{path} must have at most {most_bytes} bytes")
        return json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise ProfileError(f"{path} can't be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise ProfileError(f"{path} can't be read: it is nested too deep") from error
    except ValueError as error:  # of JSON, of UTF-8, or of numbers
        raise ProfileError(f"{path} can't be read: {error}") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


class Description:
    """One object of a JSON file, with the fields that it has.

    Args:
        path: the file, for errors.
        facts: the object.
        place: where in the file it is, as ``tokens.`` say.

    Raises:
        ProfileError: ``facts`` is not an object. So do all methods where a field is missing, of
            another type or out of bounds.
    """

    def __init__(self, path: Path, facts: Any, place: str = "") -> None:
        self._path = path
        self._place = place
        if not isinstance(facts, dict):
            raise ProfileError(f"{self} must be an object, not {_short(facts)}")
        self._facts: dict[str, Any] = facts

    @staticmethod
    def read(path: Path) -> Description:
        """The description in a file.

        Raises:
            ProfileError: it can't be read as one.
        """
        return Description(path, load_json(path))

    def __contains__(self, name: str) -> bool:
        return name in self._facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __str__(self) -> str:
        return f"{self._path}: {self._place[:-1]}" if self._place else str(self._path)

    def part(self, name: str) -> Description:
        """The object in a field."""
        return Description(self._path, self._value(name), f"{self._place}{name}.")

    def text(self, name: str, *, longest: int = 256) -> str:
        """A text of at most ``longest`` letters, none of which does things to a terminal."""
        value = self._value(name)
        if not isinstance(value, str) or not value.isprintable() or len(value) > longest:
            self.refuse(name, f"must be a text of at most {longest} printable letters")
        return str(value)

    def prose(self, name: str, *, longest: int = 4096) -> str:
        """A text of at most ``longest`` letters, line ends and all: never printed as it is."""
        value = self._value(name)
        if not isinstance(value, str) or len(value) > longest:
            self.refuse(name, f"must be a text of at most {longest} letters")
        return str(value)

    def name(self, name: str, allowed: re.Pattern[str]) -> str:
        """A text that a pattern allows."""
        value = self._value(name)
        if not isinstance(value, str) or not allowed.fullmatch(value):
            self.refuse(name, f"must be a name like {allowed.pattern}")
        return str(value)

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number within ``[low, high]``."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.refuse(name, f"must be a whole number from {low} to {high}")
        return int(value)

    def number(self, name: str, low: float = -1e9, high: float = 1e9) -> float:
        """A finite number within ``[low, high]``."""
        value = self._value(name)
        if not _is_number(value) or not low <= value <= high:
            self.refuse(name, f"must be a number from {low:g} to {high:g}")
        return float(value)

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return bool(value)

    def numbers(self, name: str, count: int, low: float = -1e9, high: float = 1e9) -> list[float]:
        """A list of ``count`` finite numbers within ``[low, high]``."""
        value = self._value(name)
        if not isinstance(value, list) or len(value) != count:
            self.refuse(name, f"must be a list of {count} numbers")
        for place, each in enumerate(value):
            if not _is_number(each) or not low <= each <= high:
                self._refuse(f"{name}[{place}]", f"must be a number from {low:g} to {high:g}", each)
        return [float(each) for each in value]

    def some_of(self, name: str, allowed: Sequence[str]) -> list[str]:
        """A list of different texts, each of them allowed."""
        value = self._value(name)
        known = isinstance(value, list) and all(
            isinstance(each, str) and each in allowed for each in value
        )
        if not known or not value or len(set(value)) < len(value):
            self.refuse(name, f"must be some of {json.dumps(list(allowed))}")
        return list(value)

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """The value of a field by ``read``, a method of this description, or None."""
        return None if self._facts.get(name) is None else read(name)

    def digest(self, name: str) -> str:
        """A SHA-256 in hexadecimal."""
        value = self._value(name)
        if not isinstance(value, str) or not _DIGEST.fullmatch(value):
            self.refuse(name, "must be a SHA-256 of 64 hexadecimal digits")
        return str(value)

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """One of some texts."""
        value = self._value(name)
        if not isinstance(value, str) or value not in allowed:
            self.refuse(name, f"must be one of {', '.join(allowed)}")
        return str(value)

    def refuse(self, name: str, wanted: str) -> NoReturn:
        """Raise what is said of a field whose value does not fit.

        Raises:
            ProfileError: always.
        """
        self._refuse(name, wanted, self._facts.get(name))

    def _refuse(self, name: str, wanted: str, value: object) -> NoReturn:
        raise ProfileError(f"{self._path}: {self._place}{name} {wanted}, not {_short(value)}")

    def _value(self, name: str) -> Any:
        if name not in self._facts:
            raise ProfileError(f"{self._path} lacks {self._place}{name}")
        return self._facts[name]


def file_name(files: Description, name: str) -> str:
    """The name of a file beside a description, and not of one elsewhere.

    Raises:
        ProfileError: it is no such name.
    """
    if not _FILE.fullmatch(name):
        raise ProfileError(f"{files} names {name!a}, a file must be named like {_FILE.pattern}")
    return name


def _is_number(value: object) -> bool:
    # A whole number may be larger than any float.
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
        and abs(value) < 1e300
    )


def _short(value: object) -> str:
    """A value as an error shows it, however long it is."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    # Before Python spells it: a number of a million digits takes seconds, or is refused.
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
