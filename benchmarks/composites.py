"""Builds composite videos whose event boundaries are known exactly, and queries with their answers.

Each video is a row of shots: captioned photographs under a slow camera and, on request, real clips.
Shots meet in hard cuts, cross-fades and fades through black; a fade's boundary is its midpoint.
Some shots hold a hard cut inside, so that a cut is not always a boundary. With `--events` most
shots are long events instead: one photograph for 10 to 40 s, without a cut or in takes of other
crops, moves and light with jump cuts between them; some videos show nothing else from beginning to
end.

Times: every time here is `pts * time_base` of the written file less that of its first frame, in
seconds: the time line that players show, whatever the file's start offset. A shot begins at the
time of its first presented frame and ends where the next one begins; the last shot ends one nominal
frame after its last frame. Spans are half-open.

Output: `vNNN.mp4` and `vNNN.mkv`, `truth.jsonl` (one query a line, see `benchmarks.scoring.Truth`)
and `manifest.json` (what was asked for, and each video's shots, boundaries and encoding).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._plan import VERSION, Query, SetPlan, Shot, VideoPlan, plan_set
from benchmarks._render import encode, presented_times
from benchmarks._shapes import EventShape, Shape
from benchmarks._sources import (
    ARCHIVES,
    SPLITS,
    CompositeError,
    Split,
    open_archive,
    photographs,
    real_clips,
)
from benchmarks.scoring import Truth
from tempo_edge._files import atomic_write

__all__ = ["CompositeError", "CompositeSet", "build_composites", "load_composites", "main"]

_RECORDS = ".records"
_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}


@dataclass(frozen=True)
class CompositeSet:
    """A finished set: its folder, what manifest.json says, and the queries of truth.jsonl."""

    folder: Path
    manifest: dict[str, Any]
    queries: tuple[Truth, ...]

    @property
    def videos(self) -> list[Path]:
        """The paths of the videos."""
        return [self.folder / video["file"] for video in self.manifest["videos"]]


def load_composites(folder: Path) -> CompositeSet:
    """A set that was built before."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        lines = (folder / "truth.jsonl").read_text().splitlines()
    except OSError as error:
        raise CompositeError(f"{folder} holds no finished set: {error}") from error
    return CompositeSet(folder, manifest, tuple(json.loads(line) for line in lines))


def build_composites(
    data: Path,
    out: Path,
    *,
    split: Split,
    videos: int,
    seed: int,
    clips: bool,
    events: bool = False,
    queries_per_video: int = 3,
    shots: tuple[int, int] | None = None,
    shot_seconds: tuple[float, float] = (2.0, 9.0),
    partition: tuple[int, int] = (1, 1),
    workers: int | None = None,
    on_video: Callable[[int, int], None] | None = None,
) -> CompositeSet:
    """Build a set in `out`, or go on with one that was interrupted, or return the finished one.

    `data` holds flickr8k and, for `clips`, clips: as folders with an index.jsonl or as tar files.
    Only photographs of `split` are used. With `events` there are long events among the shots, see
    `EventShape`. `shots` defaults to what the shape has. `partition` (k, n), k from 1, keeps to the
    k-th of n disjoint parts of the pictures: sets of different parts share none. `workers` defaults
    to the number of cores; `on_video` hears (done, of how many).

    The same arguments and data give the same shots, times and drawn pictures; the encoded bytes may
    still differ a little from run to run, since x264 does not promise them.

    Raises `CompositeError` for data that is missing or too small, and where `out` already holds
    another set.
    """
    kind = EventShape if events else Shape
    shape = kind(videos, queries_per_video, shots or kind.shots, shot_seconds)
    if not 1 <= partition[0] <= partition[1]:
        raise CompositeError(f"partition must be k of n with 1 <= k <= n, not {partition}")
    photos = photographs(data, split, partition)
    moving = [c for c in real_clips(data, partition) if c.seconds >= 3] if clips else []
    plan = plan_set(photos, moving, shape, seed)
    request: dict[str, Any] = {
        "version": VERSION,
        "split": split,
        "seed": seed,
        "clips": clips,
        "partition": list(partition),
        **json.loads(json.dumps(asdict(shape))),
        "data": {n: open_archive(data, n).fingerprint for n in _used(clips)},
        "plan": _digest(asdict(plan)),
    }
    if (out / "manifest.json").exists():
        return _finished(out, request)
    (out / _RECORDS).mkdir(parents=True, exist_ok=True)
    jobs = [partial(_build_video, data, out, video) for video in plan.videos]
    records = _run(jobs, os.cpu_count() or 1 if workers is None else workers, on_video)
    return _write_set(out, request, plan, records)


def _used(clips: bool) -> list[str]:
    return ["flickr8k", "clips"] if clips else ["flickr8k"]


def _digest(plan: Any) -> str:
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def _finished(out: Path, request: dict[str, Any]) -> CompositeSet:
    done = load_composites(out)
    if done.manifest["request"] != request:
        raise CompositeError(f"{out} holds another set; remove it or choose another folder")
    for video in done.manifest["videos"]:
        path = out / video["file"]
        if not path.is_file() or path.stat().st_size != video["bytes"]:
            raise CompositeError(f"{path} is missing or changed; remove {out} and build it again")
    return done


def _run(
    jobs: Sequence[Callable[[], dict[str, Any]]],
    workers: int,
    on_video: Callable[[int, int], None] | None,
) -> list[dict[str, Any]]:
    """Run the jobs side by side; results in the order of the jobs."""
    results: dict[int, dict[str, Any]] = {}
    for number, record in _as_done(jobs, min(workers, len(jobs))):
        results[number] = record
        if on_video is not None:
            on_video(len(results), len(jobs))
    return [results[number] for number in range(len(jobs))]


def _as_done(
    jobs: Sequence[Callable[[], dict[str, Any]]], workers: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    if workers <= 1:
        yield from ((number, job()) for number, job in enumerate(jobs))
        return
    # Not forked: a process that holds codec threads or open archives must not be copied.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        numbers = {pool.submit(job): number for number, job in enumerate(jobs)}
        try:
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _read(data: Path, source: str, file: str) -> bytes:
    return open_archive(data, ARCHIVES[source]).read(file)


def _build_video(data: Path, out: Path, plan: VideoPlan) -> dict[str, Any]:
    """Encode one video unless a run before did, and say what the manifest says of it."""
    kept, path = out / _RECORDS / f"{plan.file}.json", out / plan.file
    digest = _digest(asdict(plan))
    if kept.is_file() and path.is_file():
        before = json.loads(kept.read_text())
        if before["plan"] == digest and before["record"]["bytes"] == path.stat().st_size:
            record: dict[str, Any] = before["record"]
            return record
    with atomic_write(path, own=True) as part:
        encode(plan, partial(_read, data), part, _FORMATS[path.suffix])
    record = _describe(plan, path)
    with atomic_write(kept) as part:
        part.write_text(json.dumps({"plan": digest, "record": record}))
    return record


def _describe(plan: VideoPlan, path: Path) -> dict[str, Any]:
    kept, times = plan.kept_frames(), presented_times(path)
    if len(kept) != len(times):
        raise RuntimeError(f"{path}: {len(kept)} frames written but {len(times)} presented")
    first = times[0]
    at = {frame: seconds - first for frame, seconds in zip(kept, times, strict=True)}
    end = times[-1] - first + 1 / Fraction(plan.rate)
    starts = [at[shot.start_frame] for shot in plan.shots]
    spans = zip(plan.shots, starts, [*starts[1:], end], strict=True)
    settings = asdict(replace(plan, shots=()))
    del settings["shots"]
    return {
        **settings,
        "bytes": path.stat().st_size,
        "frames": len(times),
        "offset_seconds": float(first),
        "duration_seconds": float(end),
        "boundaries_seconds": [float(start) for start in starts[1:]],
        "shots": [_describe_shot(plan, shot, at, span) for shot, *span in spans],
    }


def _describe_shot(
    plan: VideoPlan, shot: Shot, at: dict[int, Fraction], span: Sequence[Fraction]
) -> dict[str, Any]:
    return {
        "source": shot.source,
        "item": shot.file,
        "span": [float(seconds) for seconds in span],
        "transition": shot.transition,
        "fade_seconds": float(2 * shot.half_frames / Fraction(plan.rate)),
        "inner_cuts_seconds": [float(at[take.start_frame]) for take in shot.takes[1:]],
    }


def _write_set(
    out: Path, request: dict[str, Any], plan: SetPlan, records: list[dict[str, Any]]
) -> CompositeSet:
    shots = {record["file"]: record["shots"] for record in records}
    queries = tuple(_truth(query, shots) for query in plan.queries)
    present = sum(query["present"] for query in queries)
    manifest = {
        "request": request,
        "present_queries": present,
        "absent_queries": len(queries) - present,
        "seconds": sum(record["duration_seconds"] for record in records),
        "videos": records,
    }
    with atomic_write(out / "truth.jsonl") as part:
        part.write_text("".join(json.dumps(query) + "\n" for query in queries))
    # The manifest comes last: a folder that has one is complete.
    with atomic_write(out / "manifest.json") as part:
        part.write_text(json.dumps(manifest, indent=1) + "\n")
    for kept in (out / _RECORDS).iterdir():
        kept.unlink()
    (out / _RECORDS).rmdir()
    return CompositeSet(out, manifest, queries)


def _truth(query: Query, shots: dict[str, list[dict[str, Any]]]) -> Truth:
    key = query.source, query.item
    seen = shots[query.video] if query.video is not None else []
    return {
        "query": query.text,
        "present": query.video is not None,
        "kind": "absent" if query.video is None else "present",
        "file": query.video,
        "spans": [shot["span"] for shot in seen if (shot["source"], shot["item"]) == key],
        "source": query.source,
        "item": query.item,
    }


def _partition(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    return int(part), int(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.composites",
        description="Build composite videos with exactly known boundaries, and queries for them.",
    )
    parser.add_argument("--data", type=Path, required=True, help="holds flickr8k and clips")
    parser.add_argument("--out", type=Path, required=True, help="folder for the set")
    parser.add_argument("--split", choices=SPLITS, required=True)
    parser.add_argument("--videos", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", action="store_true", help="use real clips, too")
    parser.add_argument(
        "--events", action="store_true", help="long events with jump cuts inside, and without"
    )
    parser.add_argument(
        "--partition",
        type=_partition,
        default=(1, 1),
        metavar="K/N",
        help="use only the K-th of N disjoint parts of the pictures",
    )
    parser.add_argument("--workers", type=int, help="processes; default: the number of cores")
    return parser


def _progress(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r{done}/{total} videos", end=end, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    args = _parser().parse_args(argv)
    began = time.perf_counter()
    try:
        done = build_composites(**vars(args), on_video=_progress)
    except CompositeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"{done.folder}: {len(done.videos)} videos, {done.manifest['seconds'] / 60:.1f} minutes, "
        f"{done.manifest['present_queries']} present and {done.manifest['absent_queries']} absent "
        f"queries, in {time.perf_counter() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
