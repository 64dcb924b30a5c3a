"""What a person sees while indexing goes on, on stderr: a bar on a terminal, lines elsewhere.

Where there is no bar, a line every half minute says how far it is.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from tempo_edge._console.pulse import Pulse, clock
from tempo_edge._console.text import note, printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from tempo_edge.indexing.report import IndexEvent, IndexReport

__all__ = ["Progress"]

# A run this short is mostly models and kernels being loaded: its rate is not that of a longer one.
_SHORT_RUN_SECONDS = 20.0


# Events of a file that is not done yet.
_UNDER_WAY = ("started", "progress", "verifying", "hearing", "scanning")

# Events of later passes, which have a pace of their own; and those that tell how far a file is.
_LATER = ("hearing", "heard", "scanning", "scanned")
_FAR = ("progress", "hearing", "scanning")

# What is told to be done with a file; otherwise it is read.
_DOING = ("verifying", "hearing", "scanning")

# Events of a file that get a line each where there is no bar.
_LISTED = ("indexed", "reused", "dropped", "heard", "scanned")

# Events of a file that is done with, and that a remark may be on.
_REMARKED = ("indexed", "reused", "words", "verified", "heard", "scanned")


class Progress:
    """Takes the indexer's events. Skipped files and remarks get a line whatever else is shown.

    Args:
        quiet: no bar, no summary.
        lines: a line for every file, for a process that runs in the background.
    """

    def __init__(self, quiet: bool, lines: bool = False) -> None:
        self._quiet = quiet
        self._lines = lines
        self._bar: RichProgress | None = None
        self._footage_seconds = 0.0
        self._began = time.perf_counter()
        self._is_later = False
        # Whoever watches has nothing to do for most of the time, and says nothing then.
        self._at = "" if lines else "looking for videos"
        self._pulse = Pulse(lambda: "" if quiet else self._at, self._say)

    def __enter__(self) -> Progress:
        self._pulse.__enter__()
        if not self._quiet and not self._lines and sys.stderr.isatty():
            self._bar = _bar()
            self._bar.add_task("looking", total=None, rate="", files="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pulse.__exit__(kind, error, trace)
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: IndexEvent) -> None:
        self._at = self._told(event)
        if event.kind == "skipped":
            self._say(f"skipping {printable(event.path)}: {printable(event.reason)}")
        elif event.kind == "changed":
            self._say(f"changed {printable(event.path)}: {printable(event.reason)}")
        elif event.kind == "offline" and not self._quiet:
            self._say(f"offline {printable(event.path)}: {event.reason}")
        elif self._lines and not self._quiet and event.kind in _LISTED:
            self._say(f"{event.kind} {printable(event.path)}")
        if event.reason and event.kind in _REMARKED:
            self._say(f"remark on {printable(event.path)}: {printable(event.reason)}")
        if event.kind in _LATER and not self._is_later:
            self._is_later, self._began = True, time.perf_counter()
            self._footage_seconds = -event.done_seconds  # an earlier run has read those
        if event.kind in ("indexed", "heard", "scanned"):
            self._footage_seconds += event.total_seconds
        if self._bar is not None:
            self._advance(self._bar, event)

    def notice(self, line: str) -> None:
        """A line about the whole, as which folders are watched."""
        if not self._quiet:
            self._say(printable(line))

    def summary(self, report: IndexReport) -> None:
        """One line on what was done."""
        if self._quiet:
            return
        counts = {
            "reused": report.reused,
            "queued": report.queued,
            "with new words": report.words,
            "with new times and places": report.dated,
            "unchanged": report.unchanged - report.skipped_before,
            "skipped": report.skipped + report.skipped_before,
            "dropped": report.dropped,
            "offline": report.offline,
            "excluded": report.excluded,
            "verified": report.verified,
            "changed": report.changed,
            **report.later,
        }
        parts = [f"{report.indexed} indexed"]
        line = ", ".join(parts + [f"{count} {name}" for name, count in counts.items() if count])
        if report.footage_seconds:
            line += f" ({clock(report.footage_seconds)} of footage {_pace(report)})"
        self._say(line)

    def _told(self, event: IndexEvent) -> str:
        """What is under way now that this has happened."""
        if event.kind in _UNDER_WAY:
            share = _share(event)
            far = f" {share:.0%}" if share else ""
            place = f"{event.position} of {event.files}" if event.files > 1 else ""
            what = event.kind if event.kind in _DOING else "reading"
            return f"{what} {printable(event.path)}{far}" + (f" ({place})" if place else "")
        if event.kind == "lines":
            return f"reading the words of {printable(event.path)}"
        return "" if self._lines else "finishing"

    def _say(self, text: str) -> None:
        self._pulse.spoke()
        if self._bar is not None:
            self._bar.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
        else:
            note(text)

    def _advance(self, bar: RichProgress, event: IndexEvent) -> None:
        seconds = self._footage_seconds
        done = float(event.position - (event.kind in _UNDER_WAY)) + _share(event)
        if event.kind in _FAR:
            seconds += event.done_seconds
        elapsed = time.perf_counter() - self._began
        bar.update(
            bar.task_ids[0],
            total=event.files or None,
            completed=done,
            description=printable(event.path.rpartition("/")[2])[:40],
            rate=f"{seconds / max(elapsed, 1e-9):.0f}x",
            files=f"{event.position}/{event.files}",
        )


def _share(event: IndexEvent) -> float:
    """How much of the file that is under way is done, within [0, 1]."""
    if event.kind == "verifying":
        return event.done_bytes / max(event.total_bytes, 1)
    if event.kind in _FAR and event.total_seconds:
        return event.done_seconds / event.total_seconds
    return 0.0


def _bar() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[files]}  {task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _pace(report: IndexReport) -> str:
    """How fast footage went in; how long it took where that says more of starting up."""
    if report.elapsed_seconds < _SHORT_RUN_SECONDS:
        return f"in {report.elapsed_seconds:.1f} s"
    return f"at {report.footage_seconds / report.elapsed_seconds:.0f}x real time"
