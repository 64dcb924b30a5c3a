"""Read leases, by which Linux tells whether somebody has a file open for writing.

It grants one only when nobody does. Some file systems grant none at all, and only a file's owner
may ask; then, and on other systems, nothing is known.
"""

from __future__ import annotations

import os
import sys

__all__ = ["is_written_to"]

if sys.platform == "linux":
    import fcntl
    import signal

    from tempo_edge._files.opening import open_carefully

    _F_SETSIG = 10  # of Linux; the module fcntl doesn't name it

    def is_written_to(path: str) -> bool:
        """True if it is known that another process has a file open for writing."""
        if not os.path.isfile(path):  # noqa: PTH113 - a string
            return False
        try:
            descriptor = open_carefully(path)
        except OSError:
            return False
        try:
            # Should someone open it for writing just now, a signal tells: one that is ignored.
            fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False

else:

    def is_written_to(path: str) -> bool:
        """False: nobody tells here, so that a file is waited for until it grows no more."""
        return False
