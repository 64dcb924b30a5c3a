"""The speed and the truth of filtered searches: a filter that leaves few videos of many.

``python -m benchmarks.filters`` writes a library of synthetic videos, each a random walk among unit
vectors, with times of capture that rise; then it searches the few that ``--since`` leaves, as a
search does, and by comparing every frame of these videos that the library holds. ``recall`` is the
share of the hundred nearest frames that is found, and of ``same_answers`` queries all are.

``--library FILE --share 0.1`` searches a tenth of the videos of a library as it is, of such as
``python -m benchmarks.query --keep DIR`` leaves behind, where the index is asked.
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

__all__ = ["fill", "main", "measure", "measure_parts"]

_BEGINNING = datetime(2000, 1, 1)

# Nearest frames that are compared.
_NEAREST = 100

# Of a part of a library: those a search asks for, those it begins with, and how often it is timed.
_HITS, _FIRST, _AGAIN = 256, 24, 5


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
    scopes, searches, finds, works, same, recall = [], [], [], [], 0, []
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
                best = set(_nearest(library, vector[None], expected, _NEAREST)[0])
                found = {key[1:] for key in library.catalogue.frame_keys(hits.ids.tolist())}
                recall.append(len(found & best) / _NEAREST)
                same += chosen == expected and found == best
        for query in asked[:8]:
            library.ask(query)
        for query in asked:
            began, before = time.perf_counter(), time.process_time()
            library.ask(query)
            finds.append(time.perf_counter() - began)
            works.append(time.process_time() - before)
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
        "find_cpu_ms": _told(works),
    }


def measure_parts(path: Path, share: float, seed: int) -> dict[str, object]:
    """What sentences find in a part of a library: of all that comparing every frame finds."""
    generator = np.random.default_rng(seed)
    recall, first, searches = [], [], []
    with Library.open(path) as library, library.catalogue.snapshot():
        library.vectors.refresh()
        videos = [video for video, _ in library.catalogue.videos()]
        part = sorted(generator.choice(videos, int(share * len(videos)), replace=False).tolist())
        queries = library.profile.text_tower.encode(list(QUERIES))
        every = _nearest(library, queries, part, _HITS)
        for query, best in zip(queries, every, strict=True):
            for _ in range(_AGAIN):
                began = time.perf_counter()
                hits = library.vectors.search(query, _HITS, part)
                searches.append(time.perf_counter() - began)
            found = {key[1:] for key in library.catalogue.frame_keys(hits.ids.tolist())}
            recall.append(len(found & set(best)) / _HITS)
            first.append(len(found & set(best[:_FIRST])) / _FIRST)
        frames = library.catalogue.count_frames(part)
    return {
        "share": share,
        "frames": frames,
        "queries": len(QUERIES),
        "seed": seed,
        f"recall_of_{_HITS}": {"mean": round(float(np.mean(recall)), 3), "least": min(recall)},
        f"recall_of_{_FIRST}": {"mean": round(float(np.mean(first)), 3), "least": min(first)},
        "nearest_ms": _told(searches),
    }


def _window(generator: np.random.Generator, videos: int, left: int) -> Filters:
    """A filter that leaves so many videos of all."""
    since = _BEGINNING + timedelta(hours=int(generator.integers(videos - left)))
    return Filters(since, since + timedelta(hours=left))


def _nearest(
    library: Library, vectors: NDArray[np.float32], videos: list[int], count: int
) -> list[list[tuple[int, int]]]:
    """The frames of some videos nearest to each of some vectors: ids of videos, and ticks."""
    nearest: list[list[tuple[float, int, int]]] = [[] for _ in vectors]
    for video in videos:
        pts, _, packed = library.catalogue.frames_between(video, 0, 2**40)
        for known, similarities in zip(nearest, vectors @ dequantize(packed).T, strict=True):
            best = np.argsort(-similarities)[:count]
            known += [(-float(similarities[at]), video, int(pts[at])) for at in best]
            known[:] = nsmallest(count, known)
    return [[(video, tick) for _, video, tick in known] for known in nearest]


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
    parser.add_argument("--library", type=Path, help="search a share of this one")
    parser.add_argument("--share", type=float, default=0.1, help="of its videos")
    asked = parser.parse_args()
    if asked.library is not None:
        found = measure_parts(asked.library, asked.share, asked.seed)
        print(json.dumps({**found, "machine": describe()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = (asked.keep or Path(folder)) / "library.db"
        if not path.exists():
            fill(path, asked.videos, asked.frames, asked.seed)
        how = asked.left, asked.queries, asked.seed
        print(json.dumps({**measure(path, asked.videos, *how), "machine": describe()}))


if __name__ == "__main__":
    main()
