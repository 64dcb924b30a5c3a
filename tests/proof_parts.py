"""Parts of a proof that go wrong in every way there is, each in a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from tempo_edge.proof.part import AbsentError, Budget, Figure, Part, Row, verdict


class _Made(Part):
    """What all of them have."""

    what = "one"
    against = "another"
    needs = "nothing"
    budget_seconds = 1.0


class Fine(_Made):
    """Holds, and tells what it was given."""

    name = "fine"
    environment: ClassVar[Mapping[str, str]] = {"TEMPO_EDGE_MADE": "7"}

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        figures = Figure("told", float(os.environ["TEMPO_EDGE_MADE"])), Figure("s", budget.seconds)
        yield verdict(self.what, self.against, "", *figures, cut_short="1 of 2")


class Raising(_Made):
    """Raises after its first row."""

    name = "raising"

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        yield verdict("the first", self.against, "")
        raise RuntimeError(f"no room in {scratch}/deep/down.bin,\nsays the driver")


class Dying(_Made):
    """Is killed after its first row, as by a driver."""

    name = "dying"

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        yield verdict("the first", self.against, "")
        os.kill(os.getpid(), signal.SIGKILL)


class Hanging(_Made):
    """Never ends."""

    name = "hanging"

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        time.sleep(1e6)
        yield verdict(self.what, self.against, "")


class Absent(_Made):
    """Lacks something."""

    name = "absent"

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        raise AbsentError("there is no card")
        yield


class Silent(_Made):
    """Tells nothing."""

    name = "silent"

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        yield from ()
