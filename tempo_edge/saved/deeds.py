"""What is done where a saved search matches: a command, a notification, a webhook.

A library may come from anybody, and whoever follows a folder with it must not run what they say. So
deeds have a seal, made with a key that this user alone has; without it they are never done.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tempo_edge.errors import LibraryError, QueryError
from tempo_edge.saved.command import check_command, run
from tempo_edge.saved.notification import notify
from tempo_edge.saved.told_moment import ToldMoment
from tempo_edge.saved.webhook import check_webhook, post

__all__ = ["Deeds", "is_sealed", "seal_of"]

_VERSION = 1
_KEY_BYTES = 32
_LONGEST = 1 << 20


@dataclass(frozen=True)
class Deeds:
    """What is done for each moment. It validates itself.

    Attributes:
        command: an argument list, whose words may hold placeholders; empty for none.
        notification: whether the desktop shows it.
        webhook: an address on this machine; empty for none.

    Raises:
        QueryError: the command can't be run, or the address is of another machine.
    """

    command: tuple[str, ...] = ()
    notification: bool = False
    webhook: str = ""

    def __post_init__(self) -> None:
        if self.command:
            check_command(self.command)
        if self.webhook:
            check_webhook(self.webhook)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the deeds that there are, in the order in which they are done."""
        asked = {"notify": self.notification, "webhook": self.webhook, "run": self.command}
        return tuple(name for name, is_asked in asked.items() if is_asked)

    def do(
        self, name: str, told: ToldMoment, begun: Callable[[], None], stopping: Callable[[], bool]
    ) -> str:
        """Do one of them; gives nothing, or what went wrong.

        Args:
            begun: called once it must not be done again by another run: as soon as a command runs,
                a webhook was sent, a notification was taken, or it was given up; perhaps again.
            stopping: asked often whether to leave a command to itself.
        """
        if name == "run":
            return run(self.command, told, begun, stopping)
        trouble = notify(told) if name == "notify" else post(self.webhook, told, begun)
        begun()
        return trouble

    def as_text(self) -> str:
        """What :meth:`of` reads; ASCII alone."""
        facts = {"run": self.command, "notify": self.notification, "webhook": self.webhook}
        return json.dumps({"version": _VERSION, **facts})

    @staticmethod
    def of(text: str) -> Deeds:
        """What :meth:`as_text` wrote.

        Raises:
            QueryError: it is something else, or a newer tempo-edge's.
        """
        try:
            kept = json.loads(text[:_LONGEST])
            if kept["version"] != _VERSION:
                version = kept["version"]
                raise QueryError(
                    f"deeds of version {version!r} are a newer tempo-edge's: update this one"
                )
            command, shown, webhook = kept["run"], kept["notify"], kept["webhook"]
            is_right = isinstance(command, list) and isinstance(shown, bool)
            if not is_right or not all(isinstance(each, str) for each in (*command, webhook)):
                raise ValueError("run must be a list of texts, notify yes or no, webhook a text")
            return Deeds(tuple(command), shown, webhook)
        except QueryError:
            raise
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise QueryError(f"what a saved search does can't be read: {error}") from error


def _key_path() -> Path:
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "saved.key"


def _key() -> bytes:
    """The user's key; empty where there is none."""
    try:
        with _key_path().open("rb") as file:
            return file.read(_KEY_BYTES)
    except OSError:
        return b""


def seal_of(deeds: str) -> str:
    """The seal of some deeds, with a key that is made if need be.

    Raises:
        LibraryError: the key can't be written.
    """
    path = _key_path()
    if len(_key()) != _KEY_BYTES:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                to.write(secrets.token_bytes(_KEY_BYTES))
            with suppress(FileExistsError):  # another process was first
                os.link(draft, path)
            draft.unlink()
        except OSError as error:
            raise LibraryError(f"{path} can't be written ({error}): mend that") from error
    if len(_key()) != _KEY_BYTES:
        raise LibraryError(f"{path} is no key of {_KEY_BYTES} bytes: delete it, and save again")
    return hmac.new(_key(), deeds.encode(), hashlib.sha256).hexdigest()


def is_sealed(deeds: str, seal: str) -> bool:
    """Whether this user made the seal of some deeds."""
    key = _key()
    if len(key) != _KEY_BYTES or not seal.isascii():
        return False
    return hmac.compare_digest(hmac.new(key, deeds.encode(), hashlib.sha256).hexdigest(), seal)
