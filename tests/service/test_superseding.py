"""A newer query ends the older one of its client, queues have an end, quick waits for no slow."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from door import Service
from harness import PATIENCE, wait_until
from shown import Footage

import tempo_edge
from tempo_edge.errors import ServiceError
from tempo_edge.query import Query
from tempo_edge.service.handle import Models
from tempo_edge.service.http.find_request import FindRequest
from tempo_edge.service.http.search_queue import SearchQueue
from tempo_edge.service.jobs.worker_pool import WorkerPool


@pytest.fixture(autouse=True)
def _let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever comes of a test, no thread of it stays behind."""
    made: list[WorkerPool] = []
    real = WorkerPool.__init__

    def noted(self: WorkerPool, *arguments: Any, **choices: Any) -> None:
        made.append(self)
        real(self, *arguments, **choices)

    monkeypatch.setattr(WorkerPool, "__init__", noted)
    yield
    for pool in made:
        pool.close()
        for thread in pool._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


class Held:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, checkpoint: Callable[[], None]) -> str:
        self.begun.set()
        while not self.go.wait(0.01):
            checkpoint()
        return "done"


def test_a_lane_is_first_come_first_served() -> None:
    pool = WorkerPool("test", 10)
    done: list[int] = []

    def put(number: int, checkpoint: object) -> None:
        done.append(number)

    held = Held()
    first = pool.submit(held)
    works = [pool.submit(partial(put, n)) for n in range(5)]
    held.go.set()
    assert first.future.result(PATIENCE) == "done"
    for work in works:
        work.future.result(PATIENCE)
    assert done == [0, 1, 2, 3, 4]


def test_a_queue_has_an_end() -> None:
    pool = WorkerPool("test", 2)
    held = Held()
    pool.submit(held)
    assert held.begun.wait(PATIENCE)
    waiting = [pool.submit(lambda _: None) for _ in range(2)]
    with pytest.raises(ServiceError, match="2 requests wait for the test already") as refused:
        pool.submit(lambda _: None)
    assert refused.value.status == 429
    waiting[0].end(ServiceError(409, "gone"))
    pool.submit(lambda _: None)  # whoever gave up takes no room
    held.go.set()


def test_work_under_way_is_ended() -> None:
    pool = WorkerPool("test", 2)
    held = Held()
    work = pool.submit(held)
    assert held.begun.wait(PATIENCE)
    work.end(ServiceError(409, "a newer one"))
    with pytest.raises(ServiceError, match="a newer one"):
        work.future.result(0)
    # Its thread is free again, though nobody let it go.
    assert pool.submit(lambda _: 5).future.result(PATIENCE) == 5


def test_what_fails_is_told_and_the_lane_goes_on() -> None:
    pool = WorkerPool("test", 2)

    def fail(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pool.submit(fail).future.result(PATIENCE)
    assert pool.submit(lambda _: 1).future.result(PATIENCE) == 1
    pool.close()
    with pytest.raises(ServiceError, match="ending"):
        pool.submit(lambda _: 1)


def test_a_lane_keeps_no_result() -> None:
    class Large:
        pass

    pool = WorkerPool("test", 2)
    work = pool.submit(lambda _: Large())
    kept = weakref.ref(work.future.result(PATIENCE))
    del work
    wait_until(lambda: gc.collect() is not None and kept() is None)


def test_a_newer_query_ends_the_older_even_while_it_waits(named: Footage) -> None:
    searches = SearchQueue(named.library, Models())
    held = Held()
    searches._slow[0].submit(held)
    assert held.begun.wait(PATIENCE)
    older, newer, other, anonymous = (
        FindRequest(Query("a beach", grounder="mllm"), client)
        for client in ("me", "me", "you", None)
    )
    works = [searches.find(query) for query in (older, newer, other, anonymous, anonymous)]
    with pytest.raises(ServiceError, match="newer query of the same client") as ended:
        works[0].future.result(0)
    assert ended.value.status == 409
    held.go.set()
    for work in works[1:]:
        assert work.future.result(PATIENCE).query.text == "a beach"
    for query, work in zip((newer, other), works[1:3], strict=True):
        searches.forget(query, work)
    assert searches._latest == {}


def test_forgetting_an_old_query_keeps_the_new_one(named: Footage) -> None:
    searches = SearchQueue(named.library, Models())
    held = Held()
    searches._quick[0].submit(held)
    query = FindRequest(Query("a beach", grounder="curve"), "me")
    older = searches.find(query)
    newer = searches.find(query)
    searches.forget(query, older)
    assert searches._latest == {"me": newer}
    held.go.set()


def test_what_is_shown_while_typing_never_waits_for_a_reading(named: Footage) -> None:
    searches = SearchQueue(named.library, Models())
    held = Held()
    searches._slow[0].submit(held)
    assert held.begun.wait(PATIENCE)
    quick = searches.find(FindRequest(Query("a beach", grounder="curve")))
    assert quick.future.result(PATIENCE).answer.grounder == "curve"
    held.go.set()


def test_a_reading_is_left_between_two_looks(named: Footage) -> None:
    class StopError(Exception):
        pass

    calls = 0

    def checkpoint() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise StopError

    with tempo_edge.Library.open(named.library) as library:
        choices = {"min_confidence": 0, "grounder": "mllm"}
        with pytest.raises(StopError):
            library.find("a beach", checkpoint=checkpoint, **choices)
        assert calls == 2
        assert len(library.find("a beach", **choices)) > 3, "it is as good as before"


def test_typing_quickly(service: Service) -> None:
    """Real requests of one client, each before the one before it is answered."""
    with ThreadPoolExecutor(12) as pool:
        asked = []
        for number in range(12):
            asked.append(
                pool.submit(service.find, f"a beach {number}", client="typing", grounder="mllm")
            )
            time.sleep(0.02)
        replies = [each.result(PATIENCE) for each in asked]
    statuses = [reply.status for reply in replies]
    assert statuses[-1] == 200 and replies[-1].json["query"] == "a beach 11"
    assert set(statuses) == {200, 409} and statuses.count(409) >= 3
    ended = next(reply for reply in replies if reply.status == 409)
    assert "newer query" in ended.error
