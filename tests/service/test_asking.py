"""A search as it is asked for, answered and given up, without a process of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from door import Reply
from harness import PATIENCE, wait_until
from inside import Receive, ask, get, serving

from tempo_edge.answer import Answer
from tempo_edge.errors import ServiceError
from tempo_edge.service.handle import Models
from tempo_edge.service.http import search_queue as module
from tempo_edge.service.http.app import App
from tempo_edge.service.http.events import Events
from tempo_edge.service.http.search_queue import SearchQueue, TimedAnswer
from tempo_edge.service.jobs.index_supervisor import Indexing
from tempo_edge.service.jobs.worker_pool import Work
from tempo_edge.service.transport.guard import Guard


class Door:
    """A service's door in this process, and what its searches do.

    Attributes:
        begun: set once a search is under way; ``go``: lets searches come to their ends.
        works: what was searched for, in order.
    """

    def __init__(self, library: Path) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.works: list[Work[Any]] = []
        self.fails: Exception | None = None
        models, events = Models(), Events()
        self.searches = SearchQueue(library, models)
        indexing = Indexing(library, [], None, lambda name, facts: None)
        self.app = App(library, self.searches, models, indexing, events, None)
        real = self.searches.find

        def noted(query: Any) -> Work[Any]:
            self.works.append(real(query))
            return self.works[-1]

        self.searches.find = noted  # type: ignore[method-assign]

    def search(self, handle: Any, query: Any, asked: float, checkpoint: Any) -> TimedAnswer:
        """Stands in for a search of the library."""
        self.begun.set()
        while not self.go.wait(0.005):
            checkpoint()
        if self.fails is not None:
            raise self.fails
        return TimedAnswer(query, Answer((), (), 0, "curve"), 0.0)

    def close(self) -> None:
        self.go.set()
        self.app.close()
        self.searches.close()


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    made = Door(tmp_path / "library.db")
    monkeypatch.setattr(module, "_find", made.search)
    yield made
    made.close()


def goes_away(door: Door) -> Receive:
    """Somebody who is gone as soon as the search is under way."""

    async def receive() -> dict[str, Any]:
        assert await asyncio.to_thread(door.begun.wait, PATIENCE)
        return {"type": "http.disconnect"}

    return receive


def test_an_answer_leaves_nothing_of_its_client(door: Door) -> None:
    """Or a service that runs for years would keep the name of everyone who ever asked."""
    door.go.set()
    for number in range(20):
        reply = get(door.app.asgi, "/v1/find", f"q=a&client=someone+{number}")
        assert (reply.status, reply.json["query"]) == (200, "a")
    assert door.searches._latest == {}


def test_a_search_that_fails_leaves_nothing_of_its_client(door: Door) -> None:
    door.go.set()
    door.fails = ServiceError(503, "not now")
    reply = get(door.app.asgi, "/v1/find", "q=a&client=me")
    assert (reply.status, reply.error) == (503, "not now")
    assert door.searches._latest == {}


def test_whoever_goes_away_is_searched_for_no_longer(door: Door) -> None:
    """The search itself ends at its next checkpoint, and its thread is free for others."""
    gone = ask(door.app.asgi, "/v1/find", "q=a&client=me", receive=goes_away(door))
    assert asyncio.run(gone).status == 409
    (work,) = door.works
    assert work.ended
    assert door.searches._latest == {}
    pool, _ = door.searches._slow
    freed = pool.submit(lambda _: 7).future
    assert freed.result(PATIENCE) == 7, "though nobody let the search go on"


def test_a_connection_that_is_closed_is_searched_for_no_longer(door: Door) -> None:
    with serving(Guard(door.app.asgi)) as port:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
            sock.sendall(b"GET /v1/find?q=a&client=me HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert door.begun.wait(PATIENCE)
            (work,) = door.works
            assert not work.ended
        wait_until(lambda: work.ended)
        wait_until(lambda: door.searches._latest == {})


def test_more_than_may_wait_is_refused_and_the_others_are_answered(door: Door) -> None:
    async def crowd() -> tuple[list[Reply], list[Reply]]:
        async def one(number: int) -> Reply:
            return await ask(door.app.asgi, "/v1/find", f"q=a+{number}")

        first = asyncio.create_task(one(0))
        assert await asyncio.to_thread(door.begun.wait, PATIENCE)
        waiting = [asyncio.create_task(one(number)) for number in range(1, 33)]
        while len(door.works) < 33:
            await asyncio.sleep(0)
        refused = [await one(number) for number in range(33, 40)]
        door.go.set()
        return refused, await asyncio.gather(first, *waiting)

    refused, answered = asyncio.run(crowd())
    for reply in refused:
        assert reply.status == 429 and "32 requests wait" in reply.error
        assert reply.headers["retry-after"] == "1"
    assert [reply.status for reply in answered] == [200] * 33
    assert [reply.json["query"] for reply in answered] == [f"a {n}" for n in range(33)]


def test_what_was_given_up_while_it_waited_is_never_begun(door: Door) -> None:
    pool, _ = door.searches._slow
    begun: list[int] = []

    def held(checkpoint: Callable[[], None]) -> None:
        door.begun.set()
        door.go.wait(PATIENCE)

    pool.submit(held)
    assert door.begun.wait(PATIENCE)
    given_up = pool.submit(lambda _: begun.append(1))
    wanted = pool.submit(lambda _: begun.append(2))
    given_up.end(ServiceError(409, "gone"))
    door.go.set()
    wanted.future.result(PATIENCE)
    assert begun == [2]


def test_a_newer_query_of_a_client_is_answered_and_its_older_one_is_not(door: Door) -> None:
    async def both() -> tuple[Reply, Reply]:
        older = asyncio.create_task(ask(door.app.asgi, "/v1/find", "q=old&client=me"))
        assert await asyncio.to_thread(door.begun.wait, PATIENCE)
        newer = asyncio.create_task(ask(door.app.asgi, "/v1/find", "q=new&client=me"))
        first = await older
        door.go.set()
        return first, await newer

    first, second = asyncio.run(both())
    assert first.status == 409 and "newer query" in first.error
    assert (second.status, second.json["query"]) == (200, "new")
    assert door.searches._latest == {}
