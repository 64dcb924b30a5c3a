"""What processes use of a machine, as their system counts it; Windows counts nothing of this.

There a benchmark that asks ends with that, in one line.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Usage",
    "growth_limited",
    "leave_no_cores",
    "of_children",
    "own",
    "room_for",
    "tick_seconds",
    "waited",
    "waiting",
]

_NOT_HERE = "what a process uses is not counted on this system: measure on Linux"


@dataclass(frozen=True)
class Usage:
    """What processes have used.

    Attributes:
        cpu_seconds: of all cores together.
        peak_kilobytes: the largest resident size of one of them.
        read_bytes: what came from disks.
    """

    cpu_seconds: float
    peak_kilobytes: float
    read_bytes: int


if sys.platform == "win32":

    def own() -> Usage:
        """Not known here.

        Raises:
            SystemExit: always.
        """
        raise SystemExit(_NOT_HERE)

    def of_children() -> Usage:
        """Not known here.

        Raises:
            SystemExit: always.
        """
        raise SystemExit(_NOT_HERE)

    def waited(process: subprocess.Popen[Any]) -> Usage:
        """Not known here.

        Raises:
            SystemExit: always.
        """
        raise SystemExit(_NOT_HERE)

    def tick_seconds() -> float:
        """Not known here.

        Raises:
            SystemExit: always.
        """
        raise SystemExit(_NOT_HERE)

    def waiting() -> float:
        """Not known here.

        Raises:
            SystemExit: always.
        """
        raise SystemExit(_NOT_HERE)

    def leave_no_cores() -> None:
        """Nothing: there are none here."""

    def room_for(descriptors: int) -> None:
        """Nothing: there is no limit that could be raised."""

    def growth_limited(most_bytes: int) -> AbstractContextManager[None]:
        """Not to be had here.

        Raises:
            SystemExit: always.
        """
        raise SystemExit(_NOT_HERE)

else:
    import resource

    # macOS counts in bytes what others count in kilobytes.
    _OF_A_KILOBYTE = 1024 if sys.platform == "darwin" else 1
    _BLOCK_BYTES = 512

    def own() -> Usage:
        """What this process has used so far."""
        return _usage(resource.getrusage(resource.RUSAGE_SELF))

    def of_children() -> Usage:
        """What the children of this process that have ended have used."""
        return _usage(resource.getrusage(resource.RUSAGE_CHILDREN))

    def waited(process: subprocess.Popen[Any]) -> Usage:
        """What a process has used, once it has ended; its ``returncode`` is there then."""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return _usage(usage)

    def _usage(counted: resource.struct_rusage) -> Usage:
        return Usage(
            counted.ru_utime + counted.ru_stime,
            counted.ru_maxrss / _OF_A_KILOBYTE,
            counted.ru_inblock * _BLOCK_BYTES,
        )

    def tick_seconds() -> float:
        """What ``/proc`` counts the time of processors in."""
        return 1 / os.sysconf("SC_CLK_TCK")

    def waiting() -> float:
        """How many processes wanted a core, on average of the last minute."""
        return os.getloadavg()[0]

    def leave_no_cores() -> None:
        """Write no memory to disk where something dies."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def room_for(descriptors: int) -> None:
        """Be allowed so many descriptors, as far as the system lets."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, descriptors), hard))

    @contextmanager
    def growth_limited(most_bytes: int) -> Iterator[None]:
        """While it lasts no file may be written beyond so many bytes, by children neither."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
