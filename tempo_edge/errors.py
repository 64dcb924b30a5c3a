"""What can go wrong, as one small family that a caller may catch whole."""

from __future__ import annotations

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


class TempoEdgeError(Exception):
    """Base of every error this package raises on purpose: one line, naming the value."""


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

    def __init__(self, text: str, column: int) -> None:
        super().__init__(text)
        self.column = column


class MissingExtraError(TempoEdgeError, ImportError):
    """An optional part of the installation is needed and absent; the text says which."""


class ServiceError(TempoEdgeError):
    """The service won't do what a request asks for; ``status`` is that of the HTTP answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
