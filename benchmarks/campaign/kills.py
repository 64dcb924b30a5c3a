"""Killed runs: what was committed stays, nothing is half there, and the next run ends the work."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.campaign.outcome import MOST_SECONDS, Outcome, tempo_edge
from benchmarks.campaign.seeds import FORMATS, Format, write_seeds
from tempo_edge._system.groups import KILLED

__all__ = ["kill_runs"]

# Kills of one library, before a run is left to end it and another library is begun.
_ROUND = 3


def kill_runs(
    count: int,
    seed: int,
    scratch: Path,
    say: Callable[[str], None] = lambda line: None,
    formats: Sequence[Format] = FORMATS,
) -> Outcome:
    """Kill ``count`` runs of ``index`` at random instants, and compare with one left alone."""
    outcome = Outcome("kills", count)
    chance = random.Random(seed)
    folder = scratch / "films"
    folder.mkdir(parents=True)
    write_seeds(folder, formats)
    wanted, seconds = _left_alone(folder, scratch / "whole.db", outcome)
    library = scratch / "killed.db"
    of_this = 0
    for number in range(count):
        while not _kill(folder, library, chance.uniform(0.0, seconds), outcome):
            # All was done before the kill came: that is none.
            _clear(library)
            of_this = 0
        of_this += 1
        _look(library, outcome)
        if of_this == _ROUND or number == count - 1:
            run = tempo_edge("index", "-q", "--library", library, folder, timeout=600)
            outcome.judge(run, f"the run after kill {number}")
            if _contents(library) != wanted:
                outcome.problems.append(f"after kill {number} other frames than of a whole run")
            _clear(library)
            of_this = 0
            say(f"{number + 1} of {count} kills, {len(outcome.problems)} problems")
    return outcome


def _left_alone(folder: Path, library: Path, outcome: Outcome) -> tuple[list[str], float]:
    """The content that a run stores if nobody kills it, and the seconds that it takes."""
    run = tempo_edge("index", "-q", "--library", library, folder, timeout=600)
    outcome.judge(run, "the run that is left alone")
    return _contents(library), run.seconds


def _contents(library: Path) -> list[str]:
    """The content of a library, without ids and times: each file, its state and its frames."""
    with sqlite3.connect(library) as db:
        rows = db.execute(
            "SELECT f.path, f.state, hex(v.content_hash), v.frame_count, "
            "(SELECT group_concat(hex(vector), '') FROM "
            "(SELECT vector FROM frames WHERE video_id=v.id ORDER BY pts)) "
            "FROM files f LEFT JOIN videos v ON v.id=f.video_id ORDER BY f.path"
        ).fetchall()
    db.close()
    return [repr(row) for row in rows]


def _clear(library: Path) -> None:
    """Remove a library with all that lies beside it."""
    for left in library.parent.glob(f"{library.stem}.*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _kill(folder: Path, library: Path, after: float, outcome: Outcome) -> bool:
    """Begin a run and kill it after some seconds; whether it was still running then."""
    command = [sys.executable, "-m", "tempo_edge.cli", "index", "-q", "--library"]
    process = subprocess.Popen(
        [*command, str(library), str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(after)
    process.kill()
    _, error = process.communicate()
    if "Traceback" in error:
        outcome.problems.append(f"a traceback before a kill: {error.splitlines()[-1]}")
    if process.returncode not in (0, KILLED):
        outcome.problems.append(f"status {process.returncode} before a kill")
    return process.returncode != 0


def _look(library: Path, outcome: Outcome) -> None:
    """A kill leaves a library, or nothing yet."""
    told = tempo_edge("status", "--json", "--library", library, timeout=MOST_SECONDS)
    outcome.judge(told, "status after a kill", allowed=(0, 2))
    outcome.worst_seconds = max(outcome.worst_seconds, told.seconds)
    if told.status == 0:
        json.loads(told.output)
    if library.exists():
        with sqlite3.connect(library) as db:
            (said,) = db.execute("PRAGMA integrity_check").fetchone()
        db.close()
        if said != "ok":
            outcome.problems.append(f"after a kill: {said}")
