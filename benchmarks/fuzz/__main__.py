"""``python -m benchmarks.fuzz``: targets side by side, each in processes of its own."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.fuzz import __doc__ as about
from benchmarks.fuzz.findings import Finding, read_finding, write_finding
from benchmarks.fuzz.processes import Outcome, fuzz
from benchmarks.fuzz.targets import TARGETS
from benchmarks.fuzz.worker import judge

__all__ = ["main", "table"]


def table(outcomes: Sequence[Outcome]) -> str:
    """GitHub markdown."""
    lines = ["| target | cases | lines reached | findings |", "|---|---:|---:|---:|"]
    for each in outcomes:
        lines.append(f"| {each.name} | {each.tried} | {each.reach} | {len(each.findings)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=about)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"some of {', '.join(TARGETS)} (default: all)"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="for each (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="targets side by side (default: 2)")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="for findings")
    parser.add_argument("--again", type=Path, metavar="FILE", help="run one finding, and no more")
    options = parser.parse_args(arguments)
    if options.again:
        return _again(options.again)
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"target {unknown[0]!r} must be one of {', '.join(TARGETS)}")
    names = list(dict.fromkeys(options.targets)) or list(TARGETS)
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        began = [
            pool.submit(fuzz, name, options.seconds, options.seed, Path(temporary))
            for name in names
        ]
        outcomes = [each.result() for each in began]
    print(table(outcomes))
    findings = [finding for each in outcomes for finding in each.findings]
    for finding in findings:
        print(f"{write_finding(finding, options.keep)}: {finding.text}")
    return 1 if findings else 0


def _again(path: Path) -> int:
    name, case = read_finding(path)
    with tempfile.TemporaryDirectory() as temporary:
        error = judge(TARGETS[name], case, Path(temporary))
    if error is None:
        print(f"{path}: nothing is wrong any more")
        return 0
    print("".join(Finding.of(name, case, error).trace[-1:]))
    raise error


if __name__ == "__main__":
    sys.exit(main())
