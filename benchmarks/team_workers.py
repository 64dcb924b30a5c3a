"""Workers of a library on a server, while they are killed, the server restarts and lines are cut.

``python -m benchmarks.team_workers`` starts a PostgreSQL of its own (extra ``test``), draws tiny
films, a tenth of them copies, and has workers index them. Of what the library holds in the end each
file is compared with what one process puts into a library in a file. With ``--pace`` nothing is
killed, and what is measured is how many files 1, 2 and 3 workers read in a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

import tempo_edge
from benchmarks._team_server import Cutter, started_server
from benchmarks.machine import describe
from tempo_edge import teamwork
from tempo_edge.errors import LibraryError
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.queue import QueueState

__all__ = ["draw_films", "judged", "main", "state_of"]

_SIZE, _RATE, _FRAMES = (64, 48), 10, 12
_COPIES = 10  # one file in so many is a copy of the one before

# Seconds that the server is away, and between two looks.
_AWAY_SECONDS, _LOOK_SECONDS = 1.0, 0.2

_context: Any = multiprocessing.get_context("forkserver")
_IMPORTED = [
    *("tempo_edge.cli", "tempo_edge.teamwork", "tempo_edge.indexing.worker", "onnxruntime"),
    *("tempo_kernels.cpu", "procrastinate", "psycopg", "faiss"),
]


def draw_films(folder: Path, count: int, seed: int) -> None:
    """Draw films of a second, each of which has contents of its own but for copies."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        path = folder / f"{number:03}.mp4"
        if number % _COPIES == _COPIES - 1:
            shutil.copy(folder / f"{number - 1:03}.mp4", path)
            continue
        width, height = _SIZE
        start, end = generator.integers(0, 255, (2, 6, 8, 3))
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=Fraction(_RATE))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for frame in range(_FRAMES):
                share = frame / _FRAMES
                small = ((1 - share) * start + share * end).astype(np.uint8)
                picture = small.repeat(height // 6, axis=0).repeat(width // 8, axis=1)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            out.mux(stream.encode(None))


def _work(name: str) -> None:
    """What a worker's process does, as ``tempo-edge worker`` would."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    while not ended:
        try:
            with tempo_edge.Library.open(name) as library:
                teamwork.work(library, only=("pictures",), stopping=lambda: bool(ended))
        except LibraryError:  # the server is away while it begins
            time.sleep(_LOOK_SECONDS)


class _Crew:
    """Worker processes, of which one is replaced when it is killed."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self.kills = 0
        self._processes = [self._new() for _ in range(count)]

    def _new(self) -> Any:
        process = _context.Process(target=_work, args=(self._name,), daemon=True)
        process.start()
        return process

    def kill(self, pid: int) -> None:
        """Kill one of them, and start another."""
        for position, process in enumerate(self._processes):
            if process.pid == pid:
                process.kill()
                process.join()
                self.kills += 1
                self._processes[position] = self._new()

    def close(self) -> None:
        """Stop them all."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()


def state_of(name: str) -> QueueState | None:
    """The queue's state; None while the server is away."""
    try:
        return open_store(name).queue_state()
    except LibraryError:
        return None


def _is_over(state: QueueState | None) -> bool:
    return (
        state is not None and not state.waiting and not any(worker.task for worker in state.workers)
    )


@contextmanager
def _paused(name: str) -> Iterator[None]:
    with open_store(name).queue() as queue:
        queue.pause(True)
    yield
    with open_store(name).queue() as queue:
        queue.pause(False)


def _held(catalogue: Catalogue) -> dict[str, tuple[Any, ...]]:
    """By file, what a library holds of it, whatever its ids are."""
    found: dict[str, tuple[Any, ...]] = {}
    with catalogue.snapshot():
        for path, row in catalogue.files().items():
            if row.video_id is None:
                found[path] = (row.state, row.reason)
                continue
            video = catalogue.video(row.video_id)
            frames = catalogue.frames_of(row.video_id, -(2**63), 2**63 - 1)
            looks = b"".join(each.vector.tobytes() + each.tokens.tobytes() for each in frames)
            lines = len(catalogue.lines(row.video_id))
            found[path] = (row.state, video, len(frames), hashlib.sha256(looks).digest(), lines)
    return found


def hurt(server: Any, folder: Path, workers: int, every: float, seed: int) -> dict[str, Any]:
    """What is left of films that are indexed while everything goes wrong.

    Args:
        server: a server that can be stopped and started.
        folder: the films.
        workers: how many there are.
        every: seconds between two kills of a worker that is at a film.
        seed: of who is killed, and when lines are cut.
    """
    drawn = random.Random(seed)
    name = server.name(server.new_database())
    films = sorted(folder.iterdir())
    with tempo_edge.Library.open(name) as library:
        teamwork.enqueue(library, folder)
    cutter = Cutter(server.folder)
    restarts, began, killed, cut = 0, time.monotonic(), time.monotonic(), time.monotonic()
    with ExitStack() as stack:
        stack.callback(cutter.close)
        crew = _Crew(cutter.name(name, server.folder), workers)
        stack.callback(crew.close)
        while not _is_over(state := state_of(name)):
            time.sleep(_LOOK_SECONDS)
            if state is None:
                continue
            busy = [each.process for each in state.workers if each.task is not None]
            # Of the last few each would be killed again and again.
            is_much_left = len(busy) + sum(state.waiting.values()) > workers
            if busy and is_much_left and time.monotonic() > killed + every:
                crew.kill(drawn.choice(busy))
                killed = time.monotonic()
            if busy and time.monotonic() > cut + 2.7 * every:
                cutter.cut()
                cut = time.monotonic()
            left = sum(state.waiting.values()) / len(films)
            if restarts < 2 and left < (0.7, 0.35)[restarts]:
                server.stop()
                time.sleep(_AWAY_SECONDS)
                server.start()
                restarts += 1
        took = time.monotonic() - began
    return {
        "films": len(films),
        "workers": workers,
        "killed": crew.kills,
        "server restarted": restarts,
        "connections cut": cutter.cuts,
        "seconds": round(took),
        **judged(name, folder),
    }


def judged(name: str, folder: Path) -> dict[str, Any]:
    """How what is held differs from what one process puts into a library in a file."""
    state = state_of(name)
    assert state is not None
    with tempfile.TemporaryDirectory() as place:
        with tempo_edge.Library.open(Path(place) / "library.db") as alone:
            alone.index(folder)
            expected = _held(alone.catalogue)
            with alone.catalogue.snapshot():
                distinct = len(alone.catalogue.videos())
        with tempo_edge.Library.open(name) as library:
            found = _held(library.catalogue)
            with library.catalogue.snapshot():
                videos = len(library.catalogue.videos())
    states = Counter(held[0] for held in found.values())
    return {
        "indexed": states["indexed"],
        "otherwise": sum(states.values()) - states["indexed"],
        "missing": len(set(expected) - set(found)),
        "different": sum(found.get(path) != held for path, held in expected.items()),
        "videos": videos,
        "videos expected": distinct,
        "given up": len(state.given_up),
    }


def pace(server: Any, folder: Path, workers: int) -> float:
    """Films that workers read in a second, once all have begun."""
    name = server.name(server.new_database())
    with tempo_edge.Library.open(name) as library:
        teamwork.enqueue(library, folder)
    crew = _Crew(name, workers)
    try:
        with _paused(name):
            while (state := state_of(name)) is None or len(state.workers) < workers:
                time.sleep(_LOOK_SECONDS)
        began = time.monotonic()
        while not _is_over(state_of(name)):
            time.sleep(_LOOK_SECONDS)
        return len(list(folder.iterdir())) / (time.monotonic() - began)
    finally:
        crew.close()


def main() -> None:
    """Draw, index, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=300)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two kills")
    parser.add_argument("--pace", action="store_true", help="measure the pace, kill nobody")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    _context.set_forkserver_preload(_IMPORTED)
    server = started_server()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        draw_films(folder, given.films, given.seed)
        told: dict[str, Any] = {**describe(), "seed": given.seed}
        if given.pace:
            told["films a second"] = {
                count: round(pace(server, folder, count), 2)
                for count in range(1, given.workers + 1)
            }
        else:
            told |= hurt(server, folder, given.workers, given.every, given.seed)
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
