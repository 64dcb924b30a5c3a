"""The writer's lock: an advisory lock of the server, which ends with the session that holds it."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

import psycopg
from psycopg import Connection

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.database import lock_key
from tempo_edge.store.postgres.session import connect, first_value, place_of
from tempo_edge.store.postgres.trouble import told

__all__ = ["WriterLock", "holder_of"]

# How long to wait for a server to notice that a holder has died, and how often to look.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 10.0, 0.02

_HOLDER = """
SELECT application_name, mode='ShareLock' FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype='advisory' AND granted AND pg_locks.database=
    (SELECT oid FROM pg_database WHERE datname=current_database())
  AND (classid::bigint << 32) | objid::bigint = {key}
"""
_NAMED = re.compile(r"tempo-edge (\d+) (.*)")


class WriterLock:
    """A lock over the library under a name, whether it is there yet or not.

    The server drops it when the session ends, whatever ends it: a process that dies, a machine that
    is not heard of for a minute.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._db: Connection[Any] | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock.

        Raises:
            LibraryError: another process holds it, or what is there is no library.
        """
        db = connect(self._name)
        try:
            place_of(db, self._name)
            with told(self._name):
                self._take(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        return self

    def _take(self, db: Connection[Any]) -> None:
        patience = time.monotonic() + _PATIENCE_SECONDS
        while not first_value(db, f"SELECT pg_try_advisory_lock({lock_key('writer')})"):
            application, is_worker = _holder(db, lock_key("writer"))
            named = _NAMED.fullmatch(application)
            is_late = time.monotonic() > patience
            if is_late or (named is not None and _is_alive(*named.groups())):
                who = "a worker" if is_worker else "another process"
                called = f" ({_named(application)})" if application else ""
                otherwise = "tempo-edge queue pause" if is_worker else "use another --library"
                raise LibraryError(
                    f"{who}{called} is writing to {self._name}: wait for it, or {otherwise}"
                )
            time.sleep(_PAUSE_SECONDS)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        db, self._db = self._db, None
        if db is not None and not db.closed:
            # One that is just closed is noticed a moment later; one that is gone holds nothing.
            with suppress(psycopg.Error):
                db.execute("SELECT pg_advisory_unlock_all()")
            db.close()


def holder_of(db: Connection[Any], key: str) -> str:
    """Who holds a lock, as ``pid 12 on films``; empty where nobody is known to.

    Args:
        key: its number, in SQL.
    """
    return _named(_holder(db, key)[0])


def _holder(db: Connection[Any], key: str) -> tuple[str, bool]:
    """(what the application of a lock's holder calls itself, whether others may hold it too)."""
    row = db.execute(_HOLDER.format(key=key)).fetchone()
    return ("", False) if row is None else (str(row[0] or ""), bool(row[1]))


def _named(application: str) -> str:
    named = _NAMED.fullmatch(application)
    return f"pid {named[1]} on {named[2]}" if named is not None else application


def _is_alive(pid: str, host: str) -> bool:
    """Whether a process may be alive: those of other machines are taken to be."""
    if host != socket.gethostname()[: len(host)] or not host:
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
