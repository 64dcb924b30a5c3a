"""Connections by the hundred, and requests that never come to their end."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import threading
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from door import Service, running
from harness import PATIENCE, wait_until
from inside import serving
from shown import Footage
from starlette.types import Receive, Scope, Send

from tempo_edge.service.http.events import Events
from tempo_edge.service.transport import acceptor, connection, descriptors

# Descriptors of a service that is to run short of them: a soft and a hard limit.
FEW = (64, 160)


def bearer(service: Service) -> dict[str, str]:
    return {"Authorization": f"Bearer {service.token}"}


def is_closed(sock: socket.socket) -> bool:
    """Whether the other side has closed."""
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_half_open_connections_keep_nobody_out(named: Footage, environment: dict[str, str]) -> None:
    count = 400
    with (
        running(named.library, environment, "--port", "0", descriptors=FEW) as service,
        ExitStack() as stack,
    ):
        assert service.find(grounder="mllm").status == 200, "the models are loaded"
        before = service.memory()
        crowd = []
        for _ in range(count):
            each = stack.enter_context(socket.socket())
            each.settimeout(PATIENCE)
            each.connect(("127.0.0.1", service.port))
            crowd.append(each)
            if len(crowd) % 100 == 0:
                assert service.get("/v1/status").status == 200, "the Unix socket answers"
        reply = service.ask("GET", "/v1/status", headers=bearer(service), tcp=True)
        assert reply.status == 200, "whoever asks something gets through"
        assert service.find().status == 200
        assert service.descriptors() < FEW[1]
        wait_until(lambda: sum(map(is_closed, crowd)) > count - FEW[1])
        assert service.memory() - before < 64 << 20
        stack.close()
        wait_until(lambda: service.descriptors() < FEW[0])
        assert service.ask("GET", "/v1/status", headers=bearer(service), tcp=True).status == 200
        assert len(service.said) < 1000, service.said


def test_who_may_not_pass_keeps_no_connection(service: Service) -> None:
    """Requests without a token, by the hundred on one connection, and nobody reads the answers."""
    request = f"GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", service.port), PATIENCE) as sock:
        sock.sendall(request * 3)
        said = b""
        with suppress(ConnectionResetError):
            while part := sock.recv(65536):
                said += part
    assert said.count(b"HTTP/1.1 401") == 1


def test_as_many_descriptors_as_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        limit = descriptors.raise_limit()
        assert limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert limit == (65536 if hard == resource.RLIM_INFINITY else min(hard, 65536))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("limit", "sockets", "each"), [(65536, 2, 256), (1024, 2, 224), (160, 2, 20), (4, 2, 1)]
)
def test_every_socket_has_its_share(limit: int, sockets: int, each: int) -> None:
    assert descriptors.connections_per_socket(limit, sockets) == each


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says yes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes"})


def ask(sock: socket.socket) -> bytes:
    sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    said = b""
    while not said.endswith(b"yes\r\n0\r\n\r\n"):
        part = sock.recv(65536)
        assert part, said
        said += part
    return said


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nX: ", b"whole"])
def test_a_head_that_trickles_in(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    """Byte by byte, as the first request of a connection or after another one."""
    monkeypatch.setattr(connection, "_HEAD_SECONDS", 0.3)
    with (
        serving(answer) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as sock,
    ):
        if first == b"whole":
            assert ask(sock).startswith(b"HTTP/1.1 200")
            first = b"GET"
        sock.sendall(first)
        sock.settimeout(0.02)
        for _ in range(int(PATIENCE / 0.02)):
            try:
                said = sock.recv(100)
            except TimeoutError:
                if first:
                    with suppress(ConnectionError):
                        sock.sendall(b"x")
            except ConnectionError:
                return
            else:
                assert said == b""
                return
        raise AssertionError("it went on for ever")


def test_a_long_answer_is_no_slow_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_HEAD_SECONDS", 0.05)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.3)
        await answer(scope, receive, send)

    with (
        serving(slow) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as sock,
    ):
        assert ask(sock).startswith(b"HTTP/1.1 200")


def test_the_idle_make_room_for_who_asks() -> None:
    with serving(answer, limit=4) as port, ExitStack() as stack:
        made = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            for _ in range(4)
        ]
        for each in made:
            ask(each)
        late = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
        assert ask(late).startswith(b"HTTP/1.1 200")
        wait_until(lambda: is_closed(made[0]))
        for each in made[1:]:
            each.setblocking(True)
            ask(each)


def test_a_connection_that_is_being_answered_stays() -> None:
    begun, go = threading.Semaphore(0), threading.Event()

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        begun.release()
        while not go.is_set():
            await asyncio.sleep(0.01)
        await answer(scope, receive, send)

    with serving(held, limit=2) as port, ThreadPoolExecutor(3) as pool, ExitStack() as stack:

        def come() -> bytes:
            address = ("127.0.0.1", port)
            return ask(stack.enter_context(socket.create_connection(address, PATIENCE)))

        asked = [pool.submit(come) for _ in range(2)]
        for _ in range(2):
            assert begun.acquire(timeout=PATIENCE)
        asked.append(pool.submit(come))
        go.set()
        assert all(each.result(PATIENCE).startswith(b"HTTP/1.1 200") for each in asked)


def test_short_of_descriptors(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It tries again now and then, and says so once."""
    monkeypatch.setattr(acceptor, "_PAUSE_SECONDS", 0.05)
    failures = 0
    real: Callable[..., Awaitable[Any]] = BaseSelectorEventLoop.sock_accept

    async def accept(loop: BaseSelectorEventLoop, sock: socket.socket) -> Any:
        nonlocal failures
        if failures < 5:
            failures += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await real(loop, sock)

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_accept", accept)
    with (
        serving(answer) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE) as sock,
    ):
        assert ask(sock).startswith(b"HTTP/1.1 200")
    assert failures == 5
    assert capfd.readouterr().err == (
        "no connection can be taken in for now: Too many open files\n"
    )


def test_forty_listeners_at_once(empty: Service) -> None:
    gate = threading.Barrier(40)

    def listen_in(stack: ExitStack) -> tuple[int, bytes]:
        made = empty.connection()
        stack.callback(made.close)
        made.connect()
        gate.wait(PATIENCE)
        made.request("GET", "/v1/events")
        response = made.getresponse()
        return response.status, b"" if response.status == 200 else response.read()

    with ExitStack() as stack, ThreadPoolExecutor(40) as pool:
        replies = list(pool.map(lambda _: listen_in(stack), range(40)))
        refused = [said for status, said in replies if status == 503]
        assert [status for status, _ in replies].count(200) == 32 and len(refused) == 8
        assert all(b"32 listen" in said for said in refused)
    # Their places are free again.
    wait_until(lambda: hears(empty))


def hears(service: Service) -> bool:
    made = service.connection()
    made.request("GET", "/v1/events")
    try:
        return made.getresponse().status == 200
    finally:
        made.close()


def test_a_listener_that_never_hears_leaves_no_trace() -> None:
    async def come_and_go() -> None:
        events = Events()

        async def gone(message: Any) -> None:
            raise OSError("gone")

        async def receive() -> Any:
            await asyncio.sleep(3600)

        for _ in range(40):
            with pytest.raises(BaseException):  # noqa: B017 - whatever a server makes of it
                await events.listen("progress", {})({"type": "http"}, receive, gone)
        events.listen("progress", {})

    asyncio.run(come_and_go())
