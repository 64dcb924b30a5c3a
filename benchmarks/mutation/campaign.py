"""The campaign: every sampled mutant of every module, against the tests that guard it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.mutation.copies import Copy
from benchmarks.mutation.equivalents import Equivalent, Kind
from benchmarks.mutation.mutants import changed_lines, mutated, sample
from benchmarks.mutation.outcomes import Session, job_id

__all__ = ["Campaign", "Module", "Mutant", "noticed", "table"]

# Time for the machine to be busy with something else as well.
_SPARE_SECONDS = 20.0
_TIMES_LONGER = 4.0
_OUTCOMES = {"failed": "killed", "timeout": "timed out", "passed": "survived"}


@dataclass
class Mutant:
    """One fault and what became of it: killed, timed out, survived or equivalent."""

    line: int
    operator: str
    before: str
    after: str
    outcome: str
    why: str = ""


@dataclass
class Module:
    """A module's mutants; ``trouble`` is what its tests said where they fail without any fault."""

    module: str
    mutants: list[Mutant] = field(default_factory=list)
    trouble: str = ""

    def count(self, outcome: str) -> int:
        return Counter(mutant.outcome for mutant in self.mutants)[outcome]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Campaign:
    """Runs modules; what is known from a session before is not run again."""

    copy: Copy
    sessions: Path
    most: int
    seed: int
    equivalents: Sequence[Equivalent | Kind] = ()
    again: bool = False
    say: Callable[[str], None] = lambda line: None

    def run(self, guards: Mapping[str, Sequence[str]]) -> Iterator[Module]:
        """Each module as it is done.

        Raises:
            FileNotFoundError: the copy has no such module.
        """
        for number, (module, tests) in enumerate(guards.items(), 1):
            self.say(f"{module} ({number} of {len(guards)})")
            source = self.copy.source(module)
            with closing(Session(self.sessions, module, source)) as session:
                yield self._module(module, tests, source, session)

    def _module(self, module: str, tests: Sequence[str], source: str, session: Session) -> Module:
        done = Module(module)
        specs = sample(module, source, self.most, self.seed)
        session.add(specs)
        ended = session.ended()
        if self.again:
            ended = {job: how for job, how in ended.items() if how == "failed"}
        limit: float | None = None
        for number, spec in enumerate(specs, 1):
            code = mutated(source, spec)
            before, after = changed_lines(source, code)
            line, operator = spec.start_pos[0], spec.operator_name.removeprefix("core/")
            mutant = Mutant(line, operator, before, after, "")
            done.mutants.append(mutant)
            named = [
                each for each in self.equivalents if each.names(module, operator, before, after)
            ]
            if named:
                mutant.outcome, mutant.why = "equivalent", named[0].why
                continue
            how = ended.get(job_id(spec))
            if how is None:
                if limit is None:
                    limit = self._limit_seconds(tests, done)
                if done.trouble:
                    done.mutants.clear()
                    return done
                began = time.monotonic()
                how = self._ended(module, tests, source, code, limit)
                session.set(spec, how, f"-{before}\n+{after}")
                took = f"{time.monotonic() - began:.1f} s"
                self.say(f"  {number}/{len(specs)} {_OUTCOMES[how]} in {took}: {line}: {after}")
            mutant.outcome = _OUTCOMES[how]
        return done

    def _limit_seconds(self, tests: Sequence[str], done: Module) -> float:
        """The seconds that a mutant's tests may take: some times what they take without a fault."""
        began = time.monotonic()
        run = self.copy.test(tests, 600.0)
        took = time.monotonic() - began
        if run.ended != "passed":
            done.trouble = run.said
            self.say(f"  its tests fail without a fault:\n{run.said}")
        return _SPARE_SECONDS + _TIMES_LONGER * took

    def _ended(
        self, module: str, tests: Sequence[str], source: str, code: str, limit: float
    ) -> str:
        self.copy.write(module, code)
        try:
            return self.copy.test(tests, limit).ended
        finally:
            self.copy.write(module, source)


def noticed(modules: Sequence[Module]) -> float | None:
    """The share noticed of the mutants that are no equivalents; None where there are none."""
    killed = sum(each.count("killed") + each.count("timed out") for each in modules)
    counted = sum(len(each.mutants) - each.count("equivalent") for each in modules)
    return killed / counted if counted else None


def table(modules: Sequence[Module]) -> str:
    """GitHub markdown, with a last row for all of them."""
    lines = [
        "| module | mutants | killed | timed out | survived | equivalent | noticed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    rows = [(each.module, [each]) for each in modules] + [("all", list(modules))]
    for name, counted in rows:
        share = noticed(counted)
        numbers = [sum(len(each.mutants) for each in counted)]
        for outcome in ("killed", "timed out", "survived", "equivalent"):
            numbers.append(sum(each.count(outcome) for each in counted))
        cells = [name, *map(str, numbers), "" if share is None else f"{share:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
