"""A library of made-up vectors: as many films and frames as a test likes, without any video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import dequantize, quantize
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.vectors import FaissVectors
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["DIM", "Films", "Vectors"]

DIM = 32
VIDEO = VideoRow("h264", 64, 48, 10.0, Fraction(25), Fraction(1, 1000), Fraction(0))
Vectors = NDArray[np.float32]


class Films:
    """A library of made-up vectors."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "library.db"
        self.folder = folder / "library.vectors"
        self.catalogue = SqliteCatalogue(self.path)
        self.random = np.random.default_rng(0)

    def add(self, name: str, frames: int, near: Vectors | None = None) -> Vectors:
        """A film of random frames, or of frames near a vector."""
        drawn = self.random.standard_normal((frames, DIM)).astype(np.float32)
        if near is not None:
            drawn = near + 0.05 * drawn
        packed = quantize(drawn)
        nothing = (np.zeros(0, np.uint8), np.zeros((0, DIM), np.int8))
        rows = [FrameRow(pts, 0.5, False, v, *nothing) for pts, v in enumerate(packed)]
        with self.catalogue.transaction():
            video = self.catalogue.put_video(
                name.encode(), VIDEO, rows, np.zeros((0, 2), np.float32)
            )
            self.catalogue.put_file(FileRow(f"/{name}", "", 1, 1, "indexed", "", video))
        return dequantize(packed)

    def drop(self, name: str) -> None:
        with self.catalogue.transaction():
            self.catalogue.drop_files([f"/{name}"])
            self.catalogue.prune()

    def cache(self) -> FaissVectors:
        """As a new process would see it."""
        cache = FaissVectors(self.folder, self.catalogue)
        cache.refresh()
        return cache

    def saved(self) -> Path:
        (path,) = self.folder.glob("*.faiss")
        return path

    def similarities(self, query: Vectors) -> dict[int, float]:
        """Of every frame, by a plain scan."""
        ids, packed = next(self.catalogue.vectors_after(0))
        return dict(zip(ids.tolist(), (dequantize(packed) @ query).tolist(), strict=True))
