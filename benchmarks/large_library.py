"""The cost of a large library in which nothing has changed: ``index``, ``status`` and ``find``.

``python -m benchmarks.large_library`` writes 100,000 small files into 1,000 folders, and a library
that knows them: a clip of ten seconds each, with three frames that were looked at, which is what
SAA makes of such. Each command is a whole process, and its memory the most that was resident at
once (``VmHWM``), mapped files included. The time of a file is that of ``index`` over all files less
that of ``index`` over a hundredth of them, by the difference in files: starting Python and loading
what it takes is no part of it, and is told in a row of its own.

``--against DIR`` measures another checkout in turn with this one, on the same libraries: it must
know their schema.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from tempo_edge.library import Library
from tempo_edge.quantization import quantize
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow
from tempo_edge.volumes.mounts import volume_of

__all__ = ["fill", "main", "measured"]

# Files in a folder, seconds of a clip, frames of it that were looked at, and tokens of a frame.
_IN_FOLDER, _SECONDS, _FRAMES, _TOKENS = 100, 10, 3, 3

# A library of so many times fewer files tells what starting takes.
_FEWER = 100

_QUERY = "a dog runs through the snow"

_VIDEO = VideoRow(
    "h264", 1920, 1080, float(_SECONDS), Fraction(30), Fraction(1, 90_000), Fraction(0)
)

# The command line in a process of its own, which leaves its peak behind when it ends. What the
# kernel tells of children counts the parent's memory, too, until the child runs its own program.
_PROGRAM = """
import atexit, re, runpy, sys
place = sys.argv.pop(1)
def leave():
    with open("/proc/self/status", encoding="ascii") as status, open(place, "w") as left:
        left.write(re.search("VmHWM:[^0-9]*([0-9]+) kB", status.read())[1])
atexit.register(leave)
runpy.run_module("tempo_edge.cli", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Cost:
    """What a whole process took."""

    wall_seconds: float
    cpu_seconds: float
    megabytes: float


def fill(folder: Path, library: Path, files: int, seed: int) -> None:
    """Write so many files into folders under one, and a library that knows each of them."""
    folder.mkdir(parents=True)
    with Library.open(library) as empty:
        profile = empty.profile
    volume, generator = volume_of(str(folder)), np.random.default_rng(seed)
    with open_store(library).writer() as catalogue:
        catalogue.set_meta("profile", profile.fingerprint)
        for start in range(0, files, _IN_FOLDER):
            place = folder / f"{2000 + start // 5000:04d} outing {start // _IN_FOLDER:04d}"
            place.mkdir()
            shape = (_IN_FOLDER, _FRAMES, 1 + _TOKENS, profile.dim)
            drawn = generator.normal(size=shape)
            packed = quantize(drawn / np.linalg.norm(drawn, axis=-1, keepdims=True))
            with catalogue.transaction():
                for number, vectors in enumerate(packed[: files - start], start=start):
                    path = place / f"clip {number:06d}.mp4"
                    path.write_bytes(number.to_bytes(16, "big"))
                    video = _put_clip(catalogue, number, vectors)
                    facts = path.stat()
                    size, mtime_ns = facts.st_size, facts.st_mtime_ns
                    row = FileRow(str(path), volume, size, mtime_ns, "indexed", "", video)
                    catalogue.put_file(row)


def _put_clip(catalogue: WritableCatalogue, number: int, vectors: np.ndarray) -> int:
    """Write the video of a clip whose vectors and tokens are ``[frames, 1 + tokens, d]``."""
    ticks = int(_SECONDS / _FRAMES / _VIDEO.time_base)
    cells = np.arange(_TOKENS, dtype=np.uint8)
    frames = [
        FrameRow(at * ticks, 0.5, at == 0, vectors[at, 0], cells, vectors[at, 1:])
        for at in range(_FRAMES)
    ]
    curve = np.stack([np.arange(_SECONDS), np.full(_SECONDS, 0.5)], axis=1).astype(np.float32)
    return catalogue.put_video(number.to_bytes(32, "big"), _VIDEO, frames, curve)


def measured(checkout: Path, *arguments: str) -> Cost:
    """The cost of one command of a checkout.

    Raises:
        SystemExit: it fails.
    """
    paths = [str(checkout / each) for each in ("", "kernels", "export", "plugins")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as peak:
        command = [sys.executable, "-c", _PROGRAM, peak.name, *arguments]
        began, before = time.perf_counter(), os.times()
        done = subprocess.run(
            command, capture_output=True, check=False, env=environment, cwd=checkout
        )
        wall, after = time.perf_counter() - began, os.times()
        if done.returncode not in (0, 1):  # 1: nothing matches
            raise SystemExit(done.stderr.decode())
        cpu = sum(after[2:4]) - sum(before[2:4])
        return Cost(wall, cpu, int(peak.read()) / 1024)


def rows(checkouts: Sequence[Path], scratch: Path, files: int, runs: int) -> list[str]:
    """A row of the table for each command, with a cell for each checkout, measured in turn."""
    few = files // _FEWER
    search = ("find", _QUERY, "--no-service")
    commands: dict[str, tuple[int, tuple[str, ...]]] = {
        f"`index`, {number} files": (number, ("index", str(scratch / f"{number}")))
        for number in (few, files)
    }
    commands["`status`"] = (files, ("status",))
    commands["`find`"] = (files, search)
    commands["`find --in` all of it"] = (files, (*search, "--in", str(scratch / f"{files}")))
    costs: dict[tuple[str, Path], list[Cost]] = {}
    for _ in range(runs):
        for name, (number, command) in commands.items():
            for checkout in checkouts:
                cost = measured(checkout, *command, "--library", str(scratch / f"{number}.db"))
                costs.setdefault((name, checkout), []).append(cost)
    table = []
    for name in commands:
        cells = [_cell(costs[name, checkout]) for checkout in checkouts]
        table.append(f"| {name} | {' | '.join(cells)} |")
    small, large = list(commands)[:2]
    cells = [_each(costs[small, c], costs[large, c], files - few) for c in checkouts]
    table.append(f"| `index`, a file | {' | '.join(cells)} |")
    return table


def _cell(costs: Sequence[Cost]) -> str:
    wall, cpu = min(c.wall_seconds for c in costs), min(c.cpu_seconds for c in costs)
    return f"{max(c.megabytes for c in costs):.0f} MB, {wall:.2f} s ({cpu:.2f} s CPU)"


def _each(small: Sequence[Cost], large: Sequence[Cost], files: int) -> str:
    wall = min(c.wall_seconds for c in large) - min(c.wall_seconds for c in small)
    cpu = min(c.cpu_seconds for c in large) - min(c.cpu_seconds for c in small)
    return f"{1e6 * wall / files:.1f} µs ({1e6 * cpu / files:.1f} µs CPU)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--keep", type=Path, help="keep files and libraries in this folder")
    options = parser.parse_args(arguments)
    here = Path(__file__).resolve().parent.parent
    others = [] if options.against is None else [options.against.resolve()]
    with tempfile.TemporaryDirectory() as temporary:
        scratch = (options.keep or Path(temporary)).resolve()
        for number in (options.files // _FEWER, options.files):
            library = scratch / f"{number}.db"
            if not library.exists():
                fill(scratch / f"{number}", library, number, options.seed)
            for checkout in (*others, here):  # builds the cache, and warms what disks have read
                measured(checkout, "index", str(scratch / f"{number}"), "--library", str(library))
        table = rows([*others, here], scratch, options.files, options.runs)
    print(json.dumps(describe()))
    names = [*(f"of {each.name}" for each in others), "here"]
    print(f"| unchanged | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    print("\n".join(table))


if __name__ == "__main__":
    main()
