"""The MCP server: a real process over pipes, and the official client."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pytest

pytest.importorskip("mcp.server.stdio", reason="the package of the protocol, 2.3 or later")
from doors import AWKWARD, Service, moment
from harness import PATIENCE, wait_until
from processes import Forked

import tempo_edge
from tempo_edge.query import Query
from tempo_edge.saved.query_text import SavedQuery
from tempo_edge.saved.search import SavedSearch

COMMAND = [sys.executable, "-m", "tempo_edge.cli", "mcp"]

WHO = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class Peer:
    """A server at the other end of two pipes."""

    def __init__(self, given: IO[bytes], told: IO[bytes]) -> None:
        self._given, self._told = given, told
        self._number = 0

    def send(self, line: bytes) -> None:
        self._given.write(line + b"\n")
        self._given.flush()

    def receive(self) -> Any:
        message = json.loads(self._told.readline())
        assert message["jsonrpc"] == "2.0"
        return message

    def ask(self, method: str, **parameters: Any) -> Any:
        """The whole answer to a request."""
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters}
        self.send(json.dumps(request).encode())
        message = self.receive()
        assert message["id"] == self._number
        return message

    def agree(self) -> None:
        """Begin, as a peer of the revisions before 2026 does."""
        told = self.ask("initialize", protocolVersion="2025-11-25", **WHO)["result"]
        assert told["protocolVersion"] == "2025-11-25"
        self.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')

    def call(self, tool: str, **arguments: Any) -> Any:
        return self.ask("tools/call", name=tool, arguments=arguments)["result"]


@contextmanager
def serving(
    environment: dict[str, str],
    *arguments: str,
    command: Sequence[str] = COMMAND,
    said: bytes = b"",
) -> Iterator[Peer]:
    """A server that says nothing but `said` beside its messages, and ends when its peer does."""
    with subprocess.Popen(
        [*command, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield Peer(process.stdin, process.stdout)
        finally:
            out, err = process.communicate(timeout=PATIENCE)
    assert (out, err, process.returncode) == (b"", said, 0)


@pytest.fixture
def newcomer(own_home: dict[str, str]) -> Iterator[Peer]:
    """A server that was forked: how one starts, others show."""
    (heard, given), (told, said) = os.pipe(), os.pipe()
    with (
        TemporaryFile() as err,
        Forked(["mcp"], own_home, stdin=heard, stdout=said, stderr=err.fileno()) as process,
        os.fdopen(told, "rb") as out,
    ):
        os.close(heard)
        os.close(said)
        with os.fdopen(given, "wb") as asked:
            yield Peer(asked, out)
        assert (out.read(), process.wait(PATIENCE)) == (b"", 0)
        err.seek(0)
        assert err.read() == b""


@pytest.fixture
def peer(newcomer: Peer) -> Peer:
    newcomer.agree()
    return newcomer


MODERN = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2024-11-05"),
        ("1999-01-01", "2025-11-25"),
    ],
)
def test_initialize_agrees_on_a_revision(newcomer: Peer, asked: str, agreed: str) -> None:
    told = newcomer.ask("initialize", protocolVersion=asked, **WHO)["result"]
    assert told["protocolVersion"] == agreed and list(told["capabilities"]) == ["tools"]
    assert told["serverInfo"]["name"] == "tempo-edge" and told["instructions"]
    newcomer.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')
    assert newcomer.ask("ping")["result"] == {}


def test_the_revision_without_initialize(newcomer: Peer, service: Service) -> None:
    peer = newcomer
    told = peer.ask("server/discover", **MODERN)["result"]
    assert told["supportedVersions"][0] == "2026-07-28" and told["resultType"] == "complete"
    assert told["ttlMs"] > 0 and told["cacheScope"] == "public"
    listed = peer.ask("tools/list", **MODERN)["result"]
    assert listed["resultType"] == "complete" and len(listed["tools"]) == 4
    service.found(moment("/v/a.mp4"))
    called = peer.ask("tools/call", name="find_moments", arguments={"query": "a dog"}, **MODERN)[
        "result"
    ]
    assert called["resultType"] == "complete" and not called["isError"]
    odd = {"_meta": {**MODERN["_meta"], "io.modelcontextprotocol/protocolVersion": "2030-01-01"}}
    error = peer.ask("tools/list", **odd)["error"]
    assert error["code"] == -32022 and error["data"]["requested"] == "2030-01-01"
    assert "2026-07-28" in error["data"]["supported"]


def test_tools_are_listed_with_their_schemas(peer: Peer) -> None:
    tools = {tool["name"]: tool for tool in peer.ask("tools/list")["result"]["tools"]}
    saved = {"list_saved_searches", "run_saved_search"}
    assert set(tools) == {"find_moments", "describe_library", *saved}
    assert tools["run_saved_search"]["inputSchema"]["required"] == ["name"]
    schema = tools["find_moments"]["inputSchema"]
    own = {"query", "limit", "min_confidence", "within", "parts", "said", "shown", "seen"}
    own |= {"also", "without", "then", "near_seconds", "then_seconds", "plain"}
    own |= {"since", "until", "on", "around", "place", "camera", "size", "sort"}
    assert set(schema["properties"]) == own | {"like"}
    assert schema["type"] == "object"
    assert all(tool["annotations"]["readOnlyHint"] for tool in tools.values())
    assert all(tool["outputSchema"]["type"] == "object" for tool in tools.values())


def test_moments_are_found_through_the_service(peer: Peer, service: Service) -> None:
    service.found(moment("/v/a.mp4"), near=[moment("/v/b.mp4")], held_back=2)
    told = peer.call("find_moments", query="a dog", limit=2, min_confidence=0.5, within="/v")
    facts = told["structuredContent"]
    assert facts["moments"] == [
        {
            "path": "/v/a.mp4",
            "start_seconds": 1.25,
            "end_seconds": 3.5,
            "score": 2.5,
            "confidence": 0.75,
            "online": True,
            "found_by": ["picture"],
            "text": "",
            "taken_at": None,
            "taken_from": None,
            "latitude": None,
            "longitude": None,
            "place": "",
            "camera": "",
        }
    ]
    assert facts["nearest"]["path"] == "/v/b.mp4" and facts["held_back"] == 2
    assert json.loads(told["content"][0]["text"]) == facts and told["isError"] is False
    assert service.asked == [
        (
            "/v1/find",
            {"q": "a dog", "limit": "2", "min_confidence": "0.5", "within": "/v", "client": "mcp"},
        )
    ]


@pytest.mark.parametrize(("rivals", "unsure"), [(3, False), (7, True)])
def test_an_assistant_is_told_of_what_is_nearly_as_likely(
    peer: Peer, service: Service, rivals: int, unsure: bool
) -> None:
    service.found(moment("/v/a.mp4"), rivals=rivals)
    facts = peer.call("find_moments", query="a dog")["structuredContent"]
    assert (facts["rivals"], facts["unsure"]) == (rivals, unsure)
    assert facts["moments"][0]["path"] == "/v/a.mp4"


def test_without_a_service_the_library_is_searched(
    own_home: dict[str, str], built: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copy(built, tmp_path / "own.db"))
    with tempo_edge.Library.open(own) as library:
        for name, confidence in (("all", 0.0), ("none", 1.0)):
            asked = Query("stripes", limit=1, min_confidence=confidence)
            library.save(SavedSearch(name, SavedQuery(asked, {"since": "1990"})))
    with serving(own_home, "--library", str(own)) as peer:
        peer.agree()
        told = peer.call("find_moments", query="stripes", min_confidence=0, limit=1)
        (found,) = told["structuredContent"]["moments"]
        assert Path(found["path"]).exists() and found["end_seconds"] > found["start_seconds"]
        told = peer.call("find_moments", query="stripes", min_confidence=1)
        assert told["structuredContent"]["moments"] == []
        assert told["structuredContent"]["nearest"] is not None
        facts = peer.call("describe_library")["structuredContent"]
        listed = peer.call("list_saved_searches")["structuredContent"]["searches"]
        assert listed == [
            {"name": name, "query": f"stripes, since 1990, min confidence {least}", "told": 0}
            for name, least in (("all", 0), ("none", 1))
        ]
        again = peer.call("run_saved_search", name="all")["structuredContent"]
        assert again["moments"] == [found]
        assert peer.call("run_saved_search", name="none")["structuredContent"]["moments"] == []
        for arguments, text in (({"name": "x"}, "no saved search 'x'"), ({}, "needs the name")):
            told = peer.call("run_saved_search", **arguments)
            assert told["isError"] and text in told["content"][0]["text"]
    assert facts["videos"] == 3 and facts["footage_seconds"] == pytest.approx(9, rel=0.1)
    assert facts["library"] == str(own) and facts["indexing"] is None


def test_saved_searches_are_asked_of_the_service(peer: Peer, service: Service) -> None:
    kept = {"name": "dogs", "query": "a dog", "told": 3, "webhook": "http://127.0.0.1/secret"}
    service.says("/v1/saved", [kept])
    told = peer.call("list_saved_searches")["structuredContent"]
    assert told == {"searches": [{"name": "dogs", "query": "a dog", "told": 3}]}
    service.found(moment("/v/a.mp4"))
    service.answers["/v1/saved/run"] = service.answers["/v1/find"]
    (found,) = peer.call("run_saved_search", name="dogs")["structuredContent"]["moments"]
    assert found["path"] == "/v/a.mp4"
    assert service.asked[-1] == ("/v1/saved/run", {"name": "dogs", "client": "mcp"})
    service.says("/v1/saved", {"error": "no"})
    assert "no list of searches" in peer.call("list_saved_searches")["content"][0]["text"]


def test_moments_are_told_in_parts(peer: Peer, service: Service) -> None:
    service.found()
    peer.call("find_moments", query="a dog", parts=True)
    peer.call("find_moments", query="a dog", parts=False)
    assert [asked.get("parts") for _, asked in service.asked] == ["1", None]


def test_the_line_that_a_moment_was_found_by_is_told(peer: Peer, service: Service) -> None:
    line = "<img src=x> \x07 \u05e9\u05dc\u05d5\u05dd \u202e"
    service.found(moment("/v/a.mp4", found_by=["subtitle", "picture"], text=line))
    told = peer.call("find_moments", query="a dog", said=True, seen=True, shown=False)
    (found,) = told["structuredContent"]["moments"]
    assert (found["found_by"], found["text"]) == (["subtitle", "picture"], line)
    assert json.loads(told["content"][0]["text"]) == told["structuredContent"]
    asked = service.asked[-1][1]
    assert (asked["said"], asked.get("shown"), asked["seen"]) == ("1", None, "1")


def test_a_search_is_kept_to_several_paths(peer: Peer, service: Service) -> None:
    service.found()
    peer.call("find_moments", query="a dog", within=["/v/a & b", "/v/c"])
    assert service.scopes == [["/v/a & b", "/v/c"]]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({}, "needs a query"),
    ({"query": ""}, "query '' is empty"),
    ({"query": 3}, "query 3 must be a string"),
    ({"query": "a dog", "limit": 0}, "limit 0"),
    ({"query": "a dog", "limit": 101}, "limit 101 must be at most 100"),
    ({"query": "a dog", "limit": True}, "limit True must be a whole number"),
    ({"query": "a dog", "limit": 2.5}, "limit 2.5"),
    ({"query": "a dog", "min_confidence": "high"}, "min_confidence 'high'"),
    ({"query": "a dog", "within": 3}, "within 3 must be a string or a list of strings"),
    ({"query": "a dog", "within": ["/v", 3]}, "within ['/v', 3] must be a string or a list"),
    ({"query": "a dog", "within": []}, "within names no path"),
    ({"query": "a OR b"}, "OR at column 3 is not known: search for one, then for the other"),
    ({"query": "a dog", "also": [""]}, "also '' is empty: name something, or leave it out"),
    ({"query": "a dog", "parts": 1}, "parts 1 must be true or false"),
    ({"query": "a dog", "path": "/v"}, "argument 'path' must be one of query"),
    ({"query": "a dog"}, "there is no library at"),
]


def test_mistakes_are_told_to_the_model(peer: Peer) -> None:
    for arguments, text in MISTAKES:
        told = peer.call("find_moments", **arguments)
        assert told["isError"] is True and text in told["content"][0]["text"]
        assert "\n" not in told["content"][0]["text"] and "structuredContent" not in told


def test_null_is_as_good_as_left_out(peer: Peer, service: Service) -> None:
    service.found()
    told = peer.call("find_moments", query="a dog", limit=None, within=None, min_confidence=None)
    assert told["structuredContent"] == {
        "moments": [],
        "nearest": None,
        "held_back": 0,
        "rivals": 0,
        "unsure": False,
        "unknown_count": 0,
    }


ERRORS: list[tuple[str, dict[str, Any], int]] = [
    ("resources/list", {}, -32601),
    ("initialize", {}, -32602),
    ("tools/call", {}, -32602),
    ("tools/call", {"name": "find_moments", "arguments": [1]}, -32602),
    ("tools/call", {"name": "rm"}, -32602),
]


def test_errors_of_the_protocol(peer: Peer) -> None:
    for method, parameters, code in ERRORS:
        error = peer.ask(method, **parameters)["error"]
        assert error["code"] == code and "\n" not in error["message"]
        assert peer.ask("ping")["result"] == {}, "and it goes on"


NO_MESSAGES = [
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b"[]",
    b"3",
    b'{"id": 1, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": 1}',
    b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}',
    b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}',
    b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "\\ud800"}}',
    b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "x": "' + b"x" * 2_000_000,
]


def test_what_is_no_message_ends_nothing(peer: Peer) -> None:
    for line in NO_MESSAGES:
        peer.send(line)
        assert peer.ask("ping")["result"] == {}, line[:80]


def test_notifications_and_answers_are_not_answered(peer: Peer) -> None:
    for line in (
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        b'{"jsonrpc": "2.0", "method": "nothing/known", "params": 3}',
        b'{"jsonrpc": "2.0", "id": 9, "result": {}}',
        b"",
    ):
        peer.send(line)
    assert peer.ask("ping")["result"] == {}


def test_a_ping_does_not_wait_for_a_search(peer: Peer, service: Service) -> None:
    """And a search that is cancelled before its turn is neither made nor answered."""
    service.found(moment("/v/a.mp4"))
    service.gate = threading.Event()
    find = {"name": "find_moments", "arguments": {"query": "a dog"}}
    for number in ("slow", "dropped", "cancelled"):
        request = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": find}
        peer.send(json.dumps(request).encode())
    for number in ("dropped", "cancelled"):
        cancel = {"method": "notifications/cancelled", "params": {"requestId": number}}
        peer.send(json.dumps({"jsonrpc": "2.0", **cancel}).encode())
    assert peer.ask("ping")["result"] == {}
    service.gate.set()
    assert peer.receive()["id"] == "slow"
    assert peer.call("find_moments", query="a cat")["isError"] is False
    assert [asked["q"] for _, asked in service.asked] == ["a dog", "a cat"]


def test_a_search_that_is_cancelled_is_not_answered(peer: Peer, service: Service) -> None:
    service.found(moment("/v/a.mp4"))
    service.gate = threading.Event()
    find = {"name": "find_moments", "arguments": {"query": "a dog"}}
    request = {"jsonrpc": "2.0", "id": "begun", "method": "tools/call", "params": find}
    peer.send(json.dumps(request).encode())
    wait_until(lambda: service.asked)
    cancel = {"method": "notifications/cancelled", "params": {"requestId": "begun"}}
    peer.send(json.dumps({"jsonrpc": "2.0", **cancel}).encode())
    assert peer.ask("ping")["result"] == {}
    service.gate.set()
    assert peer.call("find_moments", query="a cat")["isError"] is False


NOISY = """
import os
import tempo_plugins.mcp as server
from tempo_plugins.service_or_library import ServiceOrLibrary
real = server.call
def noisy(*given):
    print("said by some library", flush=True)
    os.system("echo said by a program")
    return real(*given)
server.call = noisy
server.serve(ServiceOrLibrary())
"""


def test_nothing_but_messages_goes_to_stdout(own_home: dict[str, str], service: Service) -> None:
    service.found(moment("/v/a.mp4"))
    noise = b"said by some library\nsaid by a program\n"
    with serving(own_home, command=[sys.executable, "-c", NOISY], said=noise) as peer:
        peer.agree()
        assert peer.call("find_moments", query="a dog")["isError"] is False


def test_names_pass_unharmed(peer: Peer, service: Service) -> None:
    for name in AWKWARD:
        service.found(moment(f"/v/{name}"))
        told = peer.call("find_moments", query=name, within=f"/v/{name}")
        assert told["structuredContent"]["moments"][0]["path"] == f"/v/{name}"
        assert json.loads(told["content"][0]["text"]) == told["structuredContent"]
        asked = service.asked[-1][1]
        assert (asked["within"], asked["q"]) == (f"/v/{name}", name)


OFFICIAL = """
import asyncio, json, os, sys
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

async def main(mode):
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:5], env=dict(os.environ))
    async with Client(server, mode=mode) as client:
        tools = await client.list_tools()
        found = await client.call_tool("find_moments", {"query": "a dog"})
        wrong = await client.call_tool("find_moments", {"query": ""})
        print(json.dumps([client.protocol_version, [tool.name for tool in tools.tools],
            found.structured_content["moments"][0]["path"], wrong.is_error]))

for mode in ("legacy", "auto"):
    asyncio.run(main(mode))
"""


def test_the_official_client_agrees(own_home: dict[str, str], service: Service) -> None:
    """It checks every answer against the schemas of both kinds of revision."""
    service.found(moment("/v/a.mp4"))
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OFFICIAL, *COMMAND],
        env=own_home,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    legacy, modern = map(json.loads, told.stdout.splitlines())
    saved = ["list_saved_searches", "run_saved_search"]
    rest = [["find_moments", "describe_library", *saved], "/v/a.mp4", True]
    assert legacy == ["2025-11-25", *rest] and modern == ["2026-07-28", *rest]


def test_help_says_what_it_is(tempo: Callable[..., Any]) -> None:
    assert "MCP server" in tempo("mcp", "--help").out


def test_without_its_package_one_line_says_what_to_install(
    tempo: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda module: None if module == "mcp" else there(module)
    )
    said = tempo("mcp")
    assert (said.status, said.out) == (2, "")
    assert said.error == 'mcp is not installed: pip install ".[mcp]"'
