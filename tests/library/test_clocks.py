"""Machines whose clocks differ by an hour index one library on a server."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from harness import PATIENCE, Said, wait_until
from postgres_server import server
from videos import make_video, motion

import tempo_edge
from tempo_edge.store.opening import open_store
from tempo_edge.store.queue import QueueState

Tempo = Callable[..., Said]
Start = Callable[..., "subprocess.Popen[str]"]

HOUR = 3600

# Longer than a worker has to come back that is thought dead.
_LONG_SECONDS = 8.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="a clock is set off by the loader of Linux"),
    pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler here"),
]

# The time of day is off; that which only runs, and every wait, is as it is. (libfaketime has
# Python's waits fail or never end.)
CLOCK = """
#include <cstdlib>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off() {
    const char *seconds = getenv("CLOCK_OFF");
    return seconds ? atol(seconds) : 0;
}

extern "C" int clock_gettime(clockid_t id, timespec *at) noexcept {
    int failed = syscall(SYS_clock_gettime, id, at);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += off();
    return failed;
}

extern "C" int gettimeofday(timeval *at, void *) noexcept {
    timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return failed;
}

extern "C" time_t time(time_t *at) noexcept {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""

# Is done with its first film once a file is there.
SLOW = """
import os, time
from tempo_edge.indexing.footage import FootageReader
read = FootageReader.read
def slow(self, path, *rest):
    found = read(self, path, *rest)
    while not os.path.exists({go!r}):
        time.sleep(0.05)
        rest[1]()
    return found
FootageReader.read = slow
"""


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(6):
        path = folder / f"{number}.mp4"
        make_video(path, shots=[(motion(number), 1)], size=(64, 48), rate=Fraction(5))
    return folder


@pytest.fixture
def set_off(tmp_path: Path) -> Path:
    """A library that a process is started with, so that its clock is off."""
    source, built = tmp_path / "clock.cpp", tmp_path / "clock.so"
    source.write_text(CLOCK)
    line = ["c++", "-shared", "-fPIC", "-O1", "-o", str(built), str(source)]
    subprocess.run(line, check=True)
    return built


@pytest.fixture
def started(environment: dict[str, str], set_off: Path) -> Iterator[Start]:
    """Starts a process whose clock is off by some seconds."""
    begun: list[subprocess.Popen[str]] = []

    def start(off: int, *words: str | Path, first: str = "") -> subprocess.Popen[str]:
        program = f"{first}\nfrom tempo_edge.cli import main\nmain()"
        line = [sys.executable, "-c", program, *map(str, words)]
        env = {**environment, "LD_PRELOAD": str(set_off), "CLOCK_OFF": str(off)}
        begun.append(subprocess.Popen(line, env=env, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def state(name: str) -> QueueState:
    found = open_store(name).queue_state()
    assert found is not None
    return found


def test_clocks_that_are_an_hour_off_are_named_and_nothing_goes_by_them(
    films: Path, started: Start, tempo: Tempo, tmp_path: Path
) -> None:
    name = server().name(schema=server().new_schema())
    began, go = time.time(), tmp_path / "go"
    putting = started(HOUR, "index", "--queue", "--library", name, films)
    said = putting.communicate(timeout=PATIENCE)[1]
    assert putting.returncode == 0 and "6 queued" in said
    assert said.count("is 1:00:00 ahead of the server's") == 1
    ahead = started(
        HOUR, "worker", "--library", name, "--until-empty", first=SLOW.format(go=str(go))
    )
    wait_until(lambda: any(worker.task for worker in state(name).workers))
    (slow,) = state(name).workers
    behind = started(-HOUR, "worker", "--library", name, "--until-empty")
    wait_until(lambda: len(state(name).workers) == 2 and not state(name).waiting)
    time.sleep(_LONG_SECONDS)
    (at,) = [worker for worker in state(name).workers if worker.process == slow.process]
    assert at.task is not None and at.task == slow.task and 0 <= at.seconds < PATIENCE
    assert f"worker    pid {slow.process} on " in tempo("status", "--library", name).out
    go.touch()
    told = [worker.communicate(timeout=PATIENCE)[1] for worker in (ahead, behind)]
    assert ahead.returncode == behind.returncode == 0, told
    for lines, way in zip(told, ("ahead of", "behind"), strict=True):
        assert lines.count("the clock of ") == 1
        assert f"is 1:00:00 {way} the server's" in lines
    for number in range(6):
        assert "".join(told).count(f"indexed {films}/{number}.mp4") == 1
    # Nobody was thought dead: what the slow one had was nobody else's.
    assert at.task.file in told[0] and "another worker's" not in "".join(told)
    assert state(name).waiting == {} and state(name).given_up == ()
    with tempo_edge.Library.open(name) as library:
        assert {row.state for row in library.files()} == {"indexed"}
        times = [video.indexed_seconds for video in library.videos()]
    assert len(times) == 6
    assert all(at is not None and began - 60 < at < time.time() + 60 for at in times), times
