"""Processes of the command line that are forked from one which has imported it.

Most of what a start takes are imports: of a server, a decoder, ONNX Runtime. Where a test needs a
process to ask, signal or kill, and not the way that one starts, it takes a fork.
"""

from __future__ import annotations

import atexit
import io
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from multiprocessing import reduction
from multiprocessing.context import ForkServerContext
from pathlib import Path
from signal import SIGKILL, SIGTERM
from subprocess import PIPE
from tempfile import TemporaryFile
from typing import IO, Any

from harness import PATIENCE

__all__ = ["Forked", "answered"]

_IMPORTED = [
    *("tempo_edge.cli", "tempo_edge.service.process", "tempo_edge.service.http.app"),
    *("tempo_edge.indexing.indexer", "tempo_edge.indexing.watcher", "tempo_kernels.cpu"),
    *("tempo_edge.search.searcher", "onnxruntime", "faiss"),
    *("tempo_plugins.mcp", "tempo_plugins.desktop.rows"),
]


def _context() -> ForkServerContext:
    # A name that is wrong is passed over there, and every process would import it for itself.
    assert all(map(find_spec, _IMPORTED)), "a module has moved"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


_CONTEXT = _context()


class _Descriptor:
    """An open file, on its way to the process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (reduction.DupFd(self.number),)


def _arrived(duplicate: Any) -> _Descriptor:
    return _Descriptor(duplicate.detach())


def _be(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    streams: Sequence[_Descriptor],
    first: str,
) -> None:
    """What the process does: as if it had just been started with these words."""
    for number, given in enumerate(streams):
        os.dup2(given.number, number)
        os.close(given.number)
    # What starts the tests in the background has them ignore it, and all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None
    warnings.simplefilter("default")
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), errors="backslashreplace", write_through=True
    )
    sys.argv = ["tempo-edge", *arguments]
    from tempo_edge.cli import main

    exec(first, {})  # noqa: S102 - a test's own
    try:
        main()
    finally:
        atexit._run_exitfuncs()


class Forked:
    """A running `tempo-edge`, with the part of :class:`subprocess.Popen` that tests use.

    Args:
        arguments: the words after `tempo-edge`.
        environment: all of it.
        stdin: an open file that it reads; None is an empty one.
        stdout, stderr: open files that it writes to; None is nowhere.
        first: a program that it runs before.

    Attributes:
        pid: its number.
        stderr: what it says there, if that is :data:`subprocess.PIPE`.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        first: str = "",
    ) -> None:
        self.stderr: IO[str] | None = None
        nowhere = os.open(os.devnull, os.O_RDWR)
        ours = [nowhere]
        if stderr == PIPE:
            heard, stderr = os.pipe()
            self.stderr = os.fdopen(heard, encoding="utf-8")
            ours.append(stderr)
        streams = [_Descriptor(nowhere if n is None else n) for n in (stdin, stdout, stderr)]
        words = [str(word) for word in arguments]
        self._process = _CONTEXT.Process(
            target=_be, args=(words, dict(environment), streams, first), daemon=True
        )
        self._process.start()
        for number in ours:
            os.close(number)
        assert self._process.pid is not None
        self.pid = self._process.pid

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is not None:
            self.kill()
        if self.stderr is not None:
            self.stderr.close()
        self.wait()

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal; None as long as it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self.returncode is not None, "it goes on and on"
        return self.returncode

    def rest(self, timeout: float | None = None) -> str:
        """What else it says on stderr until it ends."""
        said = "" if self.stderr is None else self.stderr.read()
        self.wait(timeout)
        return said

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(SIGTERM)

    def kill(self) -> None:
        self.send_signal(SIGKILL)


def answered(
    given: bytes, arguments: Sequence[str | Path], environment: Mapping[str, str], first: str = ""
) -> tuple[int, bytes, bytes]:
    """(status, stdout, stderr) of a process that reads some bytes and ends."""
    with TemporaryFile() as ask, TemporaryFile() as out, TemporaryFile() as err:
        ask.write(given)
        ask.seek(0)
        numbers = {"stdin": ask.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
        with Forked(arguments, environment, **numbers, first=first) as run:
            status = run.wait(PATIENCE)
        for each in (out, err):
            each.seek(0)
        return status, out.read(), err.read()
