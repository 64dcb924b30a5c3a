"""Random requests made from the service's own description: no failure, no leak, no stall.

``TEMPO_EDGE_FUZZ=10000`` sends that many, half of them over TCP; a few hundred otherwise.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from door import Service, running
from harness import PATIENCE, wait_until
from shown import Footage

REQUESTS = int(os.environ.get("TEMPO_EDGE_FUZZ", "400"))

# No answer may take longer; the machine may be busy with other things.
LONGEST_SECONDS = PATIENCE

# Every status that the service's contract knows.
KNOWN = {200, 202, 206, 303, 304, 400, 401, 403, 404, 405, 409, 413, 416, 429, 501, 503}

# What has broken programs before.
NASTY = (
    "", " ", "0", "-1", "1", "2", "1e309", "NaN", "inf", "-0", "0x10", "٣", "99999999999999999999",
    "null", "true", "[]", "{}", "a" * 1000, "é" * 999, "\0", "\n", "\r\nX: y", "'", '"', "%", "%00",
    "%s%n", "../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "/proc/self/environ",
    "; DROP TABLE files", "' OR 1=1 --", "<script>", "\u202e", "\ufeff", "🎬", "\ud83d", "\x7f",
    "2024-01-01", "0000-00-00", "9999-12-31", "1:0-1", "1:0.5-1e9", "2:1-2", "1:-1-5", "curve",
    "mllm", "csv", "edl", "json", "/", "~", ".", "a beach", "bytes=0-", "a=b&c=d", "*", "\\",
    "/" + "a" * 5000, "/" + "b" * 300, "/c" * 2000, "~/" + "é" * 250, "~nobody", "/\0", "/\ud83d",
)  # fmt: skip

HEADERS = (
    ("Range", ("bytes=0-", "bytes=-1", "bytes=5-2", "bytes=99999-", "bytes=0-1,3-4", "x=1-2", "")),
    ("If-Range", ('"x"', "*", "W/", "Wed, 21 Oct 2015 07:28:00 GMT")),
    ("If-None-Match", ('"x"', "*", ",,,", 'W/"y"')),
    ("Accept", ("*/*", "text/html", "\xff")),
    ("Cookie", ("tempo_edge_token=x", "a", "=;=;", "tempo_edge_token=" + "x" * 2000)),
    ("Authorization", ("Bearer", "Bearer x", "Basic eA==", "\xff")),
    ("Origin", ("http://evil.example", "null")),
    ("Host", ("evil.example", "localhost", "")),
    ("X-Forwarded-For", ("1.2.3.4",)),
    ("Transfer-Encoding", ("identity",)),
    ("Expect", ("100-continue", "magic")),
    ("Content-Type", ("application/json", "text/plain", "multipart/form-data; boundary=x")),
)

SECRET = b"the fuzzer must not find this"


class Fuzzer:
    """Makes requests up; the same ones for the same seed."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self._random = random.Random(seed)
        self._calls = [
            (path, method.upper(), call)
            for path, calls in document["paths"].items()
            for method, call in calls.items()
            if path != "/v1/events"  # which goes on for ever, as it should
        ]

    def request(self) -> tuple[str, str, dict[str, str], bytes | None]:
        """(method, target, headers, body)."""
        path, method, call = self._random.choice(self._calls)
        query = []
        for parameter in call["parameters"]:
            if parameter["in"] == "path":
                path = path.replace("{id}", quote(self._number(), safe="%./"))
            elif parameter.get("required") or self._random.random() < 0.3:
                for _ in range(1 if self._random.random() < 0.95 else 3):
                    text = self._value(parameter["schema"])
                    coded = quote(text.encode("utf-8", "surrogatepass"), safe="")
                    query.append(f"{parameter['name']}={coded}")
        if self._random.random() < 0.05:
            path = self._random.choice(("/static/", "/v1/", "/", "//", "/v1/videos/")) + quote(
                self._nasty(), safe="/%."
            )
        if self._random.random() < 0.05:
            method = self._random.choice(("GET", "POST", "HEAD", "PUT", "OPTIONS", "X"))
        body = self._body() if method in ("POST", "PUT") else None
        return method, path + ("?" + "&".join(query) if query else ""), self._headers(), body

    def _nasty(self) -> str:
        text = self._random.choice(NASTY)
        return text if "\ud83d" not in text else "x"

    def _number(self) -> str:
        return self._random.choice(("1", "2", "3", str(self._random.randrange(12)), self._nasty()))

    def _value(self, schema: dict[str, Any]) -> str:
        """A value that fits, or one that is nasty."""
        kind = self._random.random()
        if kind < 0.35:
            return self._random.choice(NASTY)
        if "enum" in schema:
            return str(self._random.choice(schema["enum"]))
        if schema["type"] in ("integer", "number"):
            low, high = schema.get("minimum", 0), schema.get("maximum", 100)
            made = self._random.choice((low, high, self._random.uniform(low, high)))
            return str(round(made) if schema["type"] == "integer" else made)
        if kind < 0.5:
            return "".join(chr(self._random.randrange(1, 0xD7FF)) for _ in range(20))
        return self._random.choice(("a beach", "stripes", "2024-05-05", "1:0-2", "fuzz"))

    def _headers(self) -> dict[str, str]:
        chosen = {}
        for name, texts in HEADERS:
            if self._random.random() < 0.04:
                chosen[name] = self._random.choice(texts)
        return chosen

    def _body(self) -> bytes | None:
        kind = self._random.randrange(6)
        if kind == 0:
            return None
        if kind == 1:
            return self._random.randbytes(self._random.randrange(2000))
        if kind == 2:
            return b"x" * self._random.choice((65536, 65537, 100_000))
        # Not the root: nobody wants all that is on this machine to be indexed.
        names = [text for text in NASTY if set(text) != {"/"}]
        paths = [self._random.choice(names) for _ in range(self._random.randrange(4))]
        return json.dumps({"paths": paths} if kind < 5 else paths).encode()


def send(service: Service, fuzzer: Fuzzer, tcp: bool) -> tuple[int, bytes]:
    """One request; the status is 0 where the connection was closed without an answer."""
    method, target, headers, body = fuzzer.request()
    if tcp and "Authorization" not in headers:
        headers["Authorization"] = f"Bearer {service.token}"
    connection = service.connection(tcp)
    try:
        connection.putrequest(method, target, skip_host="Host" in headers)
        for name, text in headers.items():
            connection.putheader(name, text)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(body or b"")
        response = connection.getresponse()
        said = response.read()
        assert response.headers["X-Content-Type-Options"] == "nosniff" or response.status == 400
        return response.status, said
    except (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected):
        # What its head refuses is closed before its body is read, which may cost the answer.
        refused = "Transfer-Encoding" in headers
        assert body and (refused or len(body) > 60_000), (method, target, headers)
        return 0, b""
    finally:
        connection.close()


@pytest.mark.parametrize("tcp", [False, True])
def test_random_requests(
    own: Footage, environment: dict[str, str], tcp: bool, tmp_path: Path
) -> None:
    (own.folder / "secret.txt").write_bytes(SECRET)
    counted: dict[int, int] = {}
    slowest = 0.0
    with running(own.library, environment, "--port", "0") as service:
        passwords = Path("/etc/passwd").read_bytes()[:40]
        document = service.get("/v1/openapi.json").json
        fuzzer = Fuzzer(document, seed=11 + tcp)
        for _ in range(REQUESTS // 2):
            began = time.monotonic()
            status, said = send(service, fuzzer, tcp)
            slowest = max(slowest, time.monotonic() - began)
            counted[status] = counted.get(status, 0) + 1
            assert status in KNOWN | {0}, (status, said)
            assert SECRET not in said and passwords not in said
            assert b"Traceback" not in said
            assert slowest < LONGEST_SECONDS
        service.post("/v1/resume")
        wait_until(lambda: service.get("/v1/status").status == 200)
        assert service.find().status == 200
        assert service.process.poll() is None
    print(f"{sum(counted.values())} requests: {counted}, slowest {slowest:.2f} s")
    assert set(counted) - {0} <= KNOWN
    assert counted.get(200, 0) > 20 and counted.get(400, 0) > 20, counted
