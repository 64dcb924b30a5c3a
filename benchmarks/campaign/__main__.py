"""``python -m benchmarks.campaign``: all of it, with a table at the end."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.campaign import __doc__ as about
from benchmarks.campaign.bundles import import_bundles
from benchmarks.campaign.connections import hold_connections
from benchmarks.campaign.files import break_files
from benchmarks.campaign.kills import kill_runs
from benchmarks.campaign.outcome import Outcome
from benchmarks.machine import describe
from benchmarks.usage import leave_no_cores

__all__ = ["main", "table"]


def table(outcomes: Sequence[Outcome]) -> str:
    """GitHub markdown."""
    lines = [
        "| part | tried | | longest | largest process | problems |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for each in outcomes:
        facts = ", ".join(f"{count} {name}" for name, count in each.facts.items())
        lines.append(
            f"| {each.name} | {each.tried} | {facts} | {each.worst_seconds:.1f} s | "
            f"{each.peak_megabytes:.0f} MB | {len(each.problems)} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=about)
    parser.add_argument("--files", type=int, default=2000, help="mutated files (default: 2000)")
    parser.add_argument("--kills", type=int, default=180, help="killed runs (default: 180)")
    parser.add_argument("--bundles", type=int, default=150, help="mutated bundles (default: 150)")
    parser.add_argument("--connections", type=int, default=1150, help="half-open (default: 1150)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--keep", type=Path, help="an empty folder, for what did something wrong")
    options = parser.parse_args(arguments)
    leave_no_cores()
    with tempfile.TemporaryDirectory() as temporary:
        scratch = options.keep or Path(temporary)
        seed = options.seed
        parts: list[tuple[int, Callable[[], Outcome]]] = [
            (options.files, lambda: break_files(options.files, seed, scratch / "broken", say)),
            (options.kills, lambda: kill_runs(options.kills, seed, scratch / "killed", say)),
            (options.bundles, lambda: import_bundles(options.bundles, seed, scratch / "b", say)),
            (
                options.connections,
                lambda: hold_connections(options.connections, scratch / "c", say),
            ),
        ]
        outcomes = [run() for count, run in parts if count]
    print(json.dumps(describe()))
    print(table(outcomes))
    problems = [f"{each.name}: {line}" for each in outcomes for line in each.problems]
    for line in problems:
        print(line)
    return 1 if problems else 0


_BEGAN = time.monotonic()


def say(line: str) -> None:
    """A line on how far it is, on standard error."""
    print(f"[{time.monotonic() - _BEGAN:6.0f} s] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
