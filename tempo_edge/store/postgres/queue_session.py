"""procrastinate's manager of jobs over one session of ours, in place of a pool of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tempo_edge.store.queue import Task

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["done", "job_of", "key_of_task", "manager_over"]

T = TypeVar("T")

# Contents of a later pass and of pictures are not each other's business.
_LOCK = "{kind} {contents}"


def manager_over(db: Connection[Any]) -> JobManager:
    """A manager whose queries go through a session that finds the queue's tables."""
    return JobManager(_SessionConnector(db))


def done(asked: Coroutine[Any, Any, T]) -> T:
    """What a manager's method gives that is written for another kind of program."""
    return asyncio.run(asked)


def key_of_task(task: Task) -> str:
    """What tells a task from all others that wait, of any length of name."""
    import hashlib

    whole = "\0".join((task.kind, task.words, task.state, task.file))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def job_of(task: Task) -> Job:
    """A job to be put in."""
    return Job(
        queue=task.kind,
        task_name=f"tempo-edge {task.kind}",
        priority=task.priority,
        lock=_LOCK.format(kind=task.kind, contents=task.contents),
        queueing_lock=key_of_task(task),
        task_kwargs={
            "file": task.file,
            "contents": task.contents,
            "state": task.state,
            "words": task.words,
        },
    )


class _SessionConnector(BaseConnector):
    """What a manager reaches its database by: one session, whose errors are the driver's."""

    def __init__(self, db: Connection[Any]) -> None:
        self._db = db

    def get_sync_connector(self) -> BaseConnector:
        return self

    def execute_query(self, query: Any, **arguments: Any) -> None:
        self._db.execute(query, _adapted(arguments))

    def execute_query_one(self, query: Any, **arguments: Any) -> dict[str, Any]:
        (row,) = self.execute_query_all(query, **arguments)
        return row

    def execute_query_all(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        with self._db.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, _adapted(arguments)).fetchall()

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        self.execute_query(query, **arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        return self.execute_query_one(query, **arguments)

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        return self.execute_query_all(query, **arguments)


def _adapted(value: Any) -> Any:
    """Values as the driver takes them: what is to be JSON is told so."""
    if isinstance(value, list):
        return [_adapted(each) for each in value]
    if isinstance(value, tuple):
        return tuple(Jsonb(each) if isinstance(each, dict) else each for each in value)
    if isinstance(value, dict):
        return {key: _adapted(each) for key, each in value.items()}
    return value
