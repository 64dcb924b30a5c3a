"""The time of indexing many short clips, one short film, and a film on a slow disk.

``python -m benchmarks.reading_clips`` draws clips of 10 s of H.264 in 1080p, as they are cut (every
5 s) and as a phone takes them (one shot, a key frame every second), a film of 30 s, and two of a
camera, and indexes each in whole ``tempo-edge index`` processes: as the code is, as it was at
``--before`` (a revision, checked out beside it), and, for what is not on a slow disk, against a
limit: one process that demuxes the same files, decodes their key frames and encodes as many
pictures as were stored, on all cores, and does nothing else. All in turn, in one run. A core is
busy where it runs that process: CPU seconds over wall time times cores.

The disk is slowed by a control group of the kernel (``io.max``, or ``blkio.throttle`` where there
is that), which wants root; films are dropped from the cache before each run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks._reading_films import Recipe, repeat, write
from benchmarks.cold_files import forget
from benchmarks.machine import describe
from benchmarks.usage import Usage, waited
from tempo_edge._cores import cpu_count
from tempo_edge.indexing.medium import Media
from tempo_edge.media import DecodeRange, open_video
from tempo_edge.models.registry import Profile, load_profile

__all__ = ["Run", "SlowDisk", "least", "main", "table"]

ROOT = Path(__file__).parents[1]

#: Parts of the measurement.
PARTS = ("clips", "film", "disk")

_BATCH = 16
_CLIP_SECONDS = 10

# What clips are of, if not of one's own film.
_CLIPS = {"with a cut every 5 s": "h264-2s", "of one shot each": "h264-phone"}

# What is read from the slow disk: 1080p as phones and as cameras write it.
_FROM_DISK = {"8 Mbit/s": "h264-10s", "50 Mbit/s": "h264-camera"}


@dataclass(frozen=True)
class Run:
    """One process: ``frames`` are those stored; ``read_megabytes`` what the kernel fetched."""

    name: str
    way: str
    footage_seconds: float
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    read_megabytes: float
    frames: int

    @property
    def busy(self) -> float:
        """The share of all cores that it kept busy."""
        return self.cpu_seconds / (self.wall_seconds * cpu_count())


# -- what is indexed -----------------------------------------------------------------------------


def write_clips(folder: Path, count: int, source: Path) -> None:
    """Write clips from a film's packets, each with another title, so that no two are alike."""
    folder.mkdir()
    one = folder.with_name("one.mp4")
    repeat(source, one, _CLIP_SECONDS)
    for number in range(count):
        with av.open(str(one)) as reader, av.open(str(folder / f"{number:03}.mp4"), "w") as writer:
            writer.metadata["title"] = f"clip {number}"
            streams = {each.index: writer.add_stream_from_template(each) for each in reader.streams}
            for packet in reader.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream_index]
                    writer.mux(packet)
    one.unlink()


# -- the disk --------------------------------------------------------------------------------------


class SlowDisk:
    """A control group in which reading from a disk is slow. A context manager.

    Args:
        path: something on that disk.
        rate: bytes a second.

    Raises:
        OSError: there is no such disk, or the kernel does not grant it.
    """

    def __init__(self, path: Path, rate: int) -> None:
        disks = Media().of(str(path)).disks
        if not disks:
            raise OSError(f"the kernel names no disk for {path}")
        number = Path("/sys/class/block", disks[0], "dev").read_text(encoding="ascii").strip()
        groups = Path("/sys/fs/cgroup")
        self.how, self._group, file, line = "", Path(), "", ""
        if (groups / "cgroup.controllers").exists():
            self.how, self._group = "io.max", groups / "tempo-edge-slow"
            file, line = "io.max", f"{number} rbps={rate}"
            with suppress(OSError):
                (groups / "cgroup.subtree_control").write_text("+io", encoding="ascii")
        else:
            self.how, self._group = "blkio.throttle", groups / "blkio" / "tempo-edge-slow"
            file, line = "blkio.throttle.read_bps_device", f"{number} {rate}"
        self._group.mkdir(exist_ok=True)
        try:
            (self._group / file).write_text(line, encoding="ascii")
        except OSError:
            self._group.rmdir()
            raise

    def __enter__(self) -> list[str]:
        """Words before a command that has it read slowly."""
        enter = (
            "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); "
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        return [sys.executable, "-c", enter, str(self._group / "cgroup.procs")]

    def __exit__(self, *_: object) -> None:
        self._group.rmdir()


# -- the limit -------------------------------------------------------------------------------------


def least(paths: Sequence[Path], frames: int) -> None:
    """Demux films, decode their key frames, encode some pictures of them; nothing else."""
    profile = load_profile("nano")
    with ThreadPoolExecutor(cpu_count()) as pool:
        found = pool.map(partial(_thumbnails, profile), paths)
        pictures = [picture for part in found for picture in part]
        batches = [
            [
                pictures[(start + each) % len(pictures)]
                for each in range(min(_BATCH, frames - start))
            ]
            for start in range(0, frames, _BATCH)
        ]
        list(pool.map(lambda batch: profile.image_tower.encode(np.stack(batch)), batches))


def _thumbnails(profile: Profile, path: Path) -> list[NDArray[np.uint8]]:
    with open_video(path, whole=True) as video:
        table = video.packets()
        keys = table.pts[table.keys].tolist()
        return [
            frame.thumbnail(profile.image_size)
            for key in keys
            for frame in video.frames(DecodeRange(key, key))
        ]


# -- measuring -------------------------------------------------------------------------------------


@contextmanager
def before(revision: str, folder: Path) -> Iterator[Path]:
    """A checkout of the code as it was."""
    tree = folder / "before"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def index(
    name: str, way: str, code: Path, films: Path, scratch: Path, slowly: Sequence[str] = ()
) -> Run:
    """Index a file or a folder into a new library, with the code of a checkout."""
    scratch = Path(tempfile.mkdtemp(dir=scratch))
    library = scratch / "library.db"
    command = [sys.executable, "-m", "tempo_edge.cli"]
    indexing = [*slowly, *command, "index", "-q", "--library", str(library), str(films)]
    told = ["status", "--json", "--library", str(library)]
    wall, usage = _timed(indexing, films, code)
    status = subprocess.run([*command, *told], env=_at(code), check=True, capture_output=True)
    facts = json.loads(status.stdout)
    shutil.rmtree(scratch)
    return _run(name, way, facts["hours"] * 3600, wall, usage, facts["frames"])


def limit(name: str, films: Path, done: Run) -> Run:
    """The limit for what an indexing process did."""
    program = (
        "import sys; from pathlib import Path; from benchmarks.reading_clips import least; "
        "least([Path(each) for each in sys.argv[2:]], int(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, str(done.frames), *map(str, _files(films))]
    wall, usage = _timed(command, films, ROOT)
    return _run(name, "limit", done.footage_seconds, wall, usage, done.frames)


def _timed(command: Sequence[str], films: Path, code: Path) -> tuple[float, Usage]:
    forget(_files(films))
    began = time.perf_counter()
    process = subprocess.Popen(command, env=_at(code), cwd=code)
    usage = waited(process)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return wall, usage


def _at(code: Path) -> dict[str, str]:
    """The environment of a process that runs the code of a checkout."""
    parts = [str(code), *(str(code / part) for part in ("kernels", "export", "plugins"))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(parts)}


def _files(films: Path) -> list[Path]:
    return sorted(films.iterdir()) if films.is_dir() else [films]


def _run(name: str, way: str, footage: float, wall: float, usage: Usage, frames: int) -> Run:
    peak, read = usage.peak_kilobytes / 1024, usage.read_bytes / 1e6
    return Run(name, way, footage, wall, usage.cpu_seconds, peak, read, frames)


def table(runs: Sequence[Run]) -> str:
    """GitHub markdown."""
    lines = [
        "| what | as | footage | wall | x real time | CPU | cores busy | peak | read | frames |",
        "|---|---|" + 8 * "---:|",
    ]
    lines += [
        f"| {run.name} | {run.way} | {run.footage_seconds:.0f} s | {run.wall_seconds:.2f} s | "
        f"{run.footage_seconds / run.wall_seconds:.1f} | {run.cpu_seconds:.1f} s | "
        f"{run.busy:.0%} | {run.peak_megabytes:.0f} MB | {run.read_megabytes:.0f} MB | "
        f"{run.frames} |"
        for run in runs
    ]
    return "\n".join(lines)


def _prepared(
    parts: Sequence[str], options: argparse.Namespace, drawn: Path, scratch: Path
) -> Iterator[tuple[str, Path, bool]]:
    """(what, its file or folder, whether it is read slowly), written one after the other."""

    def source(coding: str) -> Path:
        film: Path = options.film or scratch / f"{coding}.mp4"
        if not film.exists():
            write(Recipe(coding, "mp4", 30), film, drawn)
        return film

    kinds = {"of the film": ""} if options.film else _CLIPS
    for name, coding in kinds.items() if "clips" in parts else ():
        clips = scratch / f"clips {coding}"
        write_clips(clips, options.clips, source(coding))
        yield f"{options.clips} clips of {_CLIP_SECONDS} s {name}", clips, False
    if "film" in parts:
        film = scratch / "film.mp4"
        repeat(source("h264-2s"), film, 30)
        yield "one film of 30 s", film, False
    for name, coding in _FROM_DISK.items() if "disk" in parts else ():
        film = scratch / "slow.mp4"
        write(Recipe(coding, "mp4", options.seconds), film, drawn)
        yield f"{name} from {options.disk:g} MB/s", film, True


def _measured(
    name: str, films: Path, old: Path, scratch: Path, rate: float | None
) -> Iterator[Run]:
    """The code as it is, as it was, and the limit; only the first two from a slow disk."""
    if rate is None:
        now = index(name, "now", ROOT, films, scratch)
        yield from (now, index(name, "before", old, films, scratch), limit(name, films, now))
        return
    try:
        disk = SlowDisk(films, int(rate * 1e6))
    except OSError as error:
        print(f"{name}: not measured, the kernel slows no disk here: {error}", file=sys.stderr)
        return
    with disk as slowly:
        for way, code in (("now", ROOT), ("before", old)):
            yield index(name, way, code, films, scratch, slowly)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--part", action="append", choices=PARTS, help="all, if none is named")
    parser.add_argument("--clips", type=int, default=200, help="how many")
    parser.add_argument("--film", type=Path, help="clips and the short film are of this one")
    parser.add_argument("--films", type=Path, help="keep what is drawn in this folder")
    parser.add_argument("--disk", type=float, default=40.0, help="megabytes a second")
    parser.add_argument("--seconds", type=int, default=180, help="of the films on the slow disk")
    parser.add_argument("--before", default="28391db", help="a revision to compare with")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(arguments)
    parts = options.part or PARTS
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as made, before(options.before, Path(made)) as old:
        scratch = Path(made)
        drawn = options.films or scratch / "drawn"
        drawn.mkdir(parents=True, exist_ok=True)
        for name, films, is_slow in _prepared(parts, options, drawn, scratch):
            for _ in range(options.rounds):
                for run in _measured(name, films, old, scratch, options.disk if is_slow else None):
                    runs.append(run)
                    print(table([run]).splitlines()[-1], file=sys.stderr)
    print(table(runs))
    print(json.dumps({**describe(), "runs": [asdict(run) for run in runs]}))


if __name__ == "__main__":
    main()
