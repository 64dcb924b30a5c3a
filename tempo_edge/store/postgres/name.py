"""The name of a library on a server: ``postgresql://USER@HOST/DATABASE``, without any password."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tempo_edge._files.spelling import IS_WINDOWS
from tempo_edge.errors import LibraryError

__all__ = ["check_system", "checked_name", "local_path"]

# User and password, where there is one, before the host and the database.
_NAME = re.compile(
    r"postgresql://(?P<user>[^:@/?]*)(?P<password>:[^@]*)?(?P<rest>@?[^@]*)", re.DOTALL
)
_PARAMETER = re.compile(r"([?&]password=)[^&]*", re.IGNORECASE)
_WAY = "as postgresql://USER@HOST/DATABASE"


def check_system(*, is_windows: bool = IS_WINDOWS) -> None:
    """Refuse a library on a server where paths begin with drives, which it has no place for yet.

    Raises:
        LibraryError: the system is Windows.
    """
    if is_windows:
        raise LibraryError(
            "a library on a server can be opened on Linux and macOS, not on Windows: machines "
            "that share it would not find each other's drives; keep one in a file here"
        )


def checked_name(name: str | Path) -> str:
    """A library's name, which may be shown anywhere.

    Raises:
        LibraryError: it holds a password, which is not shown, or names no database.
    """
    text = str(name)
    found = _NAME.fullmatch(text)
    if found is None:
        raise LibraryError(f"{_masked(text)!r} is no name of a library on a server: {_WAY}")
    if (found["password"] and "@" in found["rest"]) or _PARAMETER.search(text):
        raise LibraryError(
            f"{_masked(text)} holds a password, which lists of processes and logs would show: "
            "leave it out, and give it in PGPASSWORD or in ~/.pgpass"
        )
    _, slash, database = text.removeprefix("postgresql://").partition("?")[0].partition("/")
    if not slash or not database or "/" in database:
        raise LibraryError(f"{text!r} names no database: {_WAY}")
    return text


def _masked(text: str) -> str:
    """A name that somebody typed, with whatever may be a password in it left out."""
    head, at, tail = text.rpartition("@")
    scheme, colon, rest = head.partition("://")
    if at:
        user, told, _ = rest.partition(":")
        head = f"{scheme}{colon}{user}{':***' if told else ''}"
    return _PARAMETER.sub(r"\1***", f"{head}{at}{tail}")


def local_path(name: str, suffix: str) -> Path:
    """Where this machine keeps something else about a library: in the user's data."""
    from platformdirs import user_data_path

    key = hashlib.sha256(name.encode()).hexdigest()[:16]
    return user_data_path("tempo-edge") / "team" / f"{key}{suffix}"
