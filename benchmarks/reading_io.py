"""Bytes that indexing reads of a film, and its time against the least that it could take.

``python -m benchmarks.reading_io`` makes films of moving, grained texture, indexes each in whole
``tempo-edge index`` processes, and prints a row a film: the bytes that were read of it, as a share
of its size, today and as it was before (hash all of it, demux all of it, then decode), and the time
of the process against a limit: a process that demuxes the film, decodes its key frames and encodes
as many pictures as were stored, and does nothing else. All three in turn, in one run.

Bytes are those that the kernel fetched for the process (``ru_inblock``), the film having been
dropped from its cache. Beside it stand what all calls to read got (``rchar``, less what a process
gets for a film of a second, programs and models), which counts again what is read twice and comes
from the cache, and what the file objects of :mod:`tempo_edge.media` read.

``--films FOLDER`` keeps what was drawn for the next run; ``--film NAME`` takes one of the films.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from benchmarks import reading_clips
from benchmarks._reading_films import RECIPES, repeat, write
from benchmarks.cold_files import forget
from benchmarks.machine import describe
from benchmarks.usage import waited
from tempo_edge._cores import cpu_count
from tempo_edge.cli.entry import main as tempo_edge
from tempo_edge.indexing import footage
from tempo_edge.media import DecodeRange, PacketTable, Video, _blocks, open_video
from tempo_edge.models.registry import load_profile

__all__ = ["Cost", "Row", "child", "main", "measure", "table"]

_BATCH = 16


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes:
        read_bytes: what the kernel fetched from the disk.
        called_bytes: what its calls to read got.
        object_bytes: what file objects read of the film.
        wall_seconds, cpu_seconds: time, and time of processors.
    """

    read_bytes: int
    called_bytes: int
    object_bytes: int
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Row:
    """A film, and what it costs now, and, where that was measured, before and at the least."""

    name: str
    film_bytes: int
    now: Cost
    before: Cost | None = None
    limit: Cost | None = None


# -- what each process does --------------------------------------------------------------------


def child(way: str, film: str, library: str, frames: str) -> None:
    """The work of one process; it prints a report as JSON."""
    report: dict[str, Any] = {"object_bytes": 0}
    begun = _called_for()
    if way == "limit":
        _least(Path(film), int(frames))
    else:
        old = _as_before(Path(film)) if way == "before" else contextlib.nullcontext()
        sys.argv[1:] = ["index", "--library", library, "-q", film]
        with _counting(report), old, contextlib.suppress(SystemExit):
            tempo_edge()
    report["called_bytes"] = _called_for() - begun
    print(json.dumps(report))


def _called_for() -> int:
    """Bytes that this process has got from its calls to read, of whatever file."""
    told = Path("/proc/self/io").read_text(encoding="ascii").split()
    return int(told[told.index("rchar:") + 1])


@contextlib.contextmanager
def _counting(report: dict[str, Any]) -> Iterator[None]:
    """Add up what file objects read."""
    close = _blocks.BlockFile.close

    def closing(file: _blocks.BlockFile) -> None:
        report["object_bytes"] += file.bytes_read
        file.bytes_read = 0
        close(file)

    with mock.patch.object(_blocks.BlockFile, "close", closing):
        yield


@contextlib.contextmanager
def _as_before(film: Path) -> Iterator[None]:
    """Hash the film, and let the indexer demux all of it."""

    def whole(
        path: Path, decoder: str = "pyav", table: PacketTable | None = None, **_: Any
    ) -> Video:
        return open_video(path, decoder, table, whole=True)

    digest = hashlib.sha256()
    with film.open("rb", buffering=0) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    with mock.patch.object(footage, "open_video", whole):
        yield


def _least(film: Path, frames: int) -> None:
    """Demux a film, decode its key frames, encode some pictures of them; nothing else."""
    profile = load_profile("nano")
    with open_video(film, whole=True) as video:
        table = video.packets()
    keys = table.pts[table.keys].tolist()
    workers = cpu_count()
    size = partial(_thumbnails, film, table, profile.image_size)
    with ThreadPoolExecutor(workers) as pool:
        parts = pool.map(size, [keys[start::workers] for start in range(workers)])
        pictures = [picture for part in parts for picture in part]
    for start in range(0, frames, _BATCH):
        count = min(_BATCH, frames - start)
        chosen = [pictures[(start + each) % len(pictures)] for each in range(count)]
        profile.image_tower.encode(np.stack(chosen))


def _thumbnails(
    film: Path, table: PacketTable, size: int, keys: Sequence[int]
) -> list[NDArray[np.uint8]]:
    with open_video(film, table=table) as video:
        return [
            frame.thumbnail(size) for key in keys for frame in video.frames(DecodeRange(key, key))
        ]


# -- measuring ---------------------------------------------------------------------------------


def measure(name: str, film: Path, scratch: Path, *, now_only: bool = False) -> Row:
    """Index a film as now and as before, each into a new library, and find the limit."""
    now = _cost("now", film, scratch / "now.db")
    before = limit = None
    if not now_only:
        before = _cost("before", film, scratch / "before.db")
        limit = _cost("limit", film, scratch / "none.db", _frames(scratch / "now.db"))
    for library in ("now", "before"):
        for path in scratch.glob(f"{library}.*"):
            if path.is_file():
                path.unlink()
    return Row(name, film.stat().st_size, now, before, limit)


def _less(row: Row, idle: Row) -> Row:
    """A row without the bytes that a process calls for whatever the film."""

    def less(cost: Cost, other: Cost) -> Cost:
        return replace(cost, called_bytes=cost.called_bytes - other.called_bytes)

    before = less(row.before, idle.before) if row.before and idle.before else None
    return replace(row, now=less(row.now, idle.now), before=before)


def _frames(library: Path) -> int:
    command = [sys.executable, "-m", "tempo_edge.cli", "status", "--json", "--library"]
    told = subprocess.run([*command, str(library)], check=True, capture_output=True).stdout
    return int(json.loads(told)["frames"])


def _cost(way: str, film: Path, library: Path, frames: int = 0) -> Cost:
    forget([film])
    code = "import sys; from benchmarks.reading_io import child; child(*sys.argv[1:])"
    command = [sys.executable, "-c", code, way, str(film), str(library), str(frames)]
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        usage = waited(process)
        wall = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"{way} {film} ended with status {process.returncode}")
        output.seek(0)
        report = json.loads(output.read().splitlines()[-1])
    called, by_objects = report["called_bytes"], report["object_bytes"]
    return Cost(usage.read_bytes, called, by_objects, wall, usage.cpu_seconds)


def table(rows: Sequence[Row]) -> str:
    """GitHub markdown."""
    lines = [
        "| film | MB | read, of it | by calls | by file objects | read before | by calls before | "
        "now | before | limit | time / limit |",
        "|---|" + 10 * "---:|",
    ]
    for row in rows:
        now, before, limit = row.now, row.before, row.limit
        shares = [now.read_bytes, now.called_bytes, now.object_bytes]
        shares += [before.read_bytes, before.called_bytes] if before else []
        cells = [row.name, f"{row.film_bytes / 1e6:.0f}"]
        cells += [f"{share / row.film_bytes:.3f}" for share in shares]
        cells += [] if before else ["", ""]
        for cost in (now, before, limit):
            cells.append(
                f"{cost.wall_seconds:.1f} s ({cost.cpu_seconds:.1f} s CPU)" if cost else ""
            )
        cells.append(f"{now.wall_seconds / limit.wall_seconds:.2f}" if limit else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--film", action="append", choices=RECIPES, help="all, if none is named")
    parser.add_argument("--films", type=Path, help="keep what is drawn in this folder")
    parser.add_argument(
        "--clips", action="store_true", help="then clips, a short film and a slow disk as well"
    )
    parser.add_argument(
        "--now-only", action="store_true", help="leave out the code of before and the limit"
    )
    parser.add_argument("--seconds", type=int, help="make all films this long")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        drawn = options.films or scratch
        drawn.mkdir(parents=True, exist_ok=True)
        for name in options.film or RECIPES:
            recipe = RECIPES[name]
            film = scratch / f"film.{recipe.suffix}"
            write(recipe, film, drawn, options.seconds)
            if not rows:  # programs and models are in the kernel's cache from here on
                warm = scratch / f"warm.{recipe.suffix}"
                repeat(film, warm, 1)
                idle = measure("nothing", warm, scratch, now_only=options.now_only)
                warm.unlink()
            row = measure(name, film, scratch, now_only=options.now_only)
            rows.append(_less(row, idle))
            film.unlink()
    print(table(rows))
    print(json.dumps({**describe(), "rows": [asdict(row) for row in rows]}))
    if options.clips:
        reading_clips.main([] if options.films is None else ["--films", str(options.films)])


if __name__ == "__main__":
    main()
