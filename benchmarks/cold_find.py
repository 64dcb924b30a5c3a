"""The speed of a first answer with a large model: whole ``find`` processes, end to end.

``python -m benchmarks.cold_find`` writes files of SigLIP 2's published sizes with random weights,
prepares them as ``models use`` does, indexes a small film with them, and times cold searches: every
process opens the library, checks the model's files, reads the sentence and answers. Once with these
files in the page cache, and once with each of them dropped from it before each process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks.cold_files import forget, write_all
from benchmarks.machine import describe
from benchmarks.query import QUERIES
from benchmarks.stand_in import write_siglip2
from benchmarks.usage import of_children, waiting
from tempo_edge.models import Profile
from tempo_edge.models.preparation import Preparation
from tempo_edge.models.registry import read_profile
from tempo_edge.search.inspection import inspect

__all__ = ["main"]

# A film of pictures that change every second.
_SECONDS, _RATE = 12, 12


@dataclass(frozen=True)
class Spent:
    """The time of a process: of the clock, and of all its threads on a core."""

    wall_seconds: float
    cpu_seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep what is prepared in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = (options.keep or Path(folder)).resolve()
        environment = _environment(scratch)
        library = scratch / "library.db"
        if not library.exists():
            _prepare(scratch, options.seed)
            film = scratch / "film.mp4"
            _write_film(film, options.seed)
            _run(["index", str(film), "-q", "--profile", "siglip2"], library, environment)
        profile = read_profile(scratch / "profiles" / "siglip2")
        files = [*(profile.folder / each for each in profile.files), *_beside(library, scratch)]
        find = ["find", "--no-service", "--min-confidence", "0"]
        _run([*find, QUERIES[-1]], library, environment)  # the page cache has all
        warm, cold = [], []
        for each in range(options.runs):
            query = QUERIES[each % len(QUERIES)]
            warm.append(_run([*find, query], library, environment))
            _drop(files)
            cold.append(_run([*find, query], library, environment))
        _report(profile, warm, cold)


def _environment(scratch: Path) -> dict[str, str]:
    """The environment of a user of their own, who has this profile."""
    for name in ("DATA", "CACHE", "CONFIG", "STATE"):
        os.environ[f"XDG_{name}_HOME"] = str(scratch / name.lower())
    os.environ["TEMPO_EDGE_PROFILES"] = str(scratch / "profiles")
    return dict(os.environ)


def _prepare(scratch: Path, seed: int) -> None:
    """Make the profile, and read its generic sentences."""
    encoder = write_siglip2(scratch / "published", seed)
    began = time.perf_counter()
    store, source = scratch / "profiles", scratch / "published"
    profile = Preparation(encoder, store, source=source, tell=_note).run(inspect)
    _note(f"prepared in {time.perf_counter() - began:.0f} s; reading generic sentences")
    began = time.perf_counter()
    _ = profile.sentences
    _note(f"read {len(profile.sentences)} sentences in {time.perf_counter() - began:.0f} s")


def _write_film(path: Path, seed: int) -> None:
    """Squares that change every second."""
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(_SECONDS):
            small = rng.integers(0, 256, (6, 8, 3), np.uint8)
            picture = small.repeat(40, axis=0).repeat(40, axis=1)
            for _ in range(_RATE):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _run(arguments: list[str], library: Path, environment: dict[str, str]) -> Spent:
    """The time that a whole process of the command line takes.

    Raises:
        SystemExit: it failed.
    """
    command = [sys.executable, "-m", "tempo_edge.cli", *arguments, "--library", str(library)]
    began, before = time.perf_counter(), of_children()
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    seconds, after = time.perf_counter() - began, of_children()
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode())
    return Spent(seconds, after.cpu_seconds - before.cpu_seconds)


def _beside(library: Path, scratch: Path) -> Iterable[Path]:
    """The library's files and what is cached."""
    yield from (path for path in library.parent.glob("library.*") if path.is_file())
    yield from (path for path in (scratch / "cache").rglob("*") if path.is_file())


def _drop(files: Iterable[Path]) -> None:
    """Have the system forget what it has of files in memory."""
    write_all()
    forget(files)  # some of them a process shared, and they are gone


def _report(profile: Profile, warm: list[Spent], cold: list[Spent]) -> None:
    print(json.dumps(describe()))
    load = waiting()
    sizes = {each: (profile.folder / each).stat().st_size / 1e6 for each in sorted(profile.files)}
    print(", ".join(f"{name} {size:.0f} MB" for name, size in sizes.items()))
    print(f"{load:.1f} processes wanted a core, on average of the last minute")
    print("| cold find | median | worst | CPU seconds, median |\n|---|---:|---:|---:|")
    for name, spent in (("files in the page cache", warm), ("files on the disk", cold)):
        wall = [each.wall_seconds for each in spent]
        cpu = np.median([each.cpu_seconds for each in spent])
        row = f"{1e3 * np.median(wall):.0f} ms | {1e3 * max(wall):.0f} ms | {cpu:.2f}"
        print(f"| {name} | {row} |")


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
