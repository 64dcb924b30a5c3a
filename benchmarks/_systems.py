"""Rivals of the kernels: each a function that compares two luma planes."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tempo_kernels import available, compare

from tempo_edge._cores import cpu_count

__all__ = ["BLOCK", "THUMBNAIL", "Pool", "System", "copying", "systems"]

#: What the indexer asks for: blocks of 16 pixels; and what the image tower is shown.
BLOCK, THUMBNAIL = 16, (224, 224)

Plane = NDArray[np.unsignedinteger]
Pair = Callable[[Plane, Plane], object]

# More than any cache holds: each plane comes from memory again.
_POOL_BYTES = 256_000_000


@dataclass(frozen=True)
class System:
    """A way to treat a pair of planes.

    Attributes:
        planes_moved: how many planes' worth of bytes it reads from memory or writes there.
        operations: what a sample of a pair costs: smaller, larger, difference, sum.
        alone: it uses every core for one pair, so that pairs are taken one after another.
        slow: it takes a hundred times as long as the others, and is given a few pairs only.
    """

    name: str
    pair: Pair
    planes_moved: int = 2
    operations: int = 4
    alone: bool = False
    slow: bool = False


@dataclass(frozen=True)
class Pool:
    """Pairs of planes ``[height, width]`` of one size."""

    pairs: Sequence[tuple[Plane, Plane]]

    @staticmethod
    def of(height: int, width: int, bit_depth: int) -> Pool:
        """Pairs of noise, so many that no cache holds them; no plane is in two."""
        pair = 2 * height * width * np.dtype(_dtype(bit_depth)).itemsize
        return Pool(_noise(height, width, bit_depth, max(1, _POOL_BYTES // pair)))

    @staticmethod
    def near(height: int, width: int, times: int) -> Pool:
        """One pair again and again, which stays in a cache if it fits."""
        return Pool(_noise(height, width, 8, 1) * times)

    def seconds(self, system: System, threads: int) -> float:
        """The seconds for a pair, with as many pairs at a time as there are threads."""
        pairs = self.pairs[: 2 * threads] if system.slow else self.pairs
        shares = [pairs] if system.alone else [pairs[t::threads] for t in range(threads)]
        gate = threading.Barrier(len(shares) + 1)

        def work(share: Sequence[tuple[Plane, Plane]]) -> None:
            gate.wait()
            for pair in share:
                system.pair(*pair)
            gate.wait()

        workers = [threading.Thread(target=work, args=(share,)) for share in shares]
        for worker in workers:
            worker.start()
        gate.wait()
        began = time.perf_counter()
        gate.wait()
        took = time.perf_counter() - began
        for worker in workers:
            worker.join()
        return took / len(pairs)


def _dtype(bit_depth: int) -> type[np.unsignedinteger]:
    return np.uint8 if bit_depth == 8 else np.uint16


def _noise(height: int, width: int, bit_depth: int, pairs: int) -> list[tuple[Plane, Plane]]:
    size = height, width
    noise = np.random.default_rng(0).integers(0, 1 << bit_depth, size, _dtype(bit_depth))
    planes = [np.roll(noise, 7 * number, axis=1) for number in range(2 * pairs)]
    return list(zip(planes[::2], planes[1::2], strict=True))


def copying() -> System:
    """The machine's own measure, as STREAM's *copy*: one plane read, one written."""
    return System("copy", lambda one, two: np.copyto(two, one), operations=0)


def systems(bit_depth: int, thumbnail: bool) -> list[System]:
    """Every implementation that can run here on planes in host memory, and OpenCV's if it can."""
    size = THUMBNAIL if thumbnail else None

    def ours(kernel: str, parallel: bool) -> Pair:
        return lambda one, two: compare(
            one,
            two,
            block=BLOCK,
            bit_depth=bit_depth,
            thumbnail=size,
            kernel=kernel,
            parallel=parallel,
        )

    live = [name for name, there in available().items() if there and "cuda" not in name]
    found = [System(name, ours(name, False), slow=name == "numpy") for name in live]
    if cpu_count() > 1:
        several = [name for name in live if name != "numpy"]
        found += [System(f"{n}, one pair on all", ours(n, True), alone=True) for n in several]
    if importlib.util.find_spec("cv2") is not None:
        found += _opencv(size)
    return found


def _opencv(size: tuple[int, int] | None) -> list[System]:
    """``absdiff`` writes a plane of differences, which its blocks are then made of."""
    import cv2

    cv2.setNumThreads(1)  # pairs are what is shared out
    cv2.ocl.setUseOpenCL(False)

    def whole(one: Plane, two: Plane) -> object:
        height, width = one.shape
        blocks = -(-width // BLOCK), -(-height // BLOCK)
        means = cv2.resize(cv2.absdiff(one, two), blocks, interpolation=cv2.INTER_AREA)
        small = None if size is None else cv2.resize(two, size[::-1], interpolation=cv2.INTER_AREA)
        return means, small

    rows = [System("OpenCV, absdiff and resize", whole, 3)]
    return rows if size else [System("OpenCV, absdiff alone", cv2.absdiff, 3, operations=3), *rows]
