"""Whose a file is, and who else may read it.

Windows says so by lists of access, which a file has from its folder: a user's own folders are
closed to others there, and modes mean nothing.
"""

from __future__ import annotations

import os
import sys

__all__ = ["close_to_others", "is_open_to_others", "is_own", "set_mode", "user_number"]

if sys.platform == "win32":

    def user_number() -> str:
        """A name for the user where there is no better one: users have no numbers here."""
        return os.environ.get("USERNAME", "unknown")

    def is_own(facts: os.stat_result) -> bool:
        """True: it was opened, and lies in a folder of the user's own."""
        return True

    def is_open_to_others(facts: os.stat_result) -> bool:
        """False: modes don't tell it here."""
        return False

    def set_mode(descriptor: int, mode: int) -> None:
        """Nothing: modes mean nothing here."""

else:

    def user_number() -> str:
        """The number of the user that this process runs as."""
        return str(os.geteuid())

    def is_own(facts: os.stat_result) -> bool:
        """Whether a file belongs to the user that this process runs as."""
        return facts.st_uid == os.geteuid()

    def is_open_to_others(facts: os.stat_result) -> bool:
        """Whether anybody else may read or write a file, by its mode."""
        return bool(facts.st_mode & 0o077)

    def set_mode(descriptor: int, mode: int) -> None:
        """Give an open file its permissions.

        Raises:
            OSError: it can't be done.
        """
        os.fchmod(descriptor, mode)


def close_to_others(descriptor: int) -> None:
    """Let only its owner read and write a file.

    Raises:
        OSError: it can't be done.
    """
    set_mode(descriptor, 0o600)
