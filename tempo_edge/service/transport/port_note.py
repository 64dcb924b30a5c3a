"""A note in the place of a Unix socket: at which port of the loopback address a service listens.

It lies where the socket would, and only its user may read it. It holds for as long as its lock is
held: whoever took that port after a service that was killed is never told the token.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge._files.opening import open_carefully
from tempo_edge._files.ownership import is_own
from tempo_edge.service.transport.name_lock import is_held

__all__ = ["port_at", "port_in", "write_note"]

# Longest note that is read, in bytes.
_LONGEST = 256

_KEY = "tempo-edge port"


def write_note(path: Path, port: int) -> None:
    """Say at which port a service listens.

    Raises:
        OSError: it can't be written.
    """
    with atomic_write(path, mode=0o600) as draft:
        draft.write_text(json.dumps({_KEY: port}) + "\n", encoding="ascii")


def port_at(path: Path) -> int | None:
    """The port of the service that lives; None where there is no such note, or it is dead."""
    port = port_in(path)
    return port if port is not None and is_held(path) else None


def port_in(path: Path) -> int | None:
    """The port that a note of this user's own names, of a service that may be dead by now."""
    try:
        descriptor = open_carefully(path, links=False)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or not is_own(facts):
                return None
            port = json.loads(file.read(_LONGEST))[_KEY]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return port if type(port) is int and 0 < port < 65536 else None
