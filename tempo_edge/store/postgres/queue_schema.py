"""The tables of a library's queue: procrastinate's, and beside them who works, in a schema apart.

They hold nothing that the library lacks: who loses them indexes again. Their version is that of
procrastinate's last migration that was run; a newer procrastinate runs those that it has beside.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from tempo_edge.errors import LibraryError, NoLibraryError
from tempo_edge.store.postgres.database import lock_key
from tempo_edge.store.postgres.session import place_of

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["enter_queue", "has_queue", "queue_schema"]

#: Version of what is ours of the tables; no other has been out.
_VERSION = 1

_MARK = "tempo_edge_queue"

# What procrastinate has nothing for: where a worker runs, at which tasks workers were lost and why
# one was given up; and an index, for each task is held against all that have the same contents.
_OURS = f"""
CREATE TABLE {_MARK} (
  version integer NOT NULL, migration text NOT NULL, library text NOT NULL,
  is_paused boolean NOT NULL DEFAULT false
);
CREATE TABLE tempo_edge_workers (
  id bigint PRIMARY KEY REFERENCES procrastinate_workers(id) ON DELETE CASCADE,
  machine text NOT NULL, process bigint NOT NULL, kinds text[] NOT NULL
);
CREATE TABLE tempo_edge_trouble (
  job bigint PRIMARY KEY REFERENCES procrastinate_jobs(id) ON DELETE CASCADE,
  deaths integer NOT NULL DEFAULT 0, reason text NOT NULL DEFAULT ''
);
CREATE INDEX tempo_edge_jobs_by_lock ON procrastinate_jobs (lock)
  WHERE status IN ('todo', 'doing');
"""


def queue_schema(db: Connection[Any]) -> str:
    """The schema of the queue of a session's library, quoted: the library's, with a word behind."""
    ((quoted,),) = db.execute(
        "SELECT quote_ident(left(current_schema(), 57) || '_queue')"
    ).fetchall()
    return str(quoted)


def has_queue(db: Connection[Any]) -> bool:
    """Whether a session's library has a queue by now."""
    ((found,),) = db.execute(
        "SELECT to_regclass(%s) IS NOT NULL", (f"{queue_schema(db)}.{_MARK}",)
    ).fetchall()
    return bool(found)


def enter_queue(db: Connection[Any], name: str) -> str:
    """Have a session find the queue's tables, which are made or brought up if need be.

    Args:
        db: a session of a library that is there.
        name: what the library is called.

    Returns:
        The schema that they are in, quoted.

    Raises:
        NoLibraryError: there is no library.
        LibraryError: the queue is of a newer tempo-edge, or may not be made.
    """
    place = place_of(db, name)
    if place.library is None:
        raise NoLibraryError(f"there is no library at {name}: run `tempo-edge index PATH` first")
    schema = queue_schema(db)
    if not has_queue(db) or _state(db, schema) != (_VERSION, _migrations()[-1], place.library):
        with db.transaction():
            db.execute(f"SELECT pg_advisory_xact_lock({lock_key('queue')})")
            _bring_up(db, name, schema, place.library)
    ((library,),) = db.execute("SELECT quote_ident(current_schema())").fetchall()
    db.execute(f"SET search_path TO {library}, {schema}")
    return schema


def _state(db: Connection[Any], schema: str) -> tuple[int, str, str] | None:
    row = db.execute(f"SELECT version, migration, library FROM {schema}.{_MARK}").fetchone()
    return None if row is None else (int(row[0]), str(row[1]), str(row[2]))


def _bring_up(db: Connection[Any], name: str, schema: str, library: str) -> None:
    """Make a queue, or bring one up, within a transaction that holds others off."""
    migrations = _migrations()
    state = _state(db, schema) if has_queue(db) else None
    if state is not None and (state[0] > _VERSION or state[1] > migrations[-1]):
        raise LibraryError(
            f"the queue of {name} is of a newer tempo-edge or procrastinate: upgrade both here"
        )
    if state is not None and state[2] != library:  # of a library that was there before
        db.execute(f"DROP SCHEMA {schema} CASCADE")
        state = None
    if state is None:
        from procrastinate.schema import SchemaManager

        db.execute(f"CREATE SCHEMA {schema}")
        db.execute(f"SET LOCAL search_path TO {schema}")
        db.execute(SchemaManager.get_schema().encode())
        db.execute(_OURS)
        db.execute(
            f"INSERT INTO {_MARK} (version, migration, library) VALUES (%s, %s, %s)",
            (_VERSION, migrations[-1], library),
        )
        return
    db.execute(f"SET LOCAL search_path TO {schema}")
    for migration in migrations:
        if migration > state[1]:
            text = (resources.files("procrastinate.sql") / "migrations" / migration).read_bytes()
            db.execute(text)
    db.execute(f"UPDATE {_MARK} SET migration=%s", (migrations[-1],))


def _migrations() -> list[str]:
    """The names of procrastinate's migrations, in the order in which they are run."""
    folder = resources.files("procrastinate.sql") / "migrations"
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))
