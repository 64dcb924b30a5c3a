"""The speed of an answer: cold (a whole process) and warm, over 1,000 synthetic hours.

``python -m benchmarks.query --footage DIR`` indexes some real footage, then fills a library with
copies of its frames, each moved a little in vector space, until it holds 1,000 hours at the same
number of frames an hour.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.cold_files import write_all
from benchmarks.machine import describe
from tempo_edge.library import Library
from tempo_edge.quantization import dequantize, quantize
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow

__all__ = ["QUERIES", "fill", "main"]

QUERIES = (
    "a dog runs through the snow",
    "people riding bicycles",
    "a woman plays the guitar",
    "children on a beach",
    "a man climbs a rock wall",
    "a red car on a road",
    "two girls laugh",
    "a plate of sushi",
)

# Ticks of all frames that a video can have.
_ALL = (-(2**63), 2**63 - 1)


def fill(seed_library: Path, target: Path, hours: float, seed: int) -> tuple[int, float]:
    """Write a library of ``hours`` one-hour videos; gives (frames, hours)."""
    with Library.open(seed_library) as library:
        profile = library.profile
        source = library.catalogue
        ids = sorted({r.video_id for r in source.files().values() if r.video_id is not None})
        packed = np.concatenate([source.frames_between(video, *_ALL)[2] for video in ids])
        vectors = dequantize(packed)
        per_hour = round(len(vectors) / source.totals()["hours"])
        video = replace(source.video(ids[0]), duration_seconds=3600.0)
    generator = np.random.default_rng(seed)
    catalogue = open_store(target).writer()
    catalogue.set_meta("profile", profile.fingerprint)
    ticks = (np.arange(per_hour) * (3600.0 / per_hour) / float(video.time_base)).astype(int)
    tokens = np.zeros((1, profile.dim), np.int8)
    for number in range(round(hours)):
        start = int(generator.integers(len(vectors)))
        base = np.take(vectors, np.arange(start, start + per_hour), axis=0, mode="wrap")
        noise = generator.normal(0, 0.6 / profile.dim**0.5, base.shape)
        moved = quantize(base + noise)
        frames = [
            FrameRow(int(ticks[i]), 0.5, bool(i % 7 == 0), moved[i], np.zeros(1, np.uint8), tokens)
            for i in range(per_hour)
        ]
        with catalogue.transaction():
            video_id = catalogue.put_video(
                number.to_bytes(32, "big"), video, frames, np.zeros((0, 2), np.float32)
            )
            path = f"/synthetic/{number:04d}.mp4"
            catalogue.put_file(FileRow(path, "", 1, 1, "indexed", "", video_id))
    totals = catalogue.totals()
    catalogue.close()
    return int(totals["frames"]), float(totals["hours"])


def cold(library: Path, grounder: str, runs: int) -> list[float]:
    """Wall seconds of whole ``find`` processes."""
    times = []
    for run in range(runs):
        command = [
            sys.executable,
            "-m",
            "tempo_edge.cli",
            "find",
            "--library",
            str(library),
            "--grounder",
            grounder,
            QUERIES[run % len(QUERIES)],
        ]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        times.append(time.perf_counter() - began)
        if done.returncode == 2:
            raise SystemExit(done.stderr.decode())
    return times


def warm(library: Path, grounder: str, runs: int) -> list[float]:
    """Wall seconds of searches in a process that has everything loaded."""
    times = []
    with Library.open(library) as opened:
        for query in QUERIES:
            opened.find(query, grounder=grounder)
        for run in range(runs):
            began = time.perf_counter()
            opened.find(QUERIES[run % len(QUERIES)], grounder=grounder)
            times.append(time.perf_counter() - began)
    return times


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="real videos to start from")
    parser.add_argument("--hours", type=float, default=1000.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep the libraries in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = options.keep or Path(folder)
        scratch.mkdir(parents=True, exist_ok=True)
        small, large = scratch / "small.db", scratch / "large.db"
        if not large.exists():
            with Library.open(small) as library:
                library.index([options.footage])
            draft = scratch / "large.draft.db"
            draft.unlink(missing_ok=True)
            fill(small, draft, options.hours, options.seed)
            draft.replace(large)
        began = time.perf_counter()
        with Library.open(large) as library:
            library.vectors.refresh()
            totals = library.catalogue.totals()
            grounders = library.searcher.pictures.grounders
        build = time.perf_counter() - began
        times = {
            f"{kind.__name__}, {grounder}": kind(large, grounder, runs)
            for grounder in reversed(grounders)
            for kind, runs in ((cold, 10), (warm, 200))
        }
        sizes = (
            large.stat().st_size / 1e6,
            sum(p.stat().st_size for p in large.with_suffix(".vectors").glob("*")) / 1e6,
        )
    write_all()
    print(json.dumps(describe()))
    print(
        f"library: {totals['hours']:.0f} h, {totals['frames']} frames, "
        f"{sizes[0]:.0f} MB database, {sizes[1]:.0f} MB cache (opened or built in {build:.1f} s)"
    )
    print("| find | median | 95th percentile | worst |\n|---|---|---|---|")
    for name, seconds in times.items():
        figures = (*np.quantile(seconds, [0.5, 0.95]), max(seconds))
        cells = [f"{1e3 * figure:.0f} ms" for figure in figures]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
