"""What a library's queue holds, who works, and which workers are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.database import lock_key
from tempo_edge.store.postgres.queue_schema import has_queue, queue_schema
from tempo_edge.store.postgres.session import connect, place_of
from tempo_edge.store.postgres.trouble import told
from tempo_edge.store.queue import QueueState, Task, WorkerState

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["lost_workers", "queue_state", "task_of", "worker_key"]

# Tasks that were given up and are told.
_MOST_TOLD = 100

# Locks of this database that some session holds.
_HELD = (
    "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype='advisory' "
    "AND granted AND database=(SELECT oid FROM pg_database WHERE datname=current_database())"
)


def worker_key(worker: int | None) -> str:
    """The number of the lock by which a worker is known, in SQL."""
    return _key_of(str(worker))


def _key_of(worker: str) -> str:
    return f"hashtextextended(({worker})::text, {lock_key('workers')})"


def lost_workers(db: Connection[Any], grace: float, silence: float) -> list[int]:
    """The workers whose sessions are gone, or that say nothing.

    Args:
        db: a session that finds the queue's tables.
        grace: seconds that one has to come back in.
        silence: seconds after which one is lost though its session is there.
    """
    rows = db.execute(
        "SELECT id FROM procrastinate_workers AS worker "
        "WHERE (last_heartbeat < now() - make_interval(secs => %s) "
        f"AND {_key_of('worker.id')} NOT IN ({_HELD})) "
        "OR last_heartbeat < now() - make_interval(secs => %s)",
        (grace, silence),
    )
    return [int(worker) for (worker,) in rows]


def queue_state(name: str) -> QueueState | None:
    """What the queue of a library holds; None where there is none."""
    with connect(name) as db:
        if place_of(db, name).library is None:
            return None
        with told(name):
            if not has_queue(db):
                return None
            ((library,),) = db.execute("SELECT quote_ident(current_schema())").fetchall()
            db.execute(f"SET search_path TO {library}, {queue_schema(db)}")
            return _read(db, name)


def _read(db: Connection[Any], name: str) -> QueueState:
    row = db.execute("SELECT is_paused FROM tempo_edge_queue").fetchone()
    if row is None:
        raise LibraryError(f"the queue of {name} is damaged: drop its schema and index again")
    # What a lost worker had waits as well: it is given back in a moment.
    waiting = db.execute(
        "SELECT queue_name, count(*) FROM procrastinate_jobs AS job WHERE status='todo' "
        "OR (status='doing' AND (worker_id IS NULL "
        f"OR {_key_of('job.worker_id')} NOT IN ({_HELD}))) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    workers = db.execute(
        "SELECT machine, process, kinds, queue_name, priority, args, extract(epoch FROM now() - "
        "(SELECT max(at) FROM procrastinate_events e WHERE e.job_id=job.id AND type='started')) "
        "FROM tempo_edge_workers AS worker LEFT JOIN procrastinate_jobs AS job "
        "ON job.worker_id=worker.id AND status='doing' "
        f"WHERE {_key_of('worker.id')} IN ({_HELD}) ORDER BY machine, process"
    ).fetchall()
    given_up = db.execute(
        "SELECT queue_name, priority, args, reason FROM procrastinate_jobs AS job "
        "JOIN tempo_edge_trouble ON job=job.id WHERE status='failed' "
        f"ORDER BY job.id DESC LIMIT {_MOST_TOLD}"
    ).fetchall()
    return QueueState(
        bool(row[0]),
        {str(kind): int(count) for kind, count in waiting},
        tuple(_worker(*each) for each in workers),
        tuple((task_of(*each), str(reason)) for *each, reason in given_up),
    )


def _worker(
    machine: str,
    process: int,
    kinds: list[str],
    kind: str | None,
    priority: int | None,
    args: dict[str, Any] | None,
    seconds: Any,
) -> WorkerState:
    if kind is None or args is None or priority is None:
        return WorkerState(machine, int(process), tuple(kinds), None, 0.0)
    task = task_of(kind, priority, args)
    return WorkerState(machine, int(process), tuple(kinds), task, float(seconds or 0.0))


def task_of(kind: str, priority: int, args: dict[str, Any]) -> Task:
    """The task of a job."""
    return Task(kind, args["file"], args["contents"], args["state"], priority, args["words"])
