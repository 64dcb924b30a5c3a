"""A library of invented footage: frames of chosen likeness to one query, and no video behind."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.quantization import quantize
from tempo_edge.search.window import Window
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow
from tempo_edge.store.vectors import Vectors

__all__ = ["DIM", "QUERY", "Invented", "drawn"]

DIM = 16

#: What is looked for, as a unit vector.
QUERY: NDArray[np.float32] = np.eye(DIM, dtype=np.float32)[0]

_TICKS = Fraction(1, 1000)


class Invented:
    """A catalogue that films are put into by how like the query each frame is."""

    def __init__(self, folder: Path) -> None:
        self._store = open_store(folder / "library.db")
        self.catalogue = self._store.writer()

    def add(
        self,
        looks: Sequence[tuple[float, float]],
        *,
        holes: Sequence[tuple[float, float]] = (),
        cuts: Sequence[float] = (),
        seconds: float | None = None,
        paths: Sequence[str | Path] = (),
    ) -> int:
        """A film of (seconds, similarity) looks; gives its id.

        Args:
            holes: from when to when it shows nothing, in seconds.
            seconds: how long it is; by default a second longer than its last look.
            paths: its files; one by default.
        """
        last = looks[-1][0]
        hidden = sum(after - before for before, after in holes)
        video = VideoRow(
            "h264",
            64,
            48,
            (last + 1 if seconds is None else seconds) - hidden,
            None,
            _TICKS,
            Fraction(0),
            tuple((int(before * 1000), int(after * 1000)) for before, after in holes),
        )
        nothing = np.zeros(0, np.uint8), np.zeros((0, DIM), np.int8)
        rows = [
            FrameRow(int(at * 1000), 0.5, at in cuts, _vector(similarity), *nothing)
            for at, similarity in looks
        ]
        with self.catalogue.transaction():
            count = int(self.catalogue.totals()["videos"])
            number = self.catalogue.put_video(
                f"film {count}".encode(), video, rows, np.zeros((0, 2), np.float32)
            )
            for path in paths or [f"/films/{number:03}.mp4"]:
                self.catalogue.put_file(FileRow(str(path), "", 1, 1, "indexed", "", number))
        return number

    def vectors(self) -> Vectors:
        """The search among its vectors, up to date."""
        cache = self._store.vectors(self.catalogue)
        cache.refresh()
        return cache


def _vector(similarity: float) -> NDArray[np.int8]:
    other = np.eye(DIM, dtype=np.float32)[1]
    return quantize(similarity * QUERY + np.sqrt(1 - similarity**2) * other)


def drawn(
    heights: Sequence[float], *, video: int = 1, seconds: Sequence[float] | None = None
) -> Window:
    """A window whose frames have these similarities; one a second, or at given seconds."""
    times = np.asarray(range(len(heights)) if seconds is None else seconds, np.float64)
    edges = np.concatenate([times[:1], (times[:-1] + times[1:]) / 2, times[-1:] + 0.5])
    row = VideoRow("h264", 64, 48, float(edges[-1]), None, _TICKS, Fraction(0))
    return Window(
        video,
        row,
        np.rint(times * 1000).astype(np.int64),
        edges,
        np.zeros(len(heights), np.bool_),
        np.asarray(heights, np.float32),
    )
