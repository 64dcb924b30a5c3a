"""The findings of a part of the campaign, and processes that are watched while they run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tempo_edge._system.groups import end_with_all

__all__ = ["MOST_MEGABYTES", "MOST_SECONDS", "Outcome", "Run", "tempo_edge"]

#: What one process may take, and what one file may take of it.
MOST_MEGABYTES = 1000.0
MOST_SECONDS = 60.0


@dataclass
class Outcome:
    """The result of one part.

    Attributes:
        name: of the part.
        tried: how many files, kills, bundles or connections.
        worst_seconds: the longest that one of them took; ``peak_megabytes``: the largest process.
        facts: counts that are neither good nor bad.
        problems: a line for everything that should not have been.
    """

    name: str
    tried: int = 0
    worst_seconds: float = 0.0
    peak_megabytes: float = 0.0
    facts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def judge(self, run: Run, what: str, allowed: Sequence[int] = (0,)) -> None:
        """Note what a finished process did that it should not have."""
        self.peak_megabytes = max(self.peak_megabytes, run.peak_megabytes)
        if run.status not in allowed:
            last = run.error_lines[-1] if run.error_lines else ""
            self.problems.append(f"{what}: status {run.status} {last}")
        if run.peak_megabytes > MOST_MEGABYTES:
            self.problems.append(f"{what}: {run.peak_megabytes:.0f} MB")
        if "Traceback" in run.error or "Traceback" in run.output:
            self.problems.append(f"{what}: a traceback, {run.error_lines[-1]}")


@dataclass(frozen=True)
class Run:
    """A finished process.

    Attributes:
        status: as the shell has it, negative for a signal.
        output, error: what it wrote.
        seconds: from its start to its end; ``gaps``: between one line on its standard error and
            the next, each with the line that ended it.
        peak_megabytes: of its own, without children.
    """

    status: int
    output: str
    error: str
    seconds: float
    gaps: list[tuple[float, str]]
    peak_megabytes: float

    @property
    def error_lines(self) -> list[str]:
        """The lines on standard error."""
        return self.error.splitlines()


# Starts a command and tells what memory it took at most, in KiB. A process counts the pages that it
# had when it was forked, so one that is measured must come from a small one.
_MEASURED = """
import os, sys
tell = int(sys.argv[1])
os.set_inheritable(tell, False)
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, code, usage = os.wait4(child, 0)
os.write(tell, b"%d" % usage.ru_maxrss)
status = os.waitstatus_to_exitcode(code)
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


def tempo_edge(
    *arguments: str | Path, timeout: float, environment: dict[str, str] | None = None
) -> Run:
    """Run a command as a process of its own; one that takes too long is killed, and says so."""
    command = [sys.executable, "-m", "tempo_edge.cli", *map(str, arguments)]
    began = last = time.monotonic()
    told, tell = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", _MEASURED, str(tell), *command],
        pass_fds=(tell,),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None and process.stderr is not None
    output: list[str] = []
    reading = threading.Thread(target=lambda: output.extend(process.stdout or ()), daemon=True)
    reading.start()
    os.close(tell)
    ending = threading.Timer(timeout, _kill, [process])
    ending.start()
    lines: list[str] = []
    gaps: list[tuple[float, str]] = []
    try:
        for line in process.stderr:
            now = time.monotonic()
            gaps.append((now - last, line.rstrip()))
            lines.append(line)
            last = now
        process.wait()
    finally:
        ending.cancel()
        _kill(process)
    reading.join()
    process.stdout.close()
    process.stderr.close()
    with os.fdopen(told) as measured:
        peak_kilobytes = float(measured.read() or 0)
    return Run(
        process.returncode,
        "".join(output),
        "".join(lines),
        time.monotonic() - began,
        gaps,
        peak_kilobytes / 1024.0,
    )


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process with all that it started; nothing, if it has ended."""
    if process.returncode is None:
        end_with_all(process)
