"""The scheduling policy of a thread, which an encoder may change and not put back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["same_schedule"]


@contextmanager
def same_schedule() -> Iterator[None]:
    """The calling thread's policy afterwards is that of before.

    SVT-AV1, opened by root, gives the thread that opens it real-time priority. Whatever that thread
    starts later has it as well, and two busy processes of that kind stop all others on two cores.
    """
    if sys.platform != "linux":
        yield
    else:
        policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
        try:
            yield
        finally:
            os.sched_setscheduler(0, policy, parameters)
