"""An hour of speech, heard by runs that are killed: what is the same, and how long it takes.

    python -m benchmarks.heard_hour --minutes 60 --kill-at 5 --kill-at 25 --kill-at 45 --seed 0

Sentences are spoken by espeak-ng in several voices into one film: with pauses between them all
along, or (``--pause``) in scenes of half a minute with minutes between them. The command line
hears it, ``tempo-edge index --words speech``, with ``kill -9`` to all of its processes
in the midst of steps, and is run again after each. Then it hears it undisturbed into another
library, all of it or (``--undisturbed``) its first minutes. Meanwhile the libraries are read as
anybody may: how far they are after each step, and which lines there are.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.machine import describe
from benchmarks.speech import conversation, spelled, word_errors
from benchmarks.spoken import RATE, Samples, film, laid_out
from benchmarks.usage import tick_seconds
from tempo_edge._system.groups import KILLED, end_with_all
from tempo_edge.errors import TempoEdgeError
from tempo_edge.store.opening import open_store
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line

__all__ = ["main"]

_VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+f2", "en-us+m3", "en-gb-scotland")

_LONGEST_SCENE_SECONDS = 35.0

# Between two looks at a run, and the longest that a kill waits after a step was stored.
_LOOK_SECONDS, _MOST_WAIT_SECONDS = 0.5, 10.0

# Fields of /proc/PID/stat behind the name of the program: its group, and ticks of a processor that
# it used for itself and for the system.
_GROUP, _USED = 2, slice(11, 13)


def scenes(
    seconds: float, pause_seconds: float, rng: np.random.Generator
) -> tuple[Samples, list[str]]:
    """(sound, its words in order) of talk, with pauses of about so many seconds in it, or none."""
    if not pause_seconds:
        return conversation(seconds, rng, _VOICES)
    pieces: list[tuple[float, Samples]] = []
    words: list[str] = []
    at = float(rng.uniform(0.0, pause_seconds))
    while at < seconds - _LONGEST_SCENE_SECONDS:
        samples, said = conversation(rng.uniform(15.0, _LONGEST_SCENE_SECONDS), rng, _VOICES)
        pieces.append((at, samples))
        words += said
        at += len(samples) / RATE + float(rng.uniform(0.5, 1.5)) * pause_seconds
    return laid_out(pieces, seconds), words


@dataclass
class Run:
    """What was seen of one run of the command line.

    Attributes:
        began_at: how far the film was at first, in seconds; ``steps``: how far after each step.
        lines: what the library held of speech in the end.
        seconds: of the clock from when hearing began.
        processor_seconds: of all of its processes, by the process.
        megabytes: the most that its processes took together; ``largest``: one of them alone.
    """

    began_at: float = 0.0
    steps: list[float] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    seconds: float = 0.0
    processor_seconds: dict[int, float] = field(default_factory=dict)
    megabytes: float = 0.0
    largest: float = 0.0

    @property
    def until(self) -> float:
        """How far the film was in the end, in seconds."""
        return self.steps[-1] if self.steps else self.began_at


def run(library: Path, folder: Path, kill_at: float | None, wait_seconds: float = 0.0) -> Run:
    """Run the command line until it ends, or is killed so long after it came so far.

    Raises:
        SystemExit: it fails.
    """
    seen = Run(_read(library)[0].until_seconds)
    options = ["--words", "speech", "--quiet", "--library", str(library), str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tempo_edge.cli", "index", *options], start_new_session=True
    )
    began = time.perf_counter()
    while process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        _weigh(process.pid, seen)
        state = _look(library, seen)
        if not state.mark:
            began = time.perf_counter()
        if kill_at is not None and state.until_seconds >= kill_at:
            time.sleep(wait_seconds)
            end_with_all(process)
            process.wait()
            while _members(process.pid):
                time.sleep(_LOOK_SECONDS)
    seen.seconds = time.perf_counter() - began
    if process.returncode not in (0, KILLED):
        raise SystemExit(f"tempo-edge index ended with {process.returncode}")
    _look(library, seen)
    seen.lines = _read(library)[1]
    return seen


def _look(library: Path, seen: Run) -> PassState:
    """Note how far a library is."""
    state, _ = _read(library)
    if state.until_seconds > seen.until:
        seen.steps.append(state.until_seconds)
    return state


def _read(library: Path) -> tuple[PassState, list[Line]]:
    """How far the only film of a library is heard, and its lines of speech."""
    with suppress(TempoEdgeError):  # it is not there yet
        catalogue = open_store(library).reader()
        try:
            with catalogue.snapshot():
                for row in catalogue.files().values():
                    if row.video_id is not None:
                        state = catalogue.pass_state("speech", row.video_id) or PassState("")
                        lines = catalogue.lines(row.video_id)
                        return state, [line for line in lines if line.kind == "speech"]
        finally:
            catalogue.close()
    return PassState(""), []


def _members(group: int) -> list[int]:
    """The processes of a group that are not dead."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            behind = place.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(behind[_GROUP]) == group and behind[0] != "Z":
                found.append(int(place.parent.name))
    return found


def _weigh(group: int, seen: Run) -> None:
    """Note what the processes of a group take now, and the most that one took."""
    together = 0.0
    for process in _members(group):
        with suppress(OSError, TypeError):
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
            now, most = (
                int(re.search(rf"{name}:\s*(\d+)", status)[1]) / 1024  # type: ignore[index]
                for name in ("VmRSS", "VmHWM")
            )
            together += now
            seen.largest = max(seen.largest, most)
            stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
            used = sum(map(int, stat.split()[_USED])) * tick_seconds()
            seen.processor_seconds[process] = used
    seen.megabytes = max(seen.megabytes, together)


def heard(
    library: Path, folder: Path, kills: Sequence[float], rng: np.random.Generator
) -> list[Run]:
    """Runs that are killed when a film is so far, and one that ends it."""
    runs = []
    for kill_at in kills:
        runs.append(run(library, folder, kill_at, rng.uniform(1.0, _MOST_WAIT_SECONDS)))
        said = (
            f"killed at {runs[-1].until:.1f} s of the film, {runs[-1].seconds:.0f} s of the clock"
        )
        print(said, file=sys.stderr, flush=True)
    return [*runs, run(library, folder, None)]


def compared(parts: Sequence[Run], whole: Run) -> dict[str, object]:
    """What is the same, whether a run was killed or not."""
    steps = [step for part in parts for step in part.steps if step <= whole.until]
    lines = [line for line in parts[-1].lines if line.start_seconds < whole.until]
    pairs = list(pairwise(parts))
    return {
        "went_on_at": [round(part.began_at, 1) for part in parts[1:]],
        "went_on_where_it_was": all(after.began_at == before.until for before, after in pairs),
        "lines_stored_before_are_kept": all(
            after.lines[: len(before.lines)] == before.lines for before, after in pairs
        ),
        "undisturbed_seconds": round(whole.until, 1),
        "undisturbed_lines": len(whole.lines),
        "same_lines": lines == whole.lines,
        "undisturbed_steps": len(whole.steps),
        "same_steps": steps == whole.steps,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print two lines of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="of film")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two scenes")
    parser.add_argument(
        "--kill-at", type=float, action="append", default=[], help="minutes; may be repeated"
    )
    parser.add_argument("--undisturbed", type=float, help="minutes to be heard once more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep film and libraries in this empty folder")
    options = parser.parse_args(arguments)
    rng, seconds = np.random.default_rng(options.seed), options.minutes * 60
    print(json.dumps(describe()), flush=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = options.keep or Path(name)
        folder = scratch / "films"
        folder.mkdir(parents=True)
        samples, said = scenes(seconds, options.pause, rng)
        film(folder / "hour.mp4", samples)
        del samples
        parts = heard(scratch / "killed.db", folder, [60 * at for at in options.kill_at], rng)
        facts = {
            "seed": options.seed,
            "seconds": seconds,
            "killed_at": [round(part.until, 1) for part in parts[:-1]],
            **spent(parts, seconds),
            "lines": len(parts[-1].lines),
            "steps": sum(len(part.steps) for part in parts),
        }
        facts["words"] = len(said)
        print(json.dumps(facts), flush=True)
        words = [word for line in parts[-1].lines for word in spelled(line.text)]
        facts = {"word_error_rate": round(word_errors(said, words) / len(said), 4)}
        until = None if options.undisturbed is None else 60 * options.undisturbed
        whole = run(scratch / "whole.db", folder, until)
        facts |= compared(parts, whole) | {"undisturbed": spent([whole], whole.until)}
    print(json.dumps(facts))


def spent(runs: Sequence[Run], seconds: float) -> dict[str, float]:
    """What runs took of clock, processors and memory to hear so many seconds."""
    used = sum(sum(each.processor_seconds.values()) for each in runs)
    return {
        "real_time_factor": round(seconds / sum(each.seconds for each in runs), 2),
        "processor_seconds_a_second": round(used / seconds, 3),
        "peak_megabytes_together": round(max(each.megabytes for each in runs)),
        "peak_megabytes_of_one": round(max(each.largest for each in runs)),
    }


if __name__ == "__main__":
    main()
