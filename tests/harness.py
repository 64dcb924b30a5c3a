"""What tests share: patience, a library to try things on, and what a command said."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import tempo_edge
from tempo_edge.indexing.report import IndexEvent, IndexReport

__all__ = [
    "PATIENCE",
    "Said",
    "Shelf",
    "each_on_terminal",
    "each_without",
    "next_line",
    "on_terminal",
    "told",
    "wait_until",
]

# Longest wait for anything, in seconds; nothing takes nearly as long.
PATIENCE = 90.0


def wait_until(true: Callable[[], object]) -> None:
    """Look until something is so.

    Raises:
        AssertionError: it has not come about after a long time.
    """
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.02)


def told(stderr: str) -> list[str]:
    """Lines of a process without those that it says only where it takes half a minute."""
    return [line for line in stderr.splitlines() if not line.startswith("reading ")]


def next_line(stream: TextIO) -> str:
    """The next line of a process but for those that it says only where it takes half a minute."""
    while (line := stream.readline()).startswith("reading "):
        pass
    return line


def on_terminal(
    line: list[str],
    environment: dict[str, str],
    *,
    stdout: int | None = None,
    stderr: int | None = None,
) -> tuple[int, str]:
    """(status, what a process writes to a terminal), with line ends as in a file.

    Args:
        stdout, stderr: where these two go; the terminal, if None.
    """
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        line,
        env={"TERM": "xterm", **environment},
        stdout=theirs if stdout is None else stdout,
        stderr=theirs if stderr is None else stderr,
    )
    os.close(theirs)
    written = b""
    with run:
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            written += part
    os.close(ours)
    return run.returncode, written.decode().replace("\r\n", "\n")


_EACH = """
import json, os, sys
from tempo_edge.cli import main
for environment, *arguments in json.loads(sys.argv[1]):
    os.environ.update(environment)
    sys.argv[1:] = arguments
    try:
        main()
        status = 0
    except SystemExit as ended:
        status = ended.code
    for name in environment:
        del os.environ[name]
    sys.stdout.write(f"\\0{status}\\0")
    sys.stdout.flush()
"""


def each_on_terminal(
    lines: Sequence[tuple[dict[str, str], Sequence[str]]], environment: dict[str, str]
) -> list[tuple[int, str]]:
    """(status, what is shown) of each of several commands, in one process on one terminal.

    Args:
        lines: (what its environment has besides, the arguments of the command) of each.
    """
    told = json.dumps([[more, *map(str, arguments)] for more, arguments in lines])
    command = [sys.executable, "-c", _EACH, told]
    status, shown = on_terminal(command, environment, stderr=subprocess.DEVNULL)
    *parts, rest = shown.split("\0")
    assert (status, rest) == (0, "") and len(parts) == 2 * len(lines), shown
    return [(int(code), text) for text, code in zip(parts[::2], parts[1::2], strict=True)]


@dataclass
class Shelf:
    """A library, opened for each call, and what the last run of the indexer said."""

    path: Path

    def index(self, *paths: Path, **choices: Any) -> IndexReport:
        self.events: list[IndexEvent] = []
        with tempo_edge.Library.open(self.path) as library:
            return library.index(paths, on_event=self.events.append, **choices)

    def said(self, *kinds: str) -> list[tuple[str, str]]:
        """(kind, file name) of the events of some kinds, in order."""
        return [(e.kind, Path(e.path).name) for e in self.events if e.kind in kinds]

    def reasons(self) -> dict[str, str]:
        """Why files were skipped, by name, as `status` tells it."""
        with tempo_edge.Library.open(self.path) as library:
            rows = library.files()
        return {Path(row.path).name: row.reason for row in rows if row.state == "skipped"}

    def states(self) -> dict[str, str]:
        """State of every file, by name."""
        with tempo_edge.Library.open(self.path) as library:
            return {Path(row.path).name: row.state for row in library.files()}

    def found(self, query: str = "a beach", **choices: Any) -> list[tempo_edge.Moment]:
        """Everything that a search gives when nothing is held back."""
        with tempo_edge.Library.open(self.path) as library:
            choices = {"min_confidence": 0.0, "limit": 100, **choices}
            return list(library.find(query, **choices))

    def found_names(self, **choices: Any) -> set[str]:
        return {moment.path.name for moment in self.found(**choices)}


@dataclass(frozen=True)
class Said:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error; anything else on stderr or stdout fails the test."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("tempo-edge: error: "), self.err
        assert self.status == 2
        return self.err.removeprefix("tempo-edge: error: ").rstrip("\n")


_BLOCKED = """
import contextlib, io, json, sys
for name in {names}:
    sys.modules[name] = None
from tempo_edge.cli import main
for arguments in {lines}:
    sys.argv[1:] = arguments
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = ended.code
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


def each_without(
    names: list[str], *lines: Sequence[str | Path], environment: dict[str, str]
) -> list[Said]:
    """What each of several commands does where some packages are not installed, in one process."""
    told = [[str(word) for word in line] for line in lines]
    run = subprocess.run(
        [sys.executable, "-c", _BLOCKED.format(names=names, lines=told)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, ""), run
    said = [Said(*json.loads(line)) for line in run.stdout.splitlines()]
    assert len(said) == len(lines)
    return said
