"""A model hub on this machine: what `huggingface_hub` asks of one, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """Repositories by name, each with its files; what can go wrong on the way is set on it.

    ``cut`` ends the transfer of a file after so many bytes, once; ``altered`` sends other contents
    than are announced; ``revision`` is the commit that files are said to be of. ``asked`` are the
    requests, with the byte they began at.
    """

    repositories: dict[str, dict[str, bytes]]
    revision: str = "0" * 40
    large: tuple[str, ...] = (".safetensors", "tokenizer.json")
    cut: dict[str, int] = field(default_factory=dict)
    altered: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    url: str = ""

    def tree(self, repository: str) -> list[dict[str, object]]:
        rows = []
        for name, data in self.repositories[repository].items():
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            row: dict[str, object] = {"type": "file", "path": name, "size": len(data), "oid": blob}
            if name.endswith(self.large):
                digest = hashlib.sha256(data).hexdigest()
                row["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 130}
            rows.append(row)
        return rows

    def etag(self, name: str, data: bytes) -> str:
        if name.endswith(self.large):
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serve it on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            first = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
            hub.asked.append((self.command, path.rpartition("/")[2], first))
            if path.startswith("api/models/"):
                repository = path.removeprefix("api/models/").partition("/tree/")[0]
                data = json.dumps(hub.tree(repository)).encode()
                self.head(200, len(data), {"Content-Type": "application/json"})
                self.wfile.write(data)
                return
            repository, _, rest = path.partition("/resolve/")
            name = rest.partition("/")[2]
            data = hub.repositories.get(repository, {}).get(name, b"")
            if not data:
                self.head(404, 0, {"X-Error-Code": "EntryNotFound"})
                return
            tag = hub.etag(name, data)
            data = hub.altered.get(name, data)
            facts = {"ETag": f'"{tag}"', "X-Repo-Commit": hub.revision, "Accept-Ranges": "bytes"}
            if first:
                facts["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
            self.head(206 if first else 200, len(data) - first, facts)
            if body:
                most = hub.cut.pop(name, None)
                self.wfile.write(data[first : None if most is None else first + most])
                if most is not None:
                    self.close_connection = True

        def head(self, status: int, length: int, facts: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in facts.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
