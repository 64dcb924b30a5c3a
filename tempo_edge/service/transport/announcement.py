"""An announcement: a note in its user's data, of where the service of a library listens.

A terminal may know another ``$XDG_RUNTIME_DIR`` than the service, and a service another socket than
the default one. The note's lock is held for as long as the service runs, and tells whether it does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

from tempo_edge._console.text import note
from tempo_edge._files import atomic_write, make_private
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.transport import places
from tempo_edge.service.transport.name_lock import is_held, locked
from tempo_edge.service.transport.sockets import TakenError
from tempo_edge.store.opening import real_name

__all__ = ["announce", "announced"]

# Longest note that is read, in bytes, and the most of them that are looked at.
_LONGEST_NOTE, _MOST_NOTES = 1 << 16, 1000


def announce(library: Path, socket: Path, stack: ExitStack) -> None:
    """Say where the service of a library listens, until the stack is closed.

    A person whose data can't be written to is told that the service will not be found.

    Raises:
        TakenError: another service of this library runs; it names the socket of that one.
        TempoEdgeError: another one has not come so far as to say where.
    """
    place = _place(library)
    try:
        make_private(place.parent)
        try:
            stack.callback(os.close, locked(place))
        except BlockingIOError as error:
            running = _read(place)
            if running is None:
                raise TempoEdgeError(
                    f"another service of {library} is just starting: use that"
                ) from error
            raise TakenError(running) from error
        with atomic_write(place, mode=0o600) as draft:
            said = {"library": real_name(library), "socket": str(socket.absolute())}
            draft.write_text(json.dumps(said), encoding="utf-8")
        stack.callback(_forget, place)
    except OSError as error:
        why = error.strerror or error
        note(f"{place} can't be written ({why}): --address finds this service by --socket only")


def announced(library: Path | None) -> Iterator[Path]:
    """Sockets of the services that run, of this library only, or of any for None."""
    if library is not None:
        notes = [_place(library)]
    else:
        notes = sorted(islice(places.notes_path().glob("*.json"), _MOST_NOTES))
    for place in notes:
        socket = _read(place)
        if socket is not None and is_held(place):
            yield socket


def _place(library: Path) -> Path:
    return places.notes_path() / f"{places.of_library(library)}.json"


def _read(place: Path) -> Path | None:
    """The socket that a note names; None if there is no note, or none that can be read."""
    try:
        with place.open("rb") as file:
            return Path(str(json.loads(file.read(_LONGEST_NOTE))["socket"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _forget(place: Path) -> None:
    # The lock's file stays: who waits for its lock must not hold that of a file that is gone.
    with suppress(OSError):
        place.unlink(missing_ok=True)
