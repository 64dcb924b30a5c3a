"""The per-user secret that a request over TCP has to name."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from tempo_edge._files import atomic_write, make_private
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.ownership import close_to_others, is_open_to_others, is_own
from tempo_edge.errors import TempoEdgeError

__all__ = ["equal", "load"]

_FORM = re.compile(r"[A-Za-z0-9_-]{32,128}\Z")


def load(path: Path) -> str:
    """The token kept at ``path``; at first a new one is made, readable by its user only.

    Raises:
        TempoEdgeError: it can't be read or made, is another user's, or holds something else.
    """
    try:
        make_private(path.parent)
        with suppress(FileNotFoundError):
            return _read(path)
        _make(path)
        return _read(path)
    except OSError as error:
        raise TempoEdgeError(f"token {path} can't be used: {error.strerror}") from error


def equal(given: str, token: str) -> bool:
    """Whether a token is the right one, in a time that does not tell where it differs."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _make(path: Path) -> None:
    # Whoever comes second keeps the token that is already there.
    with suppress(FileExistsError), atomic_write(path, mode=0o600, replace=False) as draft:
        draft.write_text(secrets.token_urlsafe(32) + "\n")


def _read(path: Path) -> str:
    descriptor = open_carefully(path, links=False)
    with os.fdopen(descriptor) as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or not is_own(facts):
            raise TempoEdgeError(f"token {path} is not a file of your own: move it away")
        if is_open_to_others(facts):
            close_to_others(descriptor)
        try:
            token = file.read(1024).strip()
        except UnicodeDecodeError:
            token = ""
    if not _FORM.match(token):
        raise TempoEdgeError(f"{path} holds no token: delete it, and a new one is made")
    return token
