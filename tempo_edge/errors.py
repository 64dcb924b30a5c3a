"""What can go wrong, as one small family that a caller may catch whole."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import TypeVar

__all__ = [
    "ExportError",
    "ExpressionError",
    "FootageError",
    "LibraryError",
    "MediaError",
    "MissingExtraError",
    "NoLibraryError",
    "ProfileError",
    "QueryError",
    "RefusedRowError",
    "ServiceError",
    "TempoEdgeError",
]


_Error = TypeVar("_Error", bound="TempoEdgeError")


class TempoEdgeError(Exception):
    """Base of every error this package raises on purpose: one line, naming the value."""

    # What `naming` was given.
    _line: tuple[str, tuple[object, ...]] | None = None

    @classmethod
    def naming(cls: type[_Error], line: str, *values: object) -> _Error:
        """An error that names what was given: Python's names, as ``{also}``, which doors may have
        others for.

        Args:
            line: its text, as for :meth:`str.format`; whatever comes from outside is a value.
            values: those of the braces without a name.
        """
        error = cls(_named(line, values, {}))
        error._line = line, values
        return error

    def named(self, names: Mapping[str, str]) -> str:
        """The text with the names of a door, by those of Python; those it has no other for stay."""
        return str(self) if self._line is None else _named(*self._line, names)


class _Names(dict[str, str]):
    """The names of a door; any other name is itself."""

    def __missing__(self, name: str) -> str:
        return name


def _named(line: str, values: tuple[object, ...], names: Mapping[str, str]) -> str:
    return Formatter().vformat(line, values, _Names(names))


class MediaError(TempoEdgeError):
    """A file can't be used as a video; the text is the reason, without the path."""


class FootageError(TempoEdgeError):
    """Footage, or a library, would be lost by what is asked for."""


class LibraryError(TempoEdgeError):
    """A library is missing, locked, too new, full or of another profile."""


class NoLibraryError(LibraryError):
    """There is no library of a name, or one that nothing was ever written to."""


class RefusedRowError(LibraryError):
    """A row holds a value that a library can't store; the text is the reason."""


class ProfileError(TempoEdgeError):
    """A model profile is unknown or its files fail their checksums."""


class ExportError(TempoEdgeError):
    """A model can't be exported, or what was written is worse than was allowed."""


class QueryError(TempoEdgeError, ValueError):
    """A search was asked for something that can't be searched."""


class ExpressionError(QueryError):
    """A query can't be read: ``column``, from 1, is where it went wrong."""

    column = 1


class MissingExtraError(TempoEdgeError, ImportError):
    """An optional part of the installation is needed and absent; the text says which."""


class ServiceError(TempoEdgeError):
    """The service won't do what a request asks for; ``status`` is that of the HTTP answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
