"""Which mean over a shot's frames finds the right shot, and tells present from absent.

``python -m benchmarks.pooling --data DATA --videos DIR --work DIR --profile NAME=DIR …`` indexes
development composites (``benchmarks.composites``) with each profile, and scores every shot for the
captions of pictures that are shown and of pictures that are not. ``projected`` and ``offset`` are
made of the first profile's vectors, as in ``benchmarks.calibration``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._sources import open_archive, tidy
from benchmarks.calibration import Vectors, made_of, named_profile
from benchmarks.machine import describe
from tempo_edge import Library
from tempo_edge.evaluation.metrics.rejection import auroc
from tempo_edge.models.registry import BUILT_IN, read_profile
from tempo_edge.quantization import dequantize

__all__ = ["POOLS", "Shots", "figures", "main"]

_ALL_TICKS = 10**15

Pool = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _best(count: int) -> Pool:
    return lambda scores: np.sort(scores, axis=1)[:, -count:].mean(1)


def _power(exponent: float) -> Pool:
    def pool(scores: NDArray[np.float32]) -> NDArray[np.float32]:
        powers = np.maximum(scores, 1e-3).astype(np.float64) ** exponent
        return np.asarray(powers.mean(1) ** (1 / exponent), np.float32)

    return pool


#: Scores of a shot ``[q]`` by those of its frames ``[q, n]``.
POOLS: dict[str, Pool] = {
    "best frame": _best(1),
    **{f"mean of the best {count}": _best(count) for count in (2, 3, 4)},
    "mean": lambda scores: scores.mean(1),
    **{f"generalised mean, power {power}": _power(power) for power in (4, 8, 16)},
    "half best, half mean": lambda scores: (scores.max(1) + scores.mean(1)) / 2,
}


@dataclass(frozen=True)
class Shots:
    """What shots show: the picture of each, and where its frames begin among all, ``[s]``."""

    items: list[str]
    first: list[int]


def shots_of(library: Library, folder: Path) -> tuple[Shots, NDArray[np.float32]]:
    """The shots of composites and the vectors of their frames ``[n, d]``."""
    catalogue = library.catalogue
    ids = {Path(path).name: row.video_id for path, row in catalogue.files().items()}
    items: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    for video in json.loads((folder / "manifest.json").read_text())["videos"]:
        number = ids[video["file"]]
        assert number is not None, "it was indexed"
        pts, _, packed = catalogue.frames_between(number, -_ALL_TICKS, _ALL_TICKS)
        seconds = np.asarray(catalogue.video(number).seconds(pts))
        for shot in video["shots"]:
            inside = (seconds >= shot["span"][0]) & (seconds < shot["span"][1])
            if inside.any():
                items.append(shot["item"])
                vectors.append(dequantize(packed[inside]))
    first = np.cumsum([0, *[len(each) for each in vectors]])[:-1].tolist()
    return Shots(items, first), np.concatenate(vectors)


def figures(
    shots: Shots, scores: NDArray[np.float32], asked: Sequence[str], pool: Pool
) -> tuple[float, float, float]:
    """Right shot first, AUROC of all present queries and of those whose right shot is first.

    Args:
        scores: of each query for each frame, ``[q, n]``; ``asked``: the picture of each query.
    """
    ends = [*shots.first[1:], scores.shape[1]]
    spans = zip(shots.first, ends, strict=True)
    pooled = np.stack([pool(scores[:, start:end]) for start, end in spans], axis=1)
    here = set(shots.items)
    present = np.array([item in here for item in asked])
    first = pooled.argmax(1)
    right = np.array([shots.items[i] == item for i, item in zip(first, asked, strict=True)])
    top = pooled.max(1)
    absent = top[~present].tolist()
    of_all, of_right = (auroc(top[kind].tolist(), absent) for kind in (present, right & present))
    return float(right[present].mean()), of_all, of_right


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives of pictures")
    parser.add_argument("--videos", type=Path, required=True, help="composites of dev pictures")
    parser.add_argument("--work", type=Path, required=True, help="libraries are kept here")
    parser.add_argument("--profile", type=named_profile, action="append", default=[])
    parser.add_argument("--captions", type=int, default=2, help="of each picture")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    rows = [r for r in open_archive(options.data, "flickr8k").index if r[0].startswith("dev/")]
    texts = [(file, tidy(text)) for file, said in rows for text in said[: options.captions]]
    asked = [file for file, _ in texts]
    for name, folder in [("nano", BUILT_IN / "nano"), *options.profile]:
        profile = read_profile(folder)
        with Library.open(options.work / f"{name}.db", profile=profile) as library:
            library.index([options.videos])
            shots, frames = shots_of(library, options.videos)
        read = profile.text_tower.encode([text for _, text in texts])
        none = np.zeros((0, frames.shape[1]), np.float32)
        vectors = Vectors(frames, read, none, none, none, none)
        _tell(name, shots, vectors, asked)
        if name == "nano":
            for other, mapped in made_of(vectors, options.seed).items():
                _tell(other, shots, mapped, asked)


def _tell(name: str, shots: Shots, vectors: Vectors, asked: Sequence[str]) -> None:
    """Print a profile's table."""
    scores = vectors.texts @ vectors.pictures.T
    print(json.dumps({**describe(), "profile": name, "shots": len(shots.items)}))
    print("| a shot's score | right shot first | AUROC present, right |\n|---|---:|---|")
    for pool_name, pool in POOLS.items():
        first, *areas = figures(shots, scores, asked, pool)
        cells = f"{100 * first:.1f} | " + ", ".join(f"{100 * area:.1f}" for area in areas)
        print(f"| {pool_name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
