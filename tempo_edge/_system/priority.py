"""The priority of a process: how far it lets everything else go first."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

__all__ = ["be_last", "be_nice"]

if sys.platform == "win32":
    _BELOW_NORMAL, _IDLE = 0x4000, 0x40

    def be_nice() -> None:
        """Let whatever the person is doing go first."""
        _take(_BELOW_NORMAL)

    def be_last() -> None:
        """Take the lowest priority for processors."""
        _take(_IDLE)

    def _take(kind: int) -> None:
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.SetPriorityClass.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), kind)

else:
    # ioprio_set(2), which Python does not know: its number, by machine.
    _IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
    _WHO_PROCESS, _CLASS_IDLE = 1, 3 << 13

    def be_nice() -> None:
        """Let whatever the person is doing go first."""
        try:
            os.nice(5)
        except OSError:
            return

    def be_last() -> None:
        """Take the lowest priority for processors and, on Linux, for disks.

        Threads made from now on have it too.

        Raises:
            OSError: it can't be had.
        """
        os.setpriority(os.PRIO_PROCESS, 0, 19)
        if sys.platform == "linux":
            number = _IOPRIO_SET.get(platform.machine())
            if number is not None:
                ctypes.CDLL(None).syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE)
