"""A library that takes another one's place on its server: in one transaction, from a schema beside.

The tables of the one are dropped and those of the other moved where they were. Nobody sees
anything between: whoever reads the old one is waited for, and finds another library the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from psycopg import errors, sql

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.database import lock_key
from tempo_edge.store.postgres.schema import MARK
from tempo_edge.store.postgres.session import connect, first_value, place_of
from tempo_edge.store.postgres.trouble import told

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["draft_beside", "take_over"]

# How long readers of the old library are waited for.
_PATIENCE = "30s"

# The longest name that PostgreSQL keeps whole, in bytes.
_LONGEST_NAME = 63

# Tables and sequences that nobody owns; partitions are dropped with what they are of.
_PARTS = """
SELECT relname, relkind='S', relispartition FROM pg_class
WHERE relnamespace=to_regnamespace(quote_ident(%s)) AND relkind IN ('r', 'p', 'S')
  AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid=pg_class.oid AND classid='pg_class'::regclass
    AND (deptype='e' OR relkind='S' AND deptype IN ('a', 'i')))
ORDER BY relispartition, relkind='S', relname
"""


def draft_beside(name: str, profile: str) -> str:
    """The name of a library in a schema beside that of `name`; the schema is made if need be.

    Raises:
        LibraryError: the server can't be reached, or its user may not make a schema there.
    """
    with connect(name) as db:
        schema = place_of(db, name).schema
        draft = f"{schema}_{profile}_draft"
        if len(draft.encode()) > _LONGEST_NAME:
            raise LibraryError(
                f"{name} can't be read anew: schema {draft!r} beside it would have a name of more "
                f"than {_LONGEST_NAME} bytes; rename {schema!r}"
            )
        with told(name):
            # Asked first: who may not make schemas may have been given this one.
            if first_value(db, "SELECT to_regnamespace(quote_ident(%s))", (draft,)) is None:
                try:
                    db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(draft)))
                except errors.InsufficientPrivilege as error:
                    raise LibraryError(
                        f"{name} can't be read anew beside itself: its user may not make schema "
                        f"{draft!r}; GRANT CREATE ON DATABASE, or make it for them"
                    ) from error
    return _in_schema(name, draft)


def _in_schema(name: str, schema: str) -> str:
    """The name of the library in another schema of the same database."""
    head, _, asked = name.partition("?")
    given = [each for each in asked.split("&") if each]
    options = [unquote(each.partition("=")[2]) for each in given if each.startswith("options=")]
    rest = [each for each in given if not each.startswith("options=")]
    # The last setting of a parameter counts, and a backslash keeps the letter behind it as it is.
    quoted = '"' + schema.replace('"', '""') + '"'
    kept = "".join(each if each.isalnum() or each == "_" else f"\\{each}" for each in quoted)
    place = quote(" ".join([*options, f"-csearch_path={kept}"]), safe="")
    return f"{head}?{'&'.join([*rest, f'options={place}'])}"


def take_over(name: str, draft: str) -> None:
    """Let the library `draft` take the place of the one under `name`, both on one server.

    Raises:
        LibraryError: it can't be done now. What was there is there still.
    """
    with connect(draft) as beside:
        source = place_of(beside, draft)
    with connect(name) as db, told(name):
        place = place_of(db, name)
        if source.version is None or source.schema == place.schema:
            raise LibraryError(f"{draft} is no library that could take the place of {name}")
        try:
            with db.transaction():
                db.execute(f"SET LOCAL lock_timeout='{_PATIENCE}'")
                db.execute(f"SELECT pg_advisory_xact_lock({lock_key('transaction')})")
                _move(db, source.schema, place.schema)
        except errors.LockNotAvailable as error:
            raise LibraryError(
                f"{name} is being read by another process all the time: run it again"
            ) from error


def _move(db: Connection[Any], source: str, target: str) -> None:
    """Drop a schema's tables, and put those of another schema in their place."""
    for part, is_sequence, is_partition in db.execute(_PARTS, (target,)).fetchall():
        if not is_partition:
            kind = sql.SQL("SEQUENCE" if is_sequence else "TABLE")
            where = sql.Identifier(target, part)
            db.execute(sql.SQL("DROP {} {} CASCADE").format(kind, where))
    for part, is_sequence, _ in db.execute(_PARTS, (source,)).fetchall():
        kind = sql.SQL("SEQUENCE" if is_sequence else "TABLE")
        moved = sql.SQL("ALTER {} {} SET SCHEMA {}")
        db.execute(moved.format(kind, sql.Identifier(source, part), sql.Identifier(target)))
    db.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(source)))
    assert first_value(db, f"SELECT to_regclass('{MARK}')") is not None
