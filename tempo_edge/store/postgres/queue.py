"""A library's queue, kept by procrastinate in the same database.

A worker is known by a lock that its session holds: the server drops it when the session ends,
whatever ends it. What a worker has whose lock is gone, and who hasn't been heard of since, is given
back. Its transactions ask themselves whether a task is still its own, so that a worker which was
taken for lost stores nothing of it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status
from psycopg import errors

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.database import lock_key
from tempo_edge.store.postgres.lock import holder_of
from tempo_edge.store.postgres.queue_schema import enter_queue
from tempo_edge.store.postgres.queue_session import done, job_of, key_of_task, manager_over
from tempo_edge.store.postgres.queue_state import lost_workers, task_of, worker_key
from tempo_edge.store.postgres.session import connect, first_value
from tempo_edge.store.postgres.trouble import told
from tempo_edge.store.queue import Claim, ClaimLostError, Task, WorkQueue

if TYPE_CHECKING:
    from psycopg import Connection

    from tempo_edge.store.interface import WritableCatalogue

__all__ = ["PostgresQueue"]

# Between two signs of life, and between two looks for workers that are lost.
_BEAT_SECONDS = 2.0

# A worker whose session is gone has so long to come back; who says nothing at all is lost as well.
_GRACE_SECONDS, _SILENCE_SECONDS = 6.0, 120.0

# A task at which so many workers were lost is given up. A film is read in a process of its own
# from the second time on: the deaths of workers are seldom its fault.
_MOST_DEATHS = 100

# What a worker was lost at comes behind all else of its kind, and each further time behind that.
_BEHIND, _FURTHER, _LEAST = 400_000_000, 20_000_000, -(2**31)

# More deaths than these would bring it among the tasks of another kind.
_TURNS = 20

_PAUSE_SECONDS = 0.1
_CHANNEL = "procrastinate_any_queue_v1"


class PostgresQueue(WorkQueue):
    """The queue of the library under a name; what a public method does, its interface says."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._worker: int | None = None
        self._kinds: list[str] = []
        self._looked = self._beaten = 0.0
        self._open()

    def _open(self) -> None:
        self._db: Connection[Any] = connect(self._name)
        try:
            with told(self._name):
                self._schema = enter_queue(self._db, self._name)
        except BaseException:
            self._db.close()
            raise
        self._manager = manager_over(self._db)

    def close(self) -> None:
        """End the session."""
        with suppress(psycopg.Error):
            if self._worker is not None:
                # The row goes first: what this worker has is anybody's from now on.
                done(self._manager.unregister_worker(self._worker))
                self._db.execute("SELECT pg_advisory_unlock_all()")
        with suppress(psycopg.Error):
            self._db.close()

    # -- what waits --------------------------------------------------------------------------------

    def put(self, tasks: Sequence[Task]) -> int:
        """Put tasks in, but for those that wait or are under way."""
        with told(self._name):
            by_key = {key_of_task(task): task for task in tasks}
            rows = self._db.execute(
                "SELECT queueing_lock FROM procrastinate_jobs "
                "WHERE status IN ('todo', 'doing') AND queueing_lock=ANY(%s::text[])",
                (list(by_key),),
            ).fetchall()
            for (key,) in rows:
                by_key.pop(key, None)
            if not by_key:
                return 0
            jobs = [job_of(task) for task in by_key.values()]
            try:
                return len(self._manager.batch_defer_jobs(jobs))
            except (AlreadyEnqueued, errors.UniqueViolation):  # somebody put one meanwhile
                return sum(map(self._put_one, jobs))

    def _put_one(self, job: Any) -> int:
        try:
            self._manager.defer_job(job)
        except (AlreadyEnqueued, errors.UniqueViolation):
            return 0
        return 1

    def waiting(self) -> int:
        """How many tasks wait."""
        return int(self._first("SELECT count(*) FROM procrastinate_jobs WHERE status='todo'"))

    def is_drained(self, kinds: Collection[str]) -> bool:
        """Whether nothing of some kinds waits, and nothing of any is under way."""
        return not self._first(
            "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status='doing' "
            "OR (status='todo' AND queue_name=ANY(%s::text[])))",
            (list(kinds),),
        )

    def pause(self, is_paused: bool) -> None:
        """Have no task taken from now on, or have them taken again."""
        with told(self._name):
            self._db.execute("UPDATE tempo_edge_queue SET is_paused=%s", (is_paused,))
            self._db.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, ""))

    # -- a worker's side ---------------------------------------------------------------------------

    def join(self, kinds: Sequence[str], before: int | None = None) -> int:
        """Become a worker; gives its number."""
        self._kinds = list(kinds)
        if before is not None:
            with told(self._name), self._db.transaction():
                rows = self._db.execute(
                    "SELECT id FROM procrastinate_jobs WHERE status='doing' AND worker_id=%s "
                    "FOR UPDATE",
                    (before,),
                ).fetchall()
                for (job,) in rows:
                    self._again(job)
        with told(self._name), self._db.transaction():
            worker = int(done(self._manager.register_worker()))
            self._db.execute(
                "INSERT INTO tempo_edge_workers VALUES (%s, %s, %s, %s)",
                (worker, socket.gethostname(), os.getpid(), self._kinds),
            )
            self._db.execute(f"SELECT pg_advisory_lock({worker_key(worker)})")
        self._worker = worker
        with told(self._name):
            self._db.execute(f"LISTEN {_CHANNEL}")
        return worker

    def take(self) -> Claim | None:
        """The task that comes next."""
        assert self._worker is not None
        self.beat()
        with told(self._name):
            if time.monotonic() >= self._looked + _BEAT_SECONDS:
                self._give_back_lost()
                self._looked = time.monotonic()
            if self._first("SELECT is_paused FROM tempo_edge_queue"):
                return None
            try:
                job = done(self._manager.fetch_job(self._kinds, self._worker))
            except errors.UniqueViolation:  # another worker has taken one with these contents
                return None
            if job is None or job.id is None:
                return None
            row = self._db.execute(
                "SELECT deaths FROM tempo_edge_trouble WHERE job=%s", (job.id,)
            ).fetchone()
        task = task_of(job.queue, job.priority, job.task_kwargs)
        return Claim(task, job.id, 0 if row is None else int(row[0]), job.attempts)

    def _give_back_lost(self) -> None:
        """Give back what lost workers had taken. One process at a time does so."""
        with self._db.transaction():
            if not self._first(f"SELECT pg_try_advisory_xact_lock({lock_key('give back')})"):
                return
            lost = lost_workers(self._db, _GRACE_SECONDS, _SILENCE_SECONDS)
            rows = self._db.execute(
                "SELECT id, priority FROM procrastinate_jobs WHERE status='doing' "
                "AND (worker_id IS NULL OR worker_id=ANY(%s::bigint[])) FOR UPDATE",
                (lost,),
            ).fetchall()
            for job, priority in rows:
                ((deaths,),) = self._db.execute(
                    "INSERT INTO tempo_edge_trouble AS old VALUES (%s, 1) ON CONFLICT (job) "
                    "DO UPDATE SET deaths=old.deaths+1 RETURNING deaths",
                    (job,),
                ).fetchall()
                if deaths >= _MOST_DEATHS:
                    self._end(job, f"{deaths} workers were lost at it")
                else:
                    by = _BEHIND if deaths == 1 else _FURTHER if deaths < _TURNS else 0
                    self._again(job, priority=max(_LEAST, priority - by))
            for worker in lost:
                done(self._manager.unregister_worker(worker))

    def beat(self) -> None:
        """Say that this worker is alive."""
        if self._worker is None or time.monotonic() < self._beaten + _BEAT_SECONDS:
            return
        self._beaten = time.monotonic()
        try:
            if self._db.closed:
                self._come_back()
            done(self._manager.update_heartbeat(self._worker))
        except (psycopg.Error, LibraryError):
            self._db.close()  # the next beat has another one

    def _come_back(self) -> None:
        """Be the same worker in another session, or a new one where that was taken for lost."""
        self._open()
        is_known = self._first("SELECT 1 FROM tempo_edge_workers WHERE id=%s", (self._worker,))
        # The server may not know yet that the session before is over.
        if is_known and self._first(f"SELECT pg_try_advisory_lock({worker_key(self._worker)})"):
            self._db.execute(f"LISTEN {_CHANNEL}")
        elif not is_known:
            self.join(self._kinds)
        else:
            raise LibraryError(f"{self._name} holds the session of before: try again")

    def finish(self, claim: Claim) -> None:
        """A task is done."""
        with self._own(claim) as is_own:
            if is_own:
                status = Status.SUCCEEDED
                done(self._manager.finish_job_by_id_async(claim.id, status, delete_job=True))

    def give_back(self, claim: Claim, *, delay_seconds: float = 0.0) -> None:
        """Let others take a task."""
        with self._own(claim) as is_own:
            if is_own:
                self._again(claim.id, delay_seconds)

    def give_up(self, claim: Claim, reason: str) -> None:
        """Let nobody take a task."""
        with self._own(claim) as is_own:
            if is_own:
                self._end(claim.id, reason)

    @contextmanager
    def _own(self, claim: Claim) -> Iterator[bool]:
        """A transaction, and whether a task is this worker's in it."""
        with told(self._name), self._db.transaction():
            row = self._db.execute(
                "SELECT 1 FROM procrastinate_jobs "
                "WHERE id=%s AND status='doing' AND worker_id=%s FOR UPDATE",
                (claim.id, self._worker),
            ).fetchone()
            yield row is not None

    def _again(self, job: int, delay_seconds: float = 0.0, priority: int | None = None) -> None:
        # The clock is the server's: another machine's may be an hour off.
        due = self._first("SELECT now() + make_interval(secs => %s)", (delay_seconds,))
        done(self._manager.retry_job_by_id_async(job, due, priority=priority))

    def _end(self, job: int, reason: str) -> None:
        self._db.execute(
            "INSERT INTO tempo_edge_trouble VALUES (%s, 0, %s) "
            "ON CONFLICT (job) DO UPDATE SET reason=excluded.reason",
            (job, reason),
        )
        done(self._manager.finish_job_by_id_async(job, Status.FAILED, delete_job=False))

    def rest(self, seconds: float) -> None:
        """Wait for something to be put in."""
        try:
            for _ in self._db.notifies(timeout=seconds, stop_after=1):
                return
        except psycopg.Error:
            self._db.close()
            time.sleep(seconds)

    def guard(self, writer: WritableCatalogue, claim: Claim | None) -> None:
        """From now on a transaction is refused where a task is not this worker's any more."""
        from tempo_edge.store.postgres.catalogue import PostgresCatalogue

        assert isinstance(writer, PostgresCatalogue)

        def check(db: Connection[Any]) -> None:
            lock = f"pg_try_advisory_xact_lock_shared({lock_key('writer')})"
            ((is_free,),) = db.execute(f"SELECT {lock}").fetchall()
            if not is_free:
                raise ClaimLostError(f"another process writes {self._name} alone: wait for it")
            if claim is None:
                return
            row = db.execute(
                f"SELECT 1 FROM {self._schema}.procrastinate_jobs "
                "WHERE id=%s AND status='doing' AND worker_id=%s FOR SHARE",
                (claim.id, self._worker),
            ).fetchone()
            if row is None:
                raise ClaimLostError(f"{claim.task.file} is another worker's by now")

        writer.guard = check

    # -- who may write beside whom -----------------------------------------------------------------

    @contextmanager
    def beside(
        self, checkpoint: Callable[[], None], on_wait: Callable[[str], None] = lambda who: None
    ) -> Iterator[None]:
        """Inside, others that ask so may write as well."""
        key = lock_key("writer")
        is_told = False
        while not self._first(f"SELECT pg_try_advisory_lock_shared({key})"):
            who = "" if is_told else holder_of(self._db, key)
            if who:
                is_told = True
                on_wait(f"waiting for another process ({who}), which writes {self._name} alone")
            checkpoint()
            time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            with suppress(psycopg.Error):
                self._db.execute(f"SELECT pg_advisory_unlock_shared({key})")

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Whether this process is the only one at something."""
        key = self._key(what)
        is_alone = bool(self._first(f"SELECT pg_try_advisory_lock({key})"))
        try:
            yield is_alone
        finally:
            if is_alone:
                with suppress(psycopg.Error):
                    self._db.execute(f"SELECT pg_advisory_unlock({key})")

    def holder(self, what: str) -> str:
        """Who is alone at something."""
        with told(self._name):
            return holder_of(self._db, self._key(what))

    def _key(self, what: str) -> str:
        ((quoted,),) = self._db.execute("SELECT quote_literal(%s)", (what,)).fetchall()
        return f"hashtextextended({quoted}, {lock_key('alone')})"

    def _first(self, query: str, values: Sequence[Any] = ()) -> Any:
        with told(self._name):
            return first_value(self._db, query, values)
