"""A library on a server beside one in a file: how quickly frames are put and found, and how many.

``python -m benchmarks.team --library postgresql://USER@HOST/DATABASE`` fills that library, which
must be empty, and one in a file with the same made-up videos: shots of scenes of topics, as they
lie in a vector space. Both are asked the same, and held against a comparison with every frame.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from tempo_edge._console.text import note
from tempo_edge.quantization import dequantize, quantize, unit
from tempo_edge.store.interface import Store, WritableCatalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow
from tempo_edge.store.vectors import Vectors

__all__ = ["Made", "main", "measure"]

# Numbers of a vector, frames of a video, shots in it, topics of all, nearest frames compared.
_DIM, _FRAMES, _SHOTS, _TOPICS, _NEAREST = 256, 400, 20, 300, 100

_FACTS = VideoRow("h264", 1920, 1080, 400.0, Fraction(25), Fraction(1), Fraction(0))


@dataclass(frozen=True)
class Made:
    """What is made up: so many videos with so many tokens a frame, by a seed."""

    videos: int
    tokens: int
    seed: int


def _directions(generator: np.random.Generator, count: int) -> NDArray[np.float32]:
    return unit(generator.standard_normal((count, _DIM)).astype(np.float32))


def _videos(count: int, seed: int) -> Iterator[NDArray[np.int8]]:
    """The looks ``[frames, d]`` of each of some videos."""
    generator = np.random.default_rng(seed)
    topics = _directions(generator, _TOPICS)
    for _ in range(count):
        scene = topics[generator.integers(_TOPICS)] + 0.8 * _directions(generator, 1)[0]
        shots = unit(scene + 0.9 * _directions(generator, _SHOTS))
        looks = np.repeat(shots, _FRAMES // _SHOTS, axis=0)
        yield quantize(looks + 0.5 * _directions(generator, _FRAMES))


def _fill(writer: WritableCatalogue, made: Made) -> None:
    cells = np.arange(made.tokens, dtype=np.uint8)
    tokens = np.ones((made.tokens, _DIM), np.int8)
    curve = np.zeros((0, 2), np.float32)
    for number, looks in enumerate(_videos(made.videos, made.seed)):
        rows = [FrameRow(pts, 0.5, False, look, cells, tokens) for pts, look in enumerate(looks)]
        with writer.transaction():
            video = writer.put_video(number.to_bytes(32, "big"), _FACTS, rows, curve)
            writer.put_file(FileRow(f"/made/{number:06d}", "", 1, 1, "indexed", "", video))


def _asked(made: Made) -> NDArray[np.float32]:
    """Queries ``[n, d]``: frames, less and less like themselves."""
    generator = np.random.default_rng(made.seed + 1)
    picks = generator.integers(made.videos * _FRAMES, size=40)
    looks = np.zeros((len(picks), _DIM), np.float32)
    for number, each in enumerate(_videos(made.videos, made.seed)):
        here = np.flatnonzero(picks // _FRAMES == number)
        looks[here] = dequantize(each[picks[here] % _FRAMES])
    noise = np.linspace(0.3, 3.0, len(picks))[:, None].astype(np.float32)
    return unit(looks + noise * _directions(generator, len(picks)))


def _nearest(made: Made, queries: NDArray[np.float32]) -> NDArray[np.int64]:
    """The frames ``[n, k]`` that are nearest to each query, of all, few of which are held."""
    best = np.full((len(queries), _NEAREST), -np.inf, np.float32)
    frames = np.full(best.shape, -1, np.int64)
    for number, each in enumerate(_videos(made.videos, made.seed)):
        near = queries @ dequantize(each).T
        if (near > best[:, :1]).any():
            ids = np.arange(number * _FRAMES, (number + 1) * _FRAMES)
            both = np.concatenate([best, near], axis=1)
            known = np.concatenate([frames, np.broadcast_to(ids, near.shape)], axis=1)
            # The least of the best comes first.
            order = np.argsort(both, axis=1, kind="stable")[:, -_NEAREST:]
            best, frames = (np.take_along_axis(part, order, axis=1) for part in (both, known))
    return frames


def measure(name: str, made: Made) -> dict[str, Any]:
    """The figures of a library on a server and of one in a file."""
    queries = _asked(made)
    truth = _nearest(made, queries)
    with tempfile.TemporaryDirectory() as folder:
        stores = {"server": open_store(name), "file": open_store(Path(folder) / "library.db")}
        told = {}
        for kind, store in stores.items():
            told[kind] = _one(store, made, queries, truth)
            note(f"{kind}: {json.dumps(told[kind])}")
    about = {"frames": made.videos * _FRAMES, "tokens": made.tokens, "seed": made.seed}
    return {"machine": describe(), **about, **told}


def _one(
    store: Store, made: Made, queries: NDArray[np.float32], truth: NDArray[np.int64]
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with store.lock(), store.writer() as writer:
        if writer.count_frames():
            raise SystemExit(f"{writer.name} is not empty: name an empty one")
        began = time.perf_counter()
        _fill(writer, made)
        took = time.perf_counter() - began
        figures["frames put a second"] = round(made.videos * _FRAMES / took)
        vectors = store.vectors(writer)
        with writer.snapshot():
            vectors.refresh()
            first = min(key[0] for key in writer.frame_keys(range(_FRAMES)))
        figures["before"] = _ask(writer, vectors, queries, truth, first)
        began = time.perf_counter()
        with writer.snapshot():
            vectors.refresh(writing=True)
        figures["seconds of building"] = round(time.perf_counter() - began, 1)
        with writer.snapshot():
            vectors.refresh()
            figures["how"] = store.how_searched(writer)
        figures["after"] = _ask(writer, vectors, queries, truth, first)
    sizes = store.sizes()
    figures["megabytes"] = round(sizes.database / 1e6), round(sizes.cache / 1e6)
    return figures


def _ask(
    writer: WritableCatalogue,
    vectors: Vectors,
    queries: NDArray[np.float32],
    truth: NDArray[np.int64],
    first: int,
) -> dict[str, float]:
    took, found = [], 0
    with writer.snapshot():
        for query, best in zip(queries, truth, strict=True):
            began = time.perf_counter()
            hits = vectors.search(query, _NEAREST)
            took.append(1000 * (time.perf_counter() - began))
            found += len(set((hits.ids - first).tolist()) & set(best.tolist()))
    return {
        f"recall@{_NEAREST}": round(found / (_NEAREST * len(queries)), 4),
        "median ms": round(float(np.median(took)), 1),
        "95th percentile ms": round(float(np.percentile(took, 95)), 1),
    }


def main() -> None:
    """Fill, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True, help="an empty one on a server")
    parser.add_argument("--frames", type=int, default=60_000)
    parser.add_argument("--tokens", type=int, default=4, help="of a frame, default %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    made = Made(max(1, given.frames // _FRAMES), given.tokens, given.seed)
    print(json.dumps(measure(given.library, made), indent=1))


if __name__ == "__main__":
    main()
