"""The speed of indexing: SAA against the uniform baseline, in one run on one machine.

``python -m benchmarks.indexing --film FILE`` indexes a 1080p film, and the same film repeated into
a file of several hours (its packets are copied, not coded again). The baseline does what peers do:
decode every picture, run the same image tower on one frame a second. Each measurement is a whole
``tempo-edge index`` process.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.usage import leave_no_cores
from tempo_edge._files import atomic_write
from tempo_edge.proof.indexing import Measurement, measure, repeat_film

__all__ = ["main", "table"]


def table(rows: Sequence[Measurement]) -> str:
    """GitHub markdown."""
    lines = [
        "| run | footage | wall | x real time | CPU | peak memory | frames | index an hour |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.name} | {r.footage_seconds:.0f} s | {r.wall_seconds:.2f} s | "
        f"{r.times_real_time:.1f} | {r.cpu_seconds:.1f} s | {r.peak_megabytes:.0f} MB | "
        f"{r.frames} | {r.megabytes_an_hour:.2f} MB |"
        for r in rows
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True, help="a 1080p film")
    parser.add_argument(
        "--hours", type=float, nargs="*", default=[1.0, 2.0], help="lengths of the long films"
    )
    parser.add_argument(
        "--baseline-hours",
        type=float,
        default=0.5,
        help="length of the long film for the (slow) baseline",
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs on the short film")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    rows: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for turn in range(options.repeats):  # in turn, so that a drifting machine is fair to both
            rows.append(measure(f"film SAA {turn + 1}", options.film, scratch))
            rows.append(
                measure(f"film uniform {turn + 1}", options.film, scratch, ["--uniform", "1"])
            )
        long = scratch / "long.mp4"
        repeat_film(options.film, long, options.baseline_hours)
        rows.append(
            measure(f"{options.baseline_hours:g} h uniform", long, scratch, ["--uniform", "1"])
        )
        for hours in [options.baseline_hours, *options.hours]:
            repeat_film(options.film, long, hours)
            rows.append(measure(f"{hours:g} h SAA", long, scratch))
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr)
    about = describe()
    print(json.dumps(about))
    print(table(rows))
    if options.json is not None:
        results: dict[str, Any] = {**about, "rows": [asdict(row) for row in rows]}
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    # The parent must stay small: a child's peak memory starts from what it was forked from.
    leave_no_cores()
    main()
