"""The kernels against the machine's own memory.

``python -m benchmarks.kernels`` compares pairs of luma planes that no cache holds, with every
implementation that can run here and with OpenCV, and copies the same planes in the same rounds, as
STREAM does. Each figure is the best of its rounds. Bytes moved are those that must be: two planes
read for a difference, one read and one written for a copy; what OpenCV writes in between counts for
it. The roofline's slope is that copy, and its ceiling the fastest kernel on planes that stay in the
caches, as many times over as there are cores. ``--picture FILE`` draws it and needs Matplotlib.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks._systems import systems
from benchmarks.machine import describe
from tempo_edge._cores import cpu_count
from tempo_edge._files import atomic_write
from tempo_edge.evaluation import plots
from tempo_edge.proof import bandwidth
from tempo_edge.proof.bandwidth import SIZES, Pool, Rate

__all__ = ["main", "measure"]


def measure(size: str, threads: int, thumbnail: bool, rounds: int) -> list[Rate]:
    """Every system in turn, as often as there are rounds."""
    bit_depth = SIZES[size][2]
    return bandwidth.measure(systems(bit_depth, thumbnail), size, threads, thumbnail, rounds)


def ceiling(rounds: int) -> float:
    """Operations a second of the fastest kernel on one core, on planes that stay in its caches.

    What a call costs, whatever it is given, is taken off.
    """
    height, width = 1024, 512
    near, tiny = (Pool.near(*size, 100) for size in ((height, width), (1, 1)))
    ours = [each for each in systems(8, False) if each.name in ("native", "numba-cpu")]
    times = [
        min(near.seconds(each, 1) for _ in range(rounds))
        - min(tiny.seconds(each, 1) for _ in range(rounds))
        for each in ours
    ]
    return height * width * ours[0].operations / min(times)


def table(rows: Sequence[Rate]) -> str:
    """GitHub markdown."""
    lines = [
        "| planes | threads | thumbnail | system | ms a pair | GB/s | of the copy |",
        "|---|---:|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| {r.size} | {r.threads} | {'yes' if r.thumbnail else 'no'} | {r.system} | "
        f"{r.milliseconds:.2f} | {r.bytes_a_second / 1e9:.1f} | {100 * r.share:.0f} % |"
        for r in rows
    ]
    return "\n".join(lines)


def draw(path: Path, rows: Sequence[Rate], ceilings: dict[int, float]) -> None:
    """The roofline of every number of threads: what memory and arithmetic allow, and what is."""
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot
    from matplotlib.ticker import NullLocator

    names = list(dict.fromkeys(r.system.removesuffix(", one pair on all") for r in rows))
    figure, panels = pyplot.subplots(
        1, len(ceilings), figsize=(5.5 * len(ceilings), 4.2), layout="constrained", sharey=True
    )
    for axes, (threads, top) in zip(np.atleast_1d(panels), ceilings.items(), strict=True):
        shown = [r for r in rows if r.threads == threads and r.size == "1080p" and not r.thumbnail]
        copied = next(r for r in shown if r.system == "copy").bytes_a_second
        across = np.geomspace(0.5, 8.0, 100)
        axes.plot(across, np.minimum(across * copied, top) / 1e9, color="black", lw=1.2)
        axes.annotate(f"copy, {copied / 1e9:.0f} GB/s", (0.52, 0.8 * copied / 1e9), fontsize=8)
        axes.annotate(f"in cache, {top / 1e9:.0f} G/s", (4.2, 1.1 * top / 1e9), fontsize=8)
        for row in shown:
            if row.system != "copy":
                at = row.operations_a_byte, row.operations_a_second / 1e9
                filled = "none" if row.system.endswith("on all") else "full"
                colour = f"C{names.index(row.system.removesuffix(', one pair on all'))}"
                axes.plot(*at, "o", ms=7, fillstyle=filled, color=colour, label=row.system)
        axes.set(xscale="log", yscale="log", xlabel="operations a byte moved")
        axes.set(xticks=[0.5, 1, 2, 4, 8], yticks=[1, 3, 10, 30, 100])
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_locator(NullLocator())
        axes.set_title(f"1080p pairs, {threads} thread{'s' if threads > 1 else ''}", fontsize=10)
        axes.legend(fontsize=8, loc="center right")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    np.atleast_1d(panels)[0].set_ylabel("billion operations a second")
    plots.save(figure, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=12, help="the best of these counts")
    parser.add_argument("--picture", type=Path, help="draw the roofline here")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    counts = sorted({1, cpu_count()})
    rows: list[Rate] = []
    for size, threads, thumbnail in itertools.product(SIZES, counts, (False, True)):
        rows += measure(size, threads, thumbnail, options.rounds)
        print(table(rows[-1:]).splitlines()[-1], file=sys.stderr)
    top = ceiling(options.rounds)
    ceilings = {threads: threads * top for threads in counts}
    about: dict[str, Any] = {**describe(), "ceilings": ceilings}
    print(json.dumps(about))
    print(table(rows))
    if options.picture is not None:
        draw(options.picture, rows, ceilings)
    if options.json is not None:
        results = {**about, "rows": [asdict(row) for row in rows]}
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
