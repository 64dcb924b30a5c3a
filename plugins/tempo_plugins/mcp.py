"""A Model Context Protocol server on stdin and stdout: JSON-RPC 2.0, one message a line.

It speaks the revisions that begin with ``initialize`` and the one of 2026-07-28, whose requests say
for themselves which revision they are of: https://modelcontextprotocol.io/specification
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, BinaryIO

from tempo_edge._version import __version__
from tempo_plugins.mcp_tools import TOOLS, UnknownToolError, call
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["HANDSHAKE_VERSIONS", "MODERN_VERSIONS", "Server", "serve"]

# Newest first.
HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
MODERN_VERSIONS = ("2026-07-28",)

_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600
_NO_METHOD = -32601
_INVALID_PARAMS = -32602
_INTERNAL = -32603
_UNSUPPORTED_VERSION = -32022

_LONGEST_LINE = 1 << 20

_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_SERVER_KEY = "io.modelcontextprotocol/serverInfo"
_SERVER = {"name": "tempo-edge", "title": "Moments in your videos", "version": __version__}
_CAPABILITIES: dict[str, Any] = {"tools": {}}
_INSTRUCTIONS = (
    "Searches the user's own videos, offline. Times are seconds from a video's start; "
    "an empty answer means that nothing matches."
)


class _RefusedError(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, code: int, text: str, data: object = None) -> None:
        super().__init__(text)
        self.code, self.data = code, data


class Server:
    """Answers one peer. Tools run in a thread of their own, so that a ping is not kept waiting."""

    def __init__(self, client: ServiceOrLibrary, source: BinaryIO, sink: BinaryIO) -> None:
        self._client = client
        self._source, self._sink = source, sink
        self._writing = Lock()
        self._cancelled: set[Any] = set()

    def run(self) -> None:
        """Answer until the peer closes its end; what it asked for until then is still answered."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            while line := self._source.readline(_LONGEST_LINE + 1):
                if len(line) > _LONGEST_LINE:
                    self._skip_rest(line)
                    self._refuse(None, _INVALID_REQUEST, "message is longer than a megabyte")
                elif line.strip():
                    self._take(line, pool)

    def _skip_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._source.readline(_LONGEST_LINE)

    def _take(self, line: bytes, pool: ThreadPoolExecutor) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._refuse(None, _PARSE_ERROR, "message is no JSON")
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            self._refuse(None, _INVALID_REQUEST, "message must be a JSON-RPC 2.0 object")
            return
        method, number = message.get("method"), message.get("id")
        if method is None and ("result" in message or "error" in message):
            return  # an answer, and nothing was asked
        if not isinstance(method, str) or not _is_id(message):
            self._refuse(None, _INVALID_REQUEST, "request must have a method, and a proper id")
            return
        parameters = message.get("params", {})
        if "id" not in message:
            if method == "notifications/cancelled" and isinstance(parameters, dict):
                self._cancel(parameters.get("requestId"))
            return
        if not isinstance(parameters, dict):
            self._refuse(number, _INVALID_PARAMS, f"params of {method} must be an object")
        elif method == "tools/call":
            pool.submit(self._reply, number, method, parameters)
        else:
            self._reply(number, method, parameters)

    def _cancel(self, number: object) -> None:
        if isinstance(number, (str, int)):
            self._cancelled.add(number)

    def _reply(self, number: Any, method: str, parameters: dict[str, Any]) -> None:
        if number in self._cancelled:
            self._cancelled.discard(number)
            return
        try:
            result = self._result(method, parameters)
        except _RefusedError as error:
            self._refuse(number, error.code, str(error), error.data)
        except Exception as error:
            # The peer has other questions: a defect in one answer must not end the process.
            sys.excepthook(type(error), error, error.__traceback__)
            self._refuse(number, _INTERNAL, f"{type(error).__name__}: {error}")
        else:
            if number in self._cancelled:
                self._cancelled.discard(number)
                return
            self._send({"jsonrpc": "2.0", "id": number, "result": result})

    def _result(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if method == "initialize":
            return _initialized(parameters)
        modern = _is_modern(parameters)
        if method == "server/discover":
            result: dict[str, Any] = {
                "supportedVersions": [*MODERN_VERSIONS, *HANDSHAKE_VERSIONS],
                "capabilities": _CAPABILITIES,
                "instructions": _INSTRUCTIONS,
                **_CACHE,
            }
            modern = True
        elif method == "ping":
            result = {}
        elif method == "tools/list":
            result = {"tools": list(TOOLS), **(_CACHE if modern else {})}
        elif method == "tools/call":
            result = self._called(parameters)
        else:
            raise _RefusedError(_NO_METHOD, f"there is no method {method!r}")
        if modern:
            result = {**result, "resultType": "complete", "_meta": {_SERVER_KEY: _SERVER}}
        return result

    def _called(self, parameters: dict[str, Any]) -> dict[str, Any]:
        name, arguments = parameters.get("name"), parameters.get("arguments") or {}
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise _RefusedError(_INVALID_PARAMS, "tools/call needs a name and arguments")
        try:
            return call(self._client, name, arguments)
        except UnknownToolError as error:
            raise _RefusedError(_INVALID_PARAMS, str(error)) from error

    def _refuse(self, number: Any, code: int, text: str, data: object = None) -> None:
        error: dict[str, Any] = {"code": code, "message": text}
        if data is not None:
            error["data"] = data
        self._send({"jsonrpc": "2.0", "id": number, "error": error})

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode("ascii") + b"\n"
        try:
            with self._writing:
                self._sink.write(line)
                self._sink.flush()
        except (OSError, ValueError):
            return  # the peer has gone; its end of stdin follows


# The tools are the same for whoever asks, and for as long as the process lives.
_CACHE = {"ttlMs": 3_600_000, "cacheScope": "public"}


def _is_id(message: dict[str, Any]) -> bool:
    """Whether a message has no id, or one that the protocol allows."""
    if "id" not in message:
        return True
    number = message["id"]
    return isinstance(number, (str, int)) and not isinstance(number, bool)


def _initialized(parameters: dict[str, Any]) -> dict[str, Any]:
    """The answer to ``initialize``: the peer's revision if it is known, else the newest."""
    asked = parameters.get("protocolVersion")
    if not isinstance(asked, str):
        raise _RefusedError(_INVALID_PARAMS, "initialize needs a protocolVersion")
    return {
        "protocolVersion": asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0],
        "capabilities": _CAPABILITIES,
        "serverInfo": _SERVER,
        "instructions": _INSTRUCTIONS,
    }


def _is_modern(parameters: dict[str, Any]) -> bool:
    """Whether a request is of a revision that needs no ``initialize``.

    Raises:
        _RefusedError: it is of one that is not known.
    """
    meta = parameters.get("_meta")
    version = meta.get(_VERSION_KEY) if isinstance(meta, dict) else None
    if version is None:
        return False
    if version not in MODERN_VERSIONS:
        supported = [*MODERN_VERSIONS, *HANDSHAKE_VERSIONS]
        raise _RefusedError(
            _UNSUPPORTED_VERSION,
            f"protocol version {version!r} must be one of {', '.join(supported)}",
            {"supported": supported, "requested": version},
        )
    return True


def serve(client: ServiceOrLibrary) -> None:
    """Answer the peer at stdin and stdout until it closes its end.

    Whatever else is printed meanwhile goes to stderr: stdout carries messages only.
    """
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(own, "wb") as sink:
        Server(client, sys.stdin.buffer, sink).run()
