"""The state of each mutant so far, kept in cosmic-ray's own kind of session, one a module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

__all__ = ["Session"]

_OUTCOMES = {"passed": TestOutcome.SURVIVED, "failed": TestOutcome.KILLED}


class Session:
    """The outcomes for one state of one module; another state of the source is another session."""

    def __init__(self, folder: Path, module: str, source: str) -> None:
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        name = module.removesuffix(".py").replace("/", ".")
        folder.mkdir(parents=True, exist_ok=True)
        self._db = WorkDB(str(folder / f"{name}.{digest}.sqlite"), WorkDB.Mode.create)

    def close(self) -> None:
        self._db.close()

    def add(self, mutants: Iterable[MutationSpec]) -> None:
        """Note the mutants that are to be run; one that is there already stays as it is."""
        known = {item.job_id for item in self._db.work_items}
        items = [WorkItem.single(job_id(mutant), mutant) for mutant in mutants]
        self._db.add_work_items(item for item in items if item.job_id not in known)

    def ended(self) -> dict[str, str]:
        """The end of the tests for each mutant that was run: `failed`, `passed`, `timeout`."""
        return {job: result.output for job, result in self._db.results}

    def set(self, mutant: MutationSpec, ended: str, diff: str) -> None:
        result = WorkResult(
            worker_outcome=WorkerOutcome.NORMAL,
            output=ended,
            # As cosmic-ray itself counts what ran out of time.
            test_outcome=_OUTCOMES.get(ended, TestOutcome.KILLED),
            diff=diff,
        )
        self._db.set_result(job_id(mutant), result)


def job_id(mutant: MutationSpec) -> str:
    """The name of a mutant within its module."""
    return f"{mutant.operator_name}:{mutant.occurrence}"
