"""Clips of videos as answers: cut one after another, by a process that ends with its request."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tempo_edge._files.opening import open_carefully
from tempo_edge.errors import ServiceError
from tempo_edge.moment import Span
from tempo_edge.service.http.files import OpenFile

__all__ = ["LONGEST_CLIP_SECONDS", "Clips"]

#: Longest clip that is cut for a request, in seconds.
LONGEST_CLIP_SECONDS = 600

# Requests that may wait for their turn.
_WAITING = 4


class Clips:
    """Cuts clips. Lives on the event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._asked = 0

    async def cut(self, source: Path, span: Span) -> OpenFile:
        """``[start, end)`` seconds of a video as an MP4 that is gone once it was sent.

        Where it is given up, by cancelling, the cutting ends and nothing is left of it.

        Raises:
            ServiceError: too many wait already (status 429), or it can't be cut (404).
        """
        if self._asked > _WAITING:
            raise ServiceError(429, f"{_WAITING} clips wait to be cut already: ask again")
        self._asked += 1
        try:
            async with self._turn:
                with TemporaryDirectory(prefix="tempo-edge-clip-") as folder:
                    return _open(Path(folder) / await _cut(source, span, folder))
        finally:
            self._asked -= 1


async def _cut(source: Path, span: Span, folder: str) -> str:
    """The name of the clip, written into a folder."""
    command = [sys.executable, "-m", "tempo_edge.service.jobs.clip_worker", str(source)]
    command += [repr(span.start_seconds), repr(span.end_seconds), folder]
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE)
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    said = json.loads(out or b"{}")
    if "name" not in said:
        why = said.get("error", f"{source} can't be cut: the process that does it was ended")
        raise ServiceError(404, why)
    return str(said["name"])


def _open(path: Path) -> OpenFile:
    descriptor = open_carefully(path, waiting=True)
    facts = os.fstat(descriptor)
    return OpenFile(descriptor, path, facts.st_size, facts.st_mtime_ns, attachment=True)
