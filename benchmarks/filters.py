"""The speed and the truth of filtered searches: a filter that leaves few videos of many.

``python -m benchmarks.filters`` writes a library of synthetic videos, each a random walk among unit
vectors, with times of capture that rise; then it searches the few that ``--since`` leaves, as a
search does, and by comparing every frame of these videos that the library holds. ``recall`` is the
share of the hundred nearest frames that is found, and of ``same_answers`` queries all are. Where
``--left 6000`` leaves more frames than are compared one by one, the index is asked.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import datetime, timedelta
from fractions import Fraction
from heapq import nsmallest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.query import QUERIES
from tempo_edge.capture.facts import Capture, Instant
from tempo_edge.filters import Filters
from tempo_edge.library import Library
from tempo_edge.models import load_profile
from tempo_edge.quantization import dequantize, quantize
from tempo_edge.query import Query
from tempo_edge.search.scope import videos_of
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["fill", "main", "measure"]

_BEGINNING = datetime(2000, 1, 1)

# Nearest frames that are compared.
_NEAREST = 100


def fill(target: Path, videos: int, frames: int, seed: int) -> None:
    """Write a library of videos of some frames each, taken an hour apart."""
    profile = load_profile("nano")
    generator = np.random.default_rng(seed)
    facts = VideoRow("h264", 1920, 1080, float(frames), Fraction(25), Fraction(1), Fraction(0))
    nothing = np.zeros(0, np.uint8), np.zeros((0, profile.dim), np.int8)
    curve = np.zeros((0, 2), np.float32)
    with open_store(target).writer() as writer:
        writer.set_meta("profile", profile.fingerprint)
        for start in range(0, videos, 200):
            with writer.transaction():
                for number in range(start, min(videos, start + 200)):
                    steps = generator.standard_normal((frames, profile.dim))
                    packed = quantize(generator.standard_normal(profile.dim) + 0.5 * steps)
                    rows = [FrameRow(i, 0.5, False, packed[i], *nothing) for i in range(frames)]
                    key = number.to_bytes(32, "big")
                    video = writer.put_video(key, facts, rows, curve)
                    path = f"/synthetic/{number:06d}.mp4"
                    writer.put_file(FileRow(path, "", 1, 1, "indexed", "", video))
                    taken = Instant(_BEGINNING + timedelta(hours=number))
                    writer.note_capture(path, "", Capture(taken, "container"))


def measure(path: Path, videos: int, left: int, queries: int, seed: int) -> dict[str, object]:
    """Milliseconds of filtered searches, and how many of them found what there is to find."""
    generator = np.random.default_rng(seed)
    scopes, searches, finds, same, recall = [], [], [], 0, []
    with Library.open(path) as library:
        with library.catalogue.snapshot():
            library.vectors.refresh(writing=True)
        asked = [
            Query(sentence, grounder="curve", filters=_window(generator, videos, left))
            for sentence in np.resize(QUERIES, queries).tolist()
        ]
        with library.catalogue.snapshot():
            for query in asked:
                vector = generator.standard_normal(library.profile.dim).astype(np.float32)
                vector /= np.linalg.norm(vector)
                began = time.perf_counter()
                chosen = videos_of(query, library.catalogue)
                scoped = time.perf_counter()
                hits = library.vectors.search(vector, _NEAREST, chosen)
                scopes.append(scoped - began)
                searches.append(time.perf_counter() - scoped)
                # Every frame of the library that was taken then, whatever a filter makes of it.
                assert query.filters.since is not None
                first = (query.filters.since - _BEGINNING) // timedelta(hours=1) + 1
                expected = list(range(first, first + left))
                best = _nearest(library, vector, expected)
                found = {key[1:] for key in library.catalogue.frame_keys(hits.ids.tolist())}
                recall.append(len(found & best) / _NEAREST)
                same += chosen == expected and found == best
        for query in asked[:8]:
            library.ask(query)
        for query in asked:
            began = time.perf_counter()
            library.ask(query)
            finds.append(time.perf_counter() - began)
    return {
        "videos": videos,
        "left": left,
        "queries": queries,
        "seed": seed,
        "same_answers": same,
        "recall": round(float(np.mean(recall)), 4),
        "filter_ms": _told(scopes),
        "nearest_ms": _told(searches),
        "find_ms": _told(finds),
    }


def _window(generator: np.random.Generator, videos: int, left: int) -> Filters:
    """A filter that leaves so many videos of all."""
    since = _BEGINNING + timedelta(hours=int(generator.integers(videos - left)))
    return Filters(since, since + timedelta(hours=left))


def _nearest(
    library: Library, vector: NDArray[np.float32], videos: list[int]
) -> set[tuple[int, int]]:
    """The nearest of all frames of some videos, each compared: ids of videos, and ticks."""
    compared: list[tuple[float, int, int]] = []
    for video in videos:
        pts, _, packed = library.catalogue.frames_between(video, 0, 2**40)
        similarities = (dequantize(packed) @ vector).tolist()
        compared += [(-s, video, tick) for s, tick in zip(similarities, pts.tolist(), strict=True)]
    return {(video, tick) for _, video, tick in nsmallest(_NEAREST, compared)}


def _told(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and the worst of some times, in milliseconds."""
    middle, most = np.quantile(seconds, [0.5, 0.95]).tolist()
    figures = {"median": middle, "p95": most, "worst": max(seconds)}
    return {name: round(1000 * value, 2) for name, value in figures.items()}


def main() -> None:
    """``python -m benchmarks.filters``: figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=40, help="of each video")
    parser.add_argument("--left", type=int, default=20, help="videos that each filter leaves")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep the library in this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (asked.keep or Path(folder)) / "library.db"
        if not path.exists():
            fill(path, asked.videos, asked.frames, asked.seed)
        how = asked.left, asked.queries, asked.seed
        print(json.dumps({**measure(path, asked.videos, *how), "machine": describe()}))


if __name__ == "__main__":
    main()
