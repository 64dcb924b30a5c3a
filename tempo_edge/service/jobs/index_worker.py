"""The process that indexes for the service: out of everybody's way, and the only one that writes.

It is told what to do by lines of JSON on its standard input, and ends with it. On its standard
output it tells what it does, one line of JSON an event.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Condition, Event, Lock, Thread
from typing import TYPE_CHECKING, Any, BinaryIO

from tempo_edge._system.priority import be_last
from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.indexing.report import IndexEvent, IndexReport
    from tempo_edge.indexing.watcher import Order
    from tempo_edge.library import Library

__all__ = ["Control", "main"]

# Between two tries where the library can't be written: another process may be doing so.
_AGAIN_SECONDS = 2.0

# Between two looks whether to end, while nothing is ordered.
_LOOK_SECONDS = 0.25

# Between two events that tell how far a file is.
_PROGRESS_SECONDS = 0.25

_EXCLUDE = "--exclude="


class Control:
    """What the service wants: to wait, to go on, or to end."""

    def __init__(self) -> None:
        self.ended = Event()
        self._paused = False
        self._change = Condition()

    def pause(self, paused: bool) -> None:
        """Wait, or go on."""
        with self._change:
            self._paused = paused
            self._change.notify_all()

    def end(self) -> None:
        """End soon."""
        self.ended.set()
        with self._change:
            self._change.notify_all()

    def stopping(self) -> bool:
        """Whether to end; while there is to be a pause, it does not return."""
        with self._change:
            while self._paused and not self.ended.is_set():
                self._change.wait()
        return self.ended.is_set()


class Worker:
    """Indexes into one library what it is told to.

    Args:
        library: the database file.
        exclude: patterns of what is left out.
        out: where events go.
        words: which words to read, of :data:`tempo_edge.indexing.word_choice.WORDS`. What takes
            long to read of them is read when nothing else is left to do.
    """

    def __init__(
        self, library: Path, exclude: list[str], out: BinaryIO, words: str = "subtitles"
    ) -> None:
        self._words = words
        self._path = library
        self._exclude = exclude
        self._out = out
        self._writing = Lock()
        self._told = 0.0
        self.control = Control()
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._order: Order | None = None

    def obey(self, lines: BinaryIO) -> None:
        """Read orders until there are no more."""
        for line in lines:
            order = json.loads(line)
            if "pause" in order:
                self.control.pause(bool(order["pause"]))
            if "paths" in order:
                self._put(int(order["number"]), [Path(path) for path in order["paths"]])
        self.control.end()

    def _put(self, number: int, paths: list[Path]) -> None:
        from tempo_edge.indexing.watcher import Order

        def done(report: IndexReport) -> None:
            if not report.stopped:
                self.tell({"done": number})

        self._orders.put(Order(paths, done))

    def run(self, watched: list[str]) -> None:
        """Index what is ordered, and follow some folders, until told to end."""
        from tempo_edge.library import Library
        from tempo_edge.rereading import reread_outdated

        while not self.control.ended.is_set():
            try:
                reread_outdated(
                    self._path,
                    [path for path in watched if Path(path).is_dir()],
                    exclude=self._exclude,
                    on_event=self.event,
                    stopping=self.control.stopping,
                )
                with Library.open(self._path) as library:
                    if watched:
                        self._watch(library, watched)
                    else:
                        self._fill_orders(library)
            except TempoEdgeError as error:
                self.tell({"waiting": str(error)})
                self.control.ended.wait(_AGAIN_SECONDS)

    def _fill_orders(self, library: Library) -> None:
        """Index what is ordered, one list of paths after another."""
        while not self.control.ended.is_set():
            try:
                order = self._order or self._orders.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue
            self._order = order  # kept, should it fail: it is tried again
            report = library.index(
                order.paths,
                exclude=self._exclude,
                on_event=self.event,
                stopping=self.control.stopping,
                words=self._words,
            )
            order.done(report)
            self._order = None
            library.tell(on_notice=lambda line: self.tell({"notice": line}))

    def _watch(self, library: Library, watched: list[str]) -> None:
        library.watch(
            [path for path in watched if Path(path).is_dir()],
            exclude=self._exclude,
            stop=self.control.ended,
            on_event=self.event,
            stopping=self.control.stopping,
            orders=self._orders,
            on_notice=lambda line: self.tell({"notice": line}),
            words=self._words,
        )

    def event(self, event: IndexEvent) -> None:
        """Tell of a file."""
        now = time.monotonic()
        if event.kind == "progress":
            if now - self._told < _PROGRESS_SECONDS:
                return
            self._told = now
        self.tell({"event": asdict(event)})

    def tell(self, facts: dict[str, Any]) -> None:
        """Write a line. A service that is gone has no use for it, and soon ends this process."""
        try:
            with self._writing:
                self._out.write(json.dumps(facts).encode() + b"\n")
                self._out.flush()
        except OSError:
            self.control.end()


def main(arguments: list[str]) -> None:
    """``python -m tempo_edge.service.jobs.index_worker LIBRARY --words=KIND [--exclude=GLOB...]
    [FOLDER...]``.

    As the service starts it, with absolute paths.
    """
    be_last()
    # The keyboard's signals go to the whole group; the service says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    library, words, *rest = arguments
    exclude = [each.removeprefix(_EXCLUDE) for each in rest if each.startswith(_EXCLUDE)]
    watched = [each for each in rest if not each.startswith(_EXCLUDE)]  # from the root
    # Whatever else may write to standard output ends up on standard error.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(Path(library), exclude, out, words.removeprefix("--words="))
    Thread(target=worker.obey, args=(sys.stdin.buffer,), daemon=True).start()
    worker.run(watched)


if __name__ == "__main__":
    main(sys.argv[1:])
