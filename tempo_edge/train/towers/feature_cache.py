"""The feature cache: the frozen stem's output for each view of each picture, computed once.

The stem never learns, so an epoch starts from its output: a third of the work is done once. A
file is named by a hash of everything that it depends on: a rerun finds what is done, a changed
input computes anew, and an interrupted run goes on after its last finished view.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_dir
from tempo_edge.train.data.archives import Archive, Record
from tempo_edge.train.data.augmentation import view
from tempo_edge.train.progress_log import Say
from tempo_edge.train.towers.stem import FrozenStem

_BATCH = 64
_CLASSES = 1000  # of the untouched classifier
_VERSION = 4  # raise it when a view changes


@dataclass(frozen=True)
class ViewFeatures:
    """The features of one view of ``n`` pictures.

    ``maps`` float16 ``[n, h, w, c]`` are the stem's output, and ``classes`` float16 ``[n, 1000]``
    the probabilities that the untouched classifier gives.
    """

    maps: NDArray[np.float16]
    classes: NDArray[np.float16]


class FeatureCache:
    """Computes the stem's output for views and keeps it in a folder."""

    def __init__(
        self, work: Path, stem: FrozenStem, *, size: int, seed: int, say: Say = print
    ) -> None:
        """`size` is the side of a view in pixels, the one that the stem was built for."""
        work.mkdir(parents=True, exist_ok=True)
        self._work = work
        self._stem = stem
        self._size = size
        self._seed = seed
        self._say = say

    def _path(self, archive: Archive, records: Sequence[Record], index: int) -> Path:
        # The first two views are the same under every seed.
        seed = self._seed if index > 1 else 0
        names = [record.file for record in records]
        about = [_VERSION, archive.name, names, index, seed, self._size, self._stem.digest]
        key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
        return self._work / f"{archive.name}-{records[0].split}-{index}-{key}"

    def view(self, archive: Archive, records: Sequence[Record], index: int) -> ViewFeatures:
        """View `index` of each record, from the folder if it is there."""
        path = self._path(archive, records, index)
        if not path.exists():
            self._write(path, archive, records, index)
        maps, classes = (np.load(path / f"{part}.npy", mmap_mode="r") for part in _PARTS)
        return ViewFeatures(maps, classes)

    def _write(self, path: Path, archive: Archive, records: Sequence[Record], index: int) -> None:
        started = time.monotonic()

        def load(position: int) -> NDArray[np.uint8]:
            picture = archive.picture(records[position])
            return view(picture, (self._seed, position), index, self._size)

        with atomic_dir(path) as folder:
            self._fill(folder, load, len(records))
        took = time.monotonic() - started
        self._say(f"{path.name.rsplit('-', 1)[0]}: {len(records)} pictures in {took:.0f} s")

    def _fill(self, folder: Path, load: Callable[[int], NDArray[np.uint8]], count: int) -> None:
        """Write both parts of a view of as many pictures."""
        maps: NDArray[np.float16] | None = None
        classes = np.empty((count, _CLASSES), np.float16)
        with ThreadPoolExecutor(2) as pool:
            ready = [pool.submit(load, i) for i in range(min(_BATCH, count))]
            for start in range(0, count, _BATCH):
                current = np.stack([future.result() for future in ready])
                following = range(start + _BATCH, min(start + 2 * _BATCH, count))
                ready = [pool.submit(load, i) for i in following]
                some, classes[start : start + len(current)] = self._stem(current)
                if maps is None:
                    maps = np.lib.format.open_memmap(
                        folder / "maps.npy", "w+", np.float16, (count, *some.shape[1:])
                    )
                maps[start : start + len(current)] = some
        np.save(folder / "classes.npy", classes)


_PARTS = ("maps", "classes")
