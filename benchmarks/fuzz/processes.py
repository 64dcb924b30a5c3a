"""Processes: each target in one of its own, so that what kills one is a finding."""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.fuzz.findings import Finding
from benchmarks.fuzz.targets import TARGETS
from benchmarks.fuzz.worker import work

__all__ = ["Outcome", "fuzz"]

# Seconds after which a case that is still tried is taken for one that never ends.
_STUCK_SECONDS = 60.0

# Processes that may die of one target before it is known well enough.
_MOST_DEATHS = 5


@dataclass
class Outcome:
    """The outcome of one target."""

    name: str
    tried: int = 0
    reach: str = ""
    findings: list[Finding] = field(default_factory=list)


def fuzz(name: str, seconds: float, seed: int, scratch: Path) -> Outcome:
    """Fuzz one target; a process that dies or hangs is a finding, and another one goes on."""
    outcome = Outcome(name)
    until = time.monotonic() + seconds
    for attempt in range(_MOST_DEATHS):
        folder = scratch / f"{name}-{attempt}"
        left = max(until - time.monotonic(), 0.0)
        arguments = (name, left, seed + attempt * 7919, folder)
        process = multiprocessing.get_context("spawn").Process(target=_work, args=arguments)
        process.start()
        died = _watch(process, folder / "case.json")
        if died:
            case = folder / "case.json"
            told = case.read_text(encoding="ascii") if case.exists() else "null"
            outcome.findings.append(Finding(name, told, died))
        else:
            facts = json.loads((folder / "result.json").read_text(encoding="ascii"))
            outcome.tried += facts["tried"]
            outcome.reach = facts["reach"]
            for each in facts["found"]:
                outcome.findings.append(
                    Finding(name, each["case"], each["text"], tuple(each["trace"]))
                )
        if not died or time.monotonic() >= until:
            break
    return outcome


def _work(name: str, seconds: float, seed: int, folder: Path) -> None:
    work(TARGETS[name], seconds, seed, folder)


def _watch(process: BaseProcess, case: Path) -> str | None:
    """Wait for a process; gives what it died of, if it did."""
    while process.is_alive():
        process.join(1.0)
        if case.exists() and time.time() - case.stat().st_mtime > _STUCK_SECONDS:
            process.kill()
            process.join()
            return f"is still tried after {_STUCK_SECONDS:.0f} s"
    if process.exitcode:
        return f"ends the process with status {process.exitcode}"
    return None
