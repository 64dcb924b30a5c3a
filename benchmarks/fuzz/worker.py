"""A worker: one target in one process, case after case until its time is over."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from benchmarks.fuzz.findings import Finding, encoded, key_of
from benchmarks.fuzz.reach import Reach
from benchmarks.fuzz.target import Target, holds

__all__ = ["Fuzzing", "judge", "work"]

# Cases that Hypothesis draws before it begins anew, from its smallest ones on.
_ROUND = 200

# Of so many rounds one is watched for the lines it runs.
_WATCHED = 8

# Faults of one target after which it is known well enough.
_MOST_FINDINGS = 10


class _Over(KeyboardInterrupt):
    pass


_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class _Found(Exception):  # noqa: N818 - what Hypothesis is to make smaller, and no more
    pass


def judge(target: Target, case: Any, scratch: Path) -> BaseException | None:
    """The fault of a case: what was raised, or that it took too long or too much.

    Args:
        scratch: an empty folder of the case's own is made there, and emptied afterwards.
    """
    folder = scratch / "case"
    folder.mkdir(parents=True, exist_ok=True)
    before = _peak_megabytes(reset=True)
    began = time.process_time()
    try:
        target.check(case, folder)
        took, grew = time.process_time() - began, _peak_megabytes() - before
        holds(took <= target.seconds, f"takes {took:.1f} s, {target.seconds:g} s are allowed")
        holds(grew <= target.megabytes, f"takes {grew:.0f} MB, {target.megabytes:g} are allowed")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Rust code is no Exception
        return error
    finally:
        if any(folder.iterdir()):
            shutil.rmtree(folder)
    return None


def _peak_megabytes(*, reset: bool = False) -> float:
    """The most memory that this process has had since the last reset; 0 where Linux doesn't say."""
    try:
        if reset:
            _RESET.write_text("5", encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+)", _STATUS.read_text(encoding="ascii"))
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


class Fuzzing:
    """One target, tried until a moment; counts and keeps what it finds.

    Args:
        until: in seconds of the monotonic clock.
        note: is told each case before it is tried: what kills the process can be read there.
        most_findings: after so many it is known well enough.

    Attributes:
        tried: how many cases.
        found: the smallest finding of each fault, by its key.
    """

    def __init__(
        self,
        target: Target,
        until: float,
        scratch: Path,
        note: Callable[[str], object] = lambda case: None,
        most_findings: int = _MOST_FINDINGS,
    ) -> None:
        self._most_findings = most_findings
        self._target, self._until, self._scratch, self._note = target, until, scratch, note
        self._hunted: str | None = None
        self.tried = 0
        self.found: dict[str, Finding] = {}
        self.reach = Reach(target.modules)

    def run(self, first_seed: int) -> None:
        """Round after round, each with a seed of its own; one case at least."""
        for number in itertools.count():
            self._hunted = None
            watching = self.reach.looking() if number % _WATCHED == 1 else contextlib.nullcontext()
            with watching:
                self._round(first_seed * 1_000_003 + number)
            if time.monotonic() >= self._until or len(self.found) >= self._most_findings:
                return

    def _round(self, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=_ROUND,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(self._target.cases)
        def tried(case: Any) -> None:
            self._try(case)

        # What Hypothesis says of its last case says less than what was kept of the smallest one.
        with contextlib.suppress(Exception, _Over):
            tried()

    def _try(self, case: Any) -> None:
        if self.tried and time.monotonic() >= self._until:
            raise _Over
        self.tried += 1
        self._note(encoded(case))
        error = judge(self._target, case, self._scratch)
        if error is None:
            return
        key = key_of(error)
        if self._hunted is None and key not in self.found:
            self._hunted = key
        if key != self._hunted:
            return  # one fault a round: known ones are passed over
        finding = Finding.of(self._target.name, case, error)
        if key not in self.found or len(finding.case) <= len(self.found[key].case):
            self.found[key] = finding
        raise _Found(key)


def work(target: Target, seconds: float, first_seed: int, folder: Path) -> None:
    """Fuzz in this process; writes what came of it into a folder.

    ``case.json`` holds the case being tried and ``result.json``, when all is done, the rest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = folder / "case.json"
    fuzzing = Fuzzing(
        target,
        time.monotonic() + seconds,
        folder / "scratch",
        lambda case: now.write_text(case, encoding="ascii"),
    )
    fuzzing.run(first_seed)
    facts = {
        "tried": fuzzing.tried,
        "reach": str(fuzzing.reach),
        "found": [
            {"case": each.case, "text": each.text, "trace": each.trace}
            for each in fuzzing.found.values()
        ],
    }
    (folder / "result.json").write_text(json.dumps(facts), encoding="ascii")
