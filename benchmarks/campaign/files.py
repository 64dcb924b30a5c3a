"""Mutated files: every run ends well, and every file is indexed or skipped with its reason."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.campaign.mutations import mutate
from benchmarks.campaign.outcome import MOST_SECONDS, Outcome, tempo_edge
from benchmarks.campaign.seeds import FORMATS, Format, write_seeds

__all__ = ["break_files"]

# Files of one run: together they show whether one of them ends it.
_BATCH = 100


def break_files(
    count: int,
    seed: int,
    scratch: Path,
    say: Callable[[str], None] = lambda line: None,
    formats: Sequence[Format] = FORMATS,
) -> Outcome:
    """Index ``count`` mutated files, in runs of a hundred, and search them.

    Files that did something wrong are kept in ``scratch/found``.
    """
    outcome = Outcome("mutated files", count)
    made = _made(scratch / "seeds")
    seeds = [(path, path.read_bytes()) for path in write_seeds(made, formats)]
    outcome.facts["formats"] = len(seeds)
    for first in range(0, count, _BATCH):
        folder = _made(scratch / "files")
        for number in range(first, min(first + _BATCH, count)):
            chance = random.Random(seed * 1_000_003 + number)
            source, contents = seeds[number % len(seeds)]
            name, broken = mutate(contents, chance)
            (folder / f"{number:05d}-{name}{source.suffix}").write_bytes(broken)
        before = len(outcome.problems)
        _run(folder, scratch / "files.db", outcome)
        if len(outcome.problems) > before:
            shutil.copytree(folder, scratch / "found" / f"{first:05d}", dirs_exist_ok=True)
        shutil.rmtree(folder)
        shutil.rmtree(scratch / "files.vectors", ignore_errors=True)
        for left in scratch.glob("files.*"):
            left.unlink()
        say(f"{min(first + _BATCH, count)} of {count} files, {len(outcome.problems)} problems")
    return outcome


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _run(folder: Path, library: Path, outcome: Outcome) -> None:
    """Index one folder, account for every file of it, and search."""
    names = {str(path) for path in folder.iterdir()}
    run = tempo_edge("index", "--library", library, folder, timeout=MOST_SECONDS * len(names))
    outcome.judge(run, folder.name)
    # A file's line comes when it is done with, so the gap before it is the time it took.
    for seconds, line in run.gaps[1:]:
        outcome.worst_seconds = max(outcome.worst_seconds, seconds)
        if seconds > MOST_SECONDS:
            outcome.problems.append(f"{seconds:.0f} s before: {line}")
    told = tempo_edge("status", "--json", "--library", library, timeout=MOST_SECONDS)
    outcome.judge(told, "status")
    if told.status == 0:
        facts = json.loads(told.output)
        skipped = {row["path"] for row in facts["skipped"]}
        done = int(facts["files_indexed"]) + len(skipped)
        outcome.facts["indexed"] = outcome.facts.get("indexed", 0) + int(facts["files_indexed"])
        outcome.facts["skipped"] = outcome.facts.get("skipped", 0) + len(skipped)
        if done != len(names):
            outcome.problems.append(f"{len(names)} files, {done} accounted for")
        if any(not row["reason"] for row in facts["skipped"]):
            outcome.problems.append("a file was skipped without a reason")
    options = ("--json", "--min-confidence", "0", "--limit", "1000")
    found = tempo_edge("find", "--library", library, *options, "a red bar", timeout=MOST_SECONDS)
    outcome.judge(found, "find", allowed=(0, 1))
    for line in found.output.splitlines():
        moment = json.loads(line)
        if not 0 <= moment["start_seconds"] < moment["end_seconds"] < 1e6:
            outcome.problems.append(f"a moment that can't be: {line}")
