"""Indexing in the background: a child process that is started, held back, resumed and replaced."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tempo_edge.errors import LibraryError, ServiceError
from tempo_edge.indexing.report import LATER, IndexEvent
from tempo_edge.rereading import outdated_profile
from tempo_edge.service.jobs.index_progress import IndexingProgress
from tempo_edge.service.jobs.job_list import Jobs
from tempo_edge.service.jobs.throttle import Throttle

__all__ = ["Indexing"]

# Between two looks whether to hold back.
_LOOK_SECONDS = 2.0

# Before a child that died is replaced: at first, and at most.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 600.0

# Children that may die over a list of paths, without finishing a file, before it is given up.
_DEATHS = 5

# Longest line of a child: the name of a file in it may have 4,096 bytes, each spelled out.
_LONGEST_LINE = 1 << 18

# For a child to end by itself.
_ENDING_SECONDS = 10.0


def _is_outdated(library: Path) -> bool:
    """Whether a library has to be read again before anybody can search it."""
    try:
        return outdated_profile(library) is not None
    except LibraryError:  # who searches it is told
        return False


class Indexing:
    """Keeps a library up to date through a child process. Lives on the event loop.

    Args:
        library: the database file.
        watched: folders to follow.
        throttle: says when to hold back; None for never.
        tell: called with ``progress``, ``indexed`` or ``skipped`` and what there is to say.
        on_event: called with each of the indexer's events.
        exclude: patterns of what is left out.
        on_notice: told in a line how folders are followed, and what hinders it.
        words: which words to read, of :data:`tempo_edge.indexing.word_choice.WORDS`.
    """

    def __init__(
        self,
        library: Path,
        watched: list[Path],
        throttle: Throttle | None,
        tell: Callable[[str, dict[str, Any]], None],
        on_event: Callable[[IndexEvent], None] = lambda event: None,
        exclude: Sequence[str] = (),
        on_notice: Callable[[str], None] = lambda line: None,
        words: str = "subtitles",
    ) -> None:
        self._words = words
        self._library = library
        self._watched = watched
        self._exclude = exclude
        self._on_notice = on_notice
        self._throttle = throttle
        self._tell = tell
        self._on_event = on_event
        self._jobs = Jobs(library)
        self._progress = IndexingProgress()
        self._asked_to_pause = False
        self._manner: str | None = None
        self._trouble: str | None = None
        self._child: Process | None = None
        self._deaths = 0
        self._let_go = False
        self._wanted = asyncio.Event()
        self._ending = False
        if watched or len(self._jobs) or _is_outdated(library):
            self._wanted.set()

    # -- what the service's clients ask ---------------------------------------------------------

    def add(self, paths: list[str]) -> None:
        """Index some paths as soon as may be.

        Raises:
            ServiceError: too many wait already; status 503.
        """
        if self._jobs.is_full:
            raise ServiceError(503, "too many paths wait to be indexed: ask again later")
        number = self._jobs.add(paths)
        self._order({"number": number, "paths": paths})
        self._wanted.set()
        self._announce()

    def pause(self, paused: bool) -> None:
        """Hold back until asked to go on, or go on unless the throttle forbids it."""
        self._asked_to_pause = paused
        self._order({"pause": self.held_by is not None})
        self._announce()

    @property
    def held_by(self) -> str | None:
        """Why indexing is held back, if it is."""
        return "on request" if self._asked_to_pause else self._manner

    def facts(self) -> dict[str, Any]:
        """The status's ``indexing``."""
        reason = self.held_by or self._trouble
        working = bool(len(self._jobs)) or self._progress.file is not None
        state = "paused" if reason else "running" if working else "idle"
        return {"state": state, "reason": reason, **self._progress.facts()}

    # -- the child ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep a child at work while there is any, until :meth:`close`."""
        mannered = asyncio.create_task(self._mind_manners())
        try:
            while not self._ending:
                await self._wanted.wait()
                if not self._ending:
                    await self._one_child()
        finally:
            mannered.cancel()

    async def close(self) -> None:
        """End the child: it leaves the file it reads for the next time."""
        self._ending = True
        self._wanted.set()
        child = self._child
        if child is not None:
            _hang_up(child)
            await _see_out(child)

    async def _one_child(self) -> None:
        """Start a child and follow it until it is gone; wait for a while if it died."""
        self._trouble, self._let_go = None, False
        command = [sys.executable, "-m", "tempo_edge.service.jobs.index_worker", str(self._library)]
        command.append(f"--words={self._words}")
        command += [f"--exclude={pattern}" for pattern in self._exclude]
        child = await asyncio.create_subprocess_exec(
            *command, *map(str, self._watched), stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE
        )
        self._child = child
        self._order({"pause": self.held_by is not None})
        for number, paths in self._jobs.items():
            self._order({"number": number, "paths": paths})
        assert child.stdout is not None
        with suppress(ValueError):  # a line that is no child's of ours
            while line := await child.stdout.readline():
                self._hear(json.loads(line))
        await _see_out(child)
        self._child = None
        if not (self._ending or self._let_go):
            await self._mourn()
        self._progress.clear()

    async def _mourn(self) -> None:
        """A child died. What it was at is tried again, but not for ever."""
        self._deaths += 1
        at = self._progress.file
        self._progress.clear()
        if self._deaths >= _DEATHS and len(self._jobs):
            number, paths = self._jobs.items()[0]
            self._jobs.done(number)
            self._deaths = 0
            where = at or paths[0]
            reason = f"the indexer ended {_DEATHS} times over it: it was given up"
            self._tell("skipped", {"path": where, "reason": reason})
        self._trouble = "the indexer ended and is started again"
        self._announce()
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._deaths)
        ends = asyncio.get_running_loop().time() + wait
        while not self._ending and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(0.1)
        self._trouble = None
        self._rest()

    def _hear(self, said: dict[str, Any]) -> None:
        """Take in a line of the child."""
        self._trouble = said.get("waiting")
        if "notice" in said:
            self._on_notice(str(said["notice"]))
        if "event" in said:
            self._take(IndexEvent(**said["event"]))
        if "done" in said:
            self._deaths = 0
            self._jobs.done(int(said["done"]))
            self._progress.clear()
            self._rest()
        self._announce()

    def _take(self, event: IndexEvent) -> None:
        self._progress.take(event)
        self._on_event(event)
        if event.kind in ("indexed", "reused"):
            self._deaths = 0
            self._tell("indexed", {"path": event.path})
        elif event.kind == "skipped":
            self._deaths = 0
            self._tell("skipped", {"path": event.path, "reason": event.reason})
        elif event.kind in LATER.values():
            self._deaths = 0

    def _rest(self) -> None:
        """Where nothing is left to do, let the child go: it holds the image models."""
        if not self._watched and not len(self._jobs):
            self._wanted.clear()
            if self._child is not None:
                self._let_go = True
                _hang_up(self._child)

    def _order(self, order: dict[str, Any]) -> None:
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError, RuntimeError):
                self._child.stdin.write(json.dumps(order).encode() + b"\n")

    async def _mind_manners(self) -> None:
        while self._throttle is not None:
            reason = self._throttle.reason()
            if reason != self._manner:
                self._manner = reason
                self._order({"pause": self.held_by is not None})
                self._announce()
            await asyncio.sleep(_LOOK_SECONDS)

    def _announce(self) -> None:
        self._tell("progress", self.facts())


async def _see_out(child: Process) -> None:
    """Wait until a child has ended, which it may be helped with."""
    try:
        await asyncio.wait_for(child.wait(), _ENDING_SECONDS)
    except asyncio.TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _hang_up(child: Process) -> None:
    """Close a child's standard input, which ends it."""
    if child.stdin is not None:
        with suppress(OSError, RuntimeError):
            child.stdin.close()
