"""A session with the server of a library: opened, and looked at for what is there."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.schema import MARK, OLDEST_VERSION, SCHEMA_VERSION
from tempo_edge.store.postgres.trouble import in_short, told

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Place", "clock_ahead", "connect", "first_value", "place_of"]

# Seconds to wait for a server that does not answer.
_PATIENCE_SECONDS = 10

# The server gives up who has not answered for as long: what the lock of a machine that was switched
# off outlasts it by.
_LEASE = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}

# The oldest pgvector with scans that go on where a filter has left too little.
_OLDEST_PGVECTOR = (0, 8)

_LOOK = f"""
SELECT current_schema(),
  to_regclass(quote_ident(current_schema()) || '.{MARK}') IS NOT NULL,
  (SELECT count(*) FROM pg_class WHERE relnamespace=quote_ident(current_schema())::regnamespace
    AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (
      SELECT 1 FROM pg_depend WHERE objid=pg_class.oid AND deptype='e')),
  (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid=extnamespace
    WHERE extname='vector'),
  (SELECT extversion FROM pg_extension WHERE extname='vector'),
  current_setting('server_encoding')
"""


@dataclass(frozen=True)
class Place:
    """Where a library is kept, or may be: a schema of a database.

    Attributes:
        schema: its name.
        version: of the library's tables; None where there is none.
        library: the id of the library; None where there is none.
        vector: the schema that pgvector is in, quoted; None where it is not there.
    """

    schema: str
    version: int | None
    library: str | None
    vector: str | None


def connect(name: str) -> Connection[Any]:
    """A session with a library's server, each of whose statements is one by itself.

    Raises:
        LibraryError: the server does not answer, or does not let this user in.
    """
    host = socket.gethostname()
    try:
        db: Connection[Any] = psycopg.connect(
            name,
            autocommit=True,
            connect_timeout=_PATIENCE_SECONDS,
            application_name=f"tempo-edge {os.getpid()} {host}"[:63],
            fallback_application_name=None,
        )
    except (psycopg.Error, UnicodeError, ValueError) as error:
        raise LibraryError(
            f"{name} can't be opened ({_reason(error)}): see to its server, its user, and the "
            "password in PGPASSWORD or ~/.pgpass"
        ) from error
    with told(name):
        settings = ", ".join(
            f"set_config('{key}', '{value}', false)" for key, value in _LEASE.items()
        )
        db.execute(f"SELECT {settings}")
    return db


def _reason(error: Exception) -> str:
    """What the last of the tries to connect came to, in a few words."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    failed = [line for line in said if "failed:" in line or "FATAL" in line]
    return " ".join((failed or said or [in_short(error)])[-1].split())[:200]


def place_of(db: Connection[Any], name: str) -> Place:
    """What is there under a name.

    Raises:
        LibraryError: something else is, or a library of a newer tempo-edge or of one too old.
    """
    with told(name):
        (row,) = db.execute(_LOOK).fetchall()
        schema, is_library, others, vector, release, encoding = row
    if schema is None:
        raise LibraryError(
            f"{name} has no schema to keep a library in: make the one that it names, or name "
            "another, as ?options=-csearch_path%3DSCHEMA"
        )
    if encoding != "UTF8":
        raise LibraryError(f"{name} has encoding {encoding}, must be UTF8: choose another database")
    if vector is not None and _release(release) < _OLDEST_PGVECTOR:
        raise LibraryError(
            f"{name} has pgvector {release}, must be 0.8 or newer: update it on the server, "
            "then ALTER EXTENSION vector UPDATE"
        )
    if not is_library:
        if others:
            raise LibraryError(
                f"{name} holds another program's tables, not a library: choose another database, "
                "or a schema of it by ?options=-csearch_path%3DSCHEMA"
            )
        return Place(schema, None, None, vector)
    with told(name):
        ((version, library),) = db.execute(f"SELECT schema_version, id FROM {MARK}").fetchall()
    if version > SCHEMA_VERSION:
        raise LibraryError(
            f"{name} has schema version {version}, this tempo-edge reads up to {SCHEMA_VERSION}: "
            "upgrade tempo-edge"
        )
    if version < OLDEST_VERSION:
        raise LibraryError(
            f"{name} has schema version {version}, this tempo-edge reads {OLDEST_VERSION} to "
            f"{SCHEMA_VERSION}: drop its schema and index again"
        )
    if vector is None:
        raise LibraryError(
            f"{name} lacks pgvector: run CREATE EXTENSION vector in that database, and put a copy "
            "of the library back"
        )
    return Place(schema, version, library, vector)


def first_value(db: Connection[Any], query: str, values: Sequence[Any] = ()) -> Any:
    """The first value of the first row that a query gives, or None."""
    row = db.execute(query, values or None).fetchone()
    return None if row is None else row[0]


def clock_ahead(db: Connection[Any], name: str) -> float:
    """Seconds by which this machine's clock is ahead of the server's; what asking took is off."""
    began = time.time()
    with told(name):
        there = float(first_value(db, "SELECT extract(epoch FROM clock_timestamp())"))
    ended = time.time()
    if began <= there <= ended:
        return 0.0
    return began - there if there < began else ended - there


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
