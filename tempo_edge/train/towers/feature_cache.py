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
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tempo_edge._files import atomic_dir
from tempo_edge.train.data.archives import Archive, Record
from tempo_edge.train.data.augmentation import view
from tempo_edge.train.precision import autocast
from tempo_edge.train.progress_log import Say
from tempo_edge.train.towers.trunk import Trunk

_BATCH = 64
_VERSION = 3  # raise it when a view or the stem changes


@dataclass(frozen=True)
class ViewFeatures:
    """The features of one view of ``n`` pictures.

    ``maps`` float16 ``[n, h, w, c]`` are the stem's output, and ``classes`` float16 ``[n, 1000]``
    the probabilities that the untouched classifier gives.
    """

    maps: NDArray[np.float16]
    classes: NDArray[np.float16]


class FeatureCache:
    """Computes the stem's output for views and keeps it in a folder.

    `classifier` is the weight ``[1000, 1280]`` and bias ``[1000]`` of the untouched classifier, and
    `untouched` the trunk that it reads from, if that is not the one which learns.
    """

    def __init__(
        self,
        work: Path,
        trunk: Trunk,
        classifier: tuple[NDArray[np.float32], NDArray[np.float32]],
        *,
        size: int,
        seed: int,
        untouched: Trunk | None = None,
        say: Say = print,
    ) -> None:
        """`trunk` must hold its first weights still; `size` is the side of a view in pixels."""
        work.mkdir(parents=True, exist_ok=True)
        self._work = work
        self._trunk = trunk
        self._untouched = untouched
        self._stem = _digest(trunk)
        self._classifier = tuple(torch.from_numpy(part) for part in classifier)
        self._size = size
        self._seed = seed
        self._say = say

    def _compute(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        device = next(self._trunk.parameters()).device
        with torch.no_grad(), autocast(device.type):
            seen = torch.from_numpy(pictures).to(device)
            maps = self._trunk.stem_features(seen)
            if self._untouched is None:
                last = self._trunk(maps)
            else:
                last = self._untouched(self._untouched.stem_features(seen))
            features = last.float().mean(dim=(2, 3)).cpu()
        classes = functional.softmax(functional.linear(features, *self._classifier), dim=-1)
        there = maps.permute(0, 2, 3, 1).float().cpu().numpy().astype(np.float16)
        return there, classes.numpy().astype(np.float16)

    def _path(self, archive: Archive, records: Sequence[Record], index: int) -> Path:
        # The first two views are the same under every seed.
        seed = self._seed if index > 1 else 0
        names = [record.file for record in records]
        about = [_VERSION, archive.name, names, index, seed, self._size, self._stem]
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
        classes = np.empty((count, len(self._classifier[1])), np.float16)
        with ThreadPoolExecutor(2) as pool:
            ready = [pool.submit(load, i) for i in range(min(_BATCH, count))]
            for start in range(0, count, _BATCH):
                current = np.stack([future.result() for future in ready])
                following = range(start + _BATCH, min(start + 2 * _BATCH, count))
                ready = [pool.submit(load, i) for i in following]
                some, classes[start : start + len(current)] = self._compute(current)
                if maps is None:
                    maps = np.lib.format.open_memmap(
                        folder / "maps.npy", "w+", np.float16, (count, *some.shape[1:])
                    )
                maps[start : start + len(current)] = some
        np.save(folder / "classes.npy", classes)


_PARTS = ("maps", "classes")


def _digest(trunk: Trunk) -> str:
    """A hash of the weights that never learn."""
    stem = hashlib.sha256()
    for module in (trunk.first, trunk.stem):
        for value in module.state_dict().values():
            stem.update(value.detach().cpu().contiguous().numpy().tobytes())
    return stem.hexdigest()
