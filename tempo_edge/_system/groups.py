"""Programs that are started apart from this one, and ended with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

__all__ = ["APART", "KILLED", "end_with_all"]

if sys.platform == "win32":
    #: Arguments for :class:`subprocess.Popen`: it outlives this process, and no key reaches it.
    APART: dict[str, Any] = {
        "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    }

    #: What a process that was killed ends with.
    KILLED = 1

    def end_with_all(process: subprocess.Popen[Any]) -> None:
        """End a process that was started apart, with all that it started."""
        told = subprocess.run(
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if told.returncode:
            process.kill()

else:
    #: Arguments for :class:`subprocess.Popen`: it outlives this process, and no key reaches it.
    APART: dict[str, Any] = {"start_new_session": True}

    #: What a process that was killed ends with.
    KILLED: int = -signal.SIGKILL

    def end_with_all(process: subprocess.Popen[Any]) -> None:
        """End a process that was started apart, with all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
