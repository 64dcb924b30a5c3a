"""A part in a process of its own: what it tells is kept row by row, whatever becomes of it.

``python -m tempo_edge.proof.process MODULE:CLASS SECONDS SCRATCH ROWS`` runs a part and writes its
rows, a line of JSON each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from tempo_edge._system.groups import APART, end_with_all
from tempo_edge.proof.attempt import row_of
from tempo_edge.proof.machine import placeless
from tempo_edge.proof.part import Budget, Part, Row, not_run, verdict

__all__ = ["main", "part_of", "rows_of"]

# A part that has not ended by itself after its budget this many times over hangs, but it has these
# seconds at least: it has to start, too, on a machine that may be busy.
_PATIENCE, _LEAST_SECONDS = 3.0, 40.0

# Threads of OpenMP that wait for one another sleep: where they turn round, a busy machine stands
# still.
_MANNERS = {"OMP_WAIT_POLICY": "PASSIVE"}

# Characters of what a process said last that are told.
_TOLD = 300


def part_of(place: str) -> Part:
    """The part of a place ``module:Class``."""
    module, _, name = place.partition(":")
    found: Part = getattr(import_module(module), name)()
    return found


def rows_of(place: str, seconds: float, most: float, scratch: Path) -> list[Row]:
    """The rows of a part that was run in a process of its own; one at least.

    Args:
        seconds: its budget.
        most: seconds after which it is ended for want of time, however long its budget is.
    """
    part = part_of(place)
    told = scratch / f"{part.name}.rows"
    told.unlink(missing_ok=True)
    patience = max(_LEAST_SECONDS, _PATIENCE * seconds)
    began, is_hanging = time.monotonic(), False
    command = [sys.executable, "-m", __name__, place, str(seconds), str(scratch), str(told)]
    environment = {**os.environ, **_MANNERS, **part.environment}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **APART,
    ) as process:
        try:
            _, said = process.communicate(timeout=min(most, patience))
            trouble = _ending(process.returncode, said)
        except subprocess.TimeoutExpired:
            is_hanging = patience <= most
            trouble = f"had not ended after {min(most, patience):.0f} s, and was ended"
        finally:
            end_with_all(process)
    rows = _read(told)
    spent = sum(row.seconds for row in rows)
    if trouble.startswith("had") and not is_hanging:  # it would have gone on: no fault of it
        row = not_run(part.what, part.against, f"{trouble}: the proof has no more time")
        rows.append(_entered(row, part, began + spent))
    elif trouble or not rows:
        row = verdict(part.what, part.against, trouble or "told nothing")
        rows.append(_entered(row, part, began + spent))
    return rows


def _ending(status: int, said: bytes) -> str:
    """What went wrong with a process that has ended; empty if nothing did."""
    if status == 0:
        return ""
    if status < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return placeless(lines[-1])[:_TOLD] if lines else f"ended with status {status}"


def _read(told: Path) -> list[Row]:
    """The rows that were written whole."""
    rows = []
    with suppress(OSError):
        for line in told.read_text("utf-8").splitlines():
            with suppress(ValueError):  # the last one, cut short
                rows.append(Row.of(json.loads(line)))
    return rows


# -- in the process itself -----------------------------------------------------------------------


def _rows(part: Part, budget: Budget, scratch: Path) -> Iterator[Row]:
    """The rows of a part, and one of what ended it before it was done."""
    try:
        yield from part.run(budget, scratch)
    except Exception as error:  # whatever a driver, a compiler or a library may say
        yield row_of(error, part.what, part.against)


def _entered(row: Row, part: Part, since: float) -> Row:
    """A row with the name of its part and what it took since a moment of the monotonic clock."""
    took = round(max(0.0, time.monotonic() - since), 2)
    return Row.of({**row.as_dict(), "part": part.name, "seconds": took})


def main() -> None:
    """Run the part that the command line names, and write its rows one by one."""
    place, seconds, scratch, told = sys.argv[1:]
    part = part_of(place)
    since = time.monotonic()
    with Path(told).open("w", encoding="utf-8") as file:
        for row in _rows(part, Budget(float(seconds)), Path(scratch)):
            file.write(json.dumps(_entered(row, part, since).as_dict()) + "\n")
            file.flush()
            since = time.monotonic()


if __name__ == "__main__":
    main()
