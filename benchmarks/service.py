"""The speed of the service while it indexes, and the growth of its memory.

``python -m benchmarks.service --footage DIR`` makes a library of 1,000 synthetic hours out of some
real footage (as ``benchmarks.query`` does), starts a service of it, keeps that indexing copies of
the footage, and lets clients ask, each its next query as soon as it has its answer.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from benchmarks.cold_files import write_all
from benchmarks.machine import describe
from benchmarks.query import QUERIES, fill
from tempo_edge.library import Library
from tempo_edge.service.transport.unix_http import UnixConnection

__all__ = ["main"]


@dataclass(frozen=True)
class _Kind:
    """A way of asking: parameters of ``/v1/find``, and seconds from one question to the next.

    Somebody who types presses some five keys a second; without a pause the next question follows
    right upon the answer.
    """

    name: str
    asked: dict[str, Any]
    every_seconds: float = 0.0


_TYPED = _Kind("retrieval, a key every 0.2 s", {"retrieval": "1"}, 0.2)
_QUICK = _Kind("retrieval, without a pause", {"retrieval": "1"})
_CURVE = _Kind("`curve`, without a pause", {"grounder": "curve"})
_READ = _Kind("`mllm`, without a pause", {"grounder": "mllm"})


class _Connection(UnixConnection):
    """A connection kept open from one request to the next."""

    def __init__(self, place: Path) -> None:
        super().__init__(place, seconds=120)

    def ask(self, path: str, facts: dict[str, Any] | None = None, **parameters: Any) -> Any:
        """An answer's JSON. What is too busy is asked again, which counts as waiting."""
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        while True:
            if facts is None:
                self.request("GET", target)
            else:
                headers = {"Content-Type": "application/json"}
                self.request("POST", target, json.dumps(facts), headers)
            response = self.getresponse()
            said = json.loads(response.read())
            if response.status != 429:
                if response.status >= 400:
                    raise SystemExit(f"{target}: {response.status} {said}")
                return said
            time.sleep(0.01)


@dataclass
class _Service:
    """A service in a process of its own."""

    process: subprocess.Popen[bytes]
    socket: Path

    @staticmethod
    def start(library: Path, folder: Path) -> _Service:
        place = folder / "s"
        command = [sys.executable, "-m", "tempo_edge.cli", "serve", "--always", "--quiet"]
        command += ["--library", str(library), "--socket", str(place)]
        service = _Service(subprocess.Popen(command, stderr=subprocess.DEVNULL), place)
        while True:
            if service.process.poll() is not None:
                raise SystemExit(f"the service ended with status {service.process.returncode}")
            try:
                for query in QUERIES:  # until both queues have all that they need at hand
                    _Connection(place).ask("/v1/find", q=query, grounder="mllm")
                    _Connection(place).ask("/v1/find", q=query, retrieval=1)
                return service
            except OSError:
                time.sleep(0.1)

    def memory(self) -> float:
        """Resident megabytes that no file lies behind: a mapped library is not its own."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return sum(map(int, re.findall(r"RssAnon:\s+(\d+) kB", text))) / 1024

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def ask(service: _Service, kind: _Kind, clients: int, each: int) -> tuple[list[float], float]:
    """Seconds of every answer, as clients see them, and answers a second."""

    def client(number: int) -> list[float]:
        connection, times = _Connection(service.socket), []
        due = time.perf_counter() + kind.every_seconds * number / clients
        for turn in range(each):
            time.sleep(max(0.0, due - time.perf_counter()))
            query = f"{QUERIES[(number + turn) % len(QUERIES)]} {number} {turn}"
            began = time.perf_counter()
            connection.ask("/v1/find", q=query, client=f"client {number}", **kind.asked)
            times.append(time.perf_counter() - began)
            due = max(due + kind.every_seconds, time.perf_counter())
        connection.close()
        return times

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = [seconds for part in pool.map(client, range(clients)) for seconds in part]
    return times, len(times) / (time.perf_counter() - began)


def occupy(service: _Service, footage: Path, folder: Path, copies: int) -> None:
    """Give the indexer so many different copies of the footage to read."""
    for number in range(copies):
        target = folder / f"copy {number}"
        shutil.copytree(footage, target)
        for path in target.rglob("*"):
            if path.is_file():
                with path.open("ab") as file:
                    file.write(b"\0" * (number + 1))  # other contents, to the same effect
    _Connection(service.socket).ask("/v1/index", {"paths": [str(folder)]})


def measure(options: argparse.Namespace, large: Path) -> list[str]:
    """Rows of the table, one a kind of answer, with and without indexing; and a line on memory."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="te-") as folder:
        service = _Service.start(large, Path(folder))
        try:
            for busy in (False, True):
                if busy:
                    occupy(service, options.footage, Path(folder) / "copies", options.copies)
                for kind in (_TYPED, _QUICK, _CURVE, _READ):
                    each = options.grounded if kind is _READ else options.answers
                    times, rate = ask(service, kind, options.clients, each)
                    status = _Connection(service.socket).ask("/v1/status")["indexing"]["state"]
                    rows.append(
                        _row(f"{kind.name}; {'indexing' if busy else 'alone'}", times, rate)
                    )
                    print(f"after {rows[-1]} indexing is {status}", file=sys.stderr)
            first = service.memory()
            ask(service, _CURVE, options.clients, options.memory // options.clients)
            last = service.memory()
        finally:
            service.end()
    grown = f"{last - first:+.1f} MB after {options.memory} answers"
    return [*rows, f"\nmemory of its own: {first:.0f} MB, {grown}"]


def _row(name: str, seconds: list[float], rate: float) -> str:
    figures = (*np.quantile(seconds, [0.5, 0.95]), max(seconds))
    cells = [f"{1e3 * figure:.0f} ms" for figure in figures]
    return f"| {name} | {len(seconds)} | {' | '.join(cells)} | {rate:.1f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="real videos to start from")
    parser.add_argument("--hours", type=float, default=1000.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--answers", type=int, default=100, help="retrieval answers, each client")
    parser.add_argument("--grounded", type=int, default=20, help="grounded answers, each client")
    parser.add_argument("--memory", type=int, default=10_000, help="answers that memory is held to")
    parser.add_argument(
        "--copies", type=int, default=50, help="of the footage, to keep it indexing"
    )
    parser.add_argument("--keep", type=Path, help="keep the libraries in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = options.keep or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        small, large = scratch / "small.db", scratch / "service.db"
        if not large.exists():
            with Library.open(small) as library:
                library.index([options.footage])
            draft = scratch / "service.draft.db"
            draft.unlink(missing_ok=True)
            fill(small, draft, options.hours, options.seed)
            draft.replace(large)
        with Library.open(large) as library:
            library.vectors.refresh()
            totals = library.catalogue.totals()
        rows = measure(options, large)
    write_all()
    print(json.dumps(describe()))
    print(f"library: {totals['hours']:.0f} h, {totals['frames']} frames; {options.clients} clients")
    print("| answers | number | median | 95th percentile | worst | a second |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
