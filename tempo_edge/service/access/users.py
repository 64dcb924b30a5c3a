"""Colleagues who may ask a service, with the digests of their tokens.

They lie in a file of the service's own user, and not in the library: whoever may write a library on
a server, each worker too, could make himself an administrator there. One file a library.

A token is 256 random bits, and a digest is its SHA-256. A slow hash (scrypt, Argon2) makes guessing
dear where people choose words; of 2²⁵⁶ tokens nobody guesses one at any speed, and slowness would
only let strangers keep the service busy.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tempo_edge._files import atomic_write, make_private
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.ownership import is_open_to_others, is_own
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.access.right import Right
from tempo_edge.service.access.turn import turn_at

__all__ = ["User", "Users"]

# A token's beginning, by which programs that look for secrets know it.
_TOKEN_BEGINS = "te_"

# Of a file that is read, in bytes, and of users.
_LONGEST_FILE, _MOST_USERS = 4 << 20, 10_000

_NAME = re.compile(r"\w[\w.@+-]{0,63}")

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class User:
    """A colleague.

    Attributes:
        digest: SHA-256 of the token, in hexadecimal digits.
        added: when, in UTC, to the second.
    """

    name: str
    right: Right
    digest: str
    added: str


def _check_name(name: str) -> None:
    """Refuse what is no name of a user.

    Raises:
        TempoEdgeError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise TempoEdgeError(
            f"name {name!r} must have 1 to 64 letters, digits and . @ + - _, as ann or ann@films"
        )


class Users:
    """The users of one service. What is added or revoked counts from the next look on.

    Args:
        path: their file, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: Hashable = None
        self._users: Sequence[User] = ()

    def all(self) -> Sequence[User]:
        """All users, by name.

        Raises:
            TempoEdgeError: their file can't be read, is another user's, or holds something else.
        """
        try:
            facts = os.stat(self.path, follow_symlinks=False)  # noqa: PTH116 - once a request
            seen = (facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size)
            if seen != self._seen:
                # What takes its place meanwhile looks different the next time.
                self._users, self._seen = _read(self.path), seen
        except FileNotFoundError:
            self._users, self._seen = (), None
        except OSError as error:
            raise TempoEdgeError(f"users {self.path} can't be read: {error.strerror}") from error
        return self._users

    def by_token(self, token: str) -> User | None:
        """The user whose token it is; all are compared, in a time that tells nothing of them."""
        digest = _digest(token)
        found = None
        for user in self.all():
            if hmac.compare_digest(digest, user.digest):
                found = user
        return found

    def still_has(self, user: User) -> bool:
        """Whether a user is there as before, with the same token and right."""
        return user in self.all()

    def add(self, name: str, right: Right) -> str:
        """Add a user; gives the token, which is kept nowhere.

        Raises:
            TempoEdgeError: it is no name, or taken, or the file can't be written.
        """
        _check_name(name)
        token = _TOKEN_BEGINS + secrets.token_urlsafe(32)
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        try:
            make_private(self.path.parent)
            with turn_at(self.path):
                users = self.all()
                if any(each.name == name for each in users):
                    raise TempoEdgeError(
                        f"there is a user {name} already: tempo-edge users revoke {name} first"
                    )
                if len(users) >= _MOST_USERS:
                    raise TempoEdgeError(f"there are {_MOST_USERS} users already: revoke some")
                self._write([*users, User(name, right, _digest(token), now)])
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return token

    def revoke(self, name: str) -> User:
        """Take a user out, whose token is none any more; gives the user.

        Raises:
            TempoEdgeError: there is none of this name, or the file can't be written.
        """
        try:
            make_private(self.path.parent)
            with turn_at(self.path):
                users = self.all()
                gone = [each for each in users if each.name == name]
                if not gone:
                    known = ", ".join(each.name for each in users[:20]) or "there is none"
                    raise TempoEdgeError(f"there is no user {name!r}: {known}")
                self._write([each for each in users if each.name != name])
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return gone[0]

    def _write(self, users: Sequence[User]) -> None:
        facts = [{**vars(user), "right": user.right.word} for user in users]
        facts.sort(key=lambda each: str(each["name"]))
        with atomic_write(self.path, mode=0o600, own=True) as draft:
            draft.write_text(json.dumps({"users": facts}, indent=1) + "\n", encoding="utf-8")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _unwritable(path: Path, error: OSError) -> TempoEdgeError:
    return TempoEdgeError(f"users {path} can't be written: {error.strerror or error}")


def _read(path: Path) -> Sequence[User]:
    """The users of a file that only its user may write.

    Raises:
        OSError: it can't be opened.
        TempoEdgeError: it is another user's, or holds something else.
    """
    descriptor = open_carefully(path, links=False)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or not is_own(facts):
            raise TempoEdgeError(f"users {path} is not a file of your own: move it away")
        if is_open_to_others(facts):
            raise TempoEdgeError(f"users {path} is open to others: chmod 600 it")
        text = file.read(_LONGEST_FILE + 1)
    try:
        if len(text) > _LONGEST_FILE:
            raise ValueError
        return [_user(**each) for each in json.loads(text)["users"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise TempoEdgeError(f"{path} holds no users: put it back from a backup") from None


def _user(*, name: str, right: str, digest: str, added: str) -> User:
    if not (_NAME.fullmatch(name) and _DIGEST.fullmatch(digest) and added.isascii()):
        raise ValueError(name)
    return User(name, Right[right.upper()], digest, added)
