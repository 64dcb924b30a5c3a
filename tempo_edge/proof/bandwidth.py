"""Kernels against the machine's own memory: what share of the bytes a copy moves they move.

Pairs of luma planes that no cache holds are compared, and the same planes copied in the same
rounds, as STREAM does. Each figure is the best of its rounds. Bytes moved are those that must be:
two planes read for a difference, one read and one written for a copy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tempo_kernels import available, compare

from tempo_edge._cores import cpu_count

__all__ = ["BLOCK", "SIZES", "THUMBNAIL", "Plane", "Pool", "Rate", "System", "measure", "ours"]

#: Height, width and depth of planes, by what people call their size.
SIZES = {"1080p": (1080, 1920, 8), "4K": (2160, 3840, 8), "1080p, 10 bit": (1080, 1920, 10)}

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


@dataclass(frozen=True)
class Rate:
    """One system on planes of one size.

    Attributes:
        bytes_a_second: moved to and from memory; ``share``: of what a copy moves beside it.
        operations_a_byte, operations_a_second: of the arithmetic on samples.
    """

    size: str
    threads: int
    thumbnail: bool
    system: str
    milliseconds: float
    bytes_a_second: float
    share: float
    operations_a_byte: float
    operations_a_second: float


def measure(
    systems: Sequence[System],
    size: str,
    threads: int,
    thumbnail: bool,
    rounds: int,
    is_over: Callable[[], bool] = lambda: False,
) -> list[Rate]:
    """The copy and every system in turn, so that a drifting machine is fair to all of them.

    Args:
        size: of :data:`SIZES`; ``thumbnail``: whether the systems make one, too.
        is_over: whether no further round is to begin; the first one is always taken.
    """
    height, width, bit_depth = SIZES[size]
    pool = Pool.of(height, width, bit_depth)
    rivals = [_copying(), *systems]
    if threads == 1:
        rivals = [each for each in rivals if not each.alone]
    best = {each.name: pool.seconds(each, threads) for each in rivals}  # compiles what is compiled
    for _ in range(rounds):
        if is_over():
            break
        for each in rivals:
            best[each.name] = min(best[each.name], pool.seconds(each, threads))
    plane = pool.pairs[0][0].nbytes
    copied = 2 * plane / best["copy"]
    rates = []
    for each in rivals:
        moved = each.planes_moved * plane
        rate = moved / best[each.name]
        operations = height * width * (each.operations + (thumbnail and each.operations > 0))
        rates.append(
            Rate(
                size,
                threads,
                thumbnail,
                each.name,
                1e3 * best[each.name],
                rate,
                rate / copied,
                operations / moved,
                operations / best[each.name],
            )
        )
    return rates


def _copying() -> System:
    """The machine's own measure, as STREAM's *copy*: one plane read, one written."""
    return System("copy", lambda one, two: np.copyto(two, one), operations=0)


def ours(bit_depth: int, thumbnail: bool) -> list[System]:
    """Every implementation that can run here on planes in host memory."""
    size = THUMBNAIL if thumbnail else None

    def on(kernel: str, parallel: bool) -> Pair:
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
    found = [System(name, on(name, False), slow=name == "numpy") for name in live]
    if cpu_count() > 1:
        several = [name for name in live if name != "numpy"]
        found += [System(f"{n}, one pair on all", on(n, True), alone=True) for n in several]
    return found
