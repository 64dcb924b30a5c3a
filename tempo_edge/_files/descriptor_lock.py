"""Locks of open files, which the system drops when their holder dies, whatever ends it."""

from __future__ import annotations

import errno
import os
import sys
import time

__all__ = ["lock_descriptor"]

# Windows locks bytes, and nobody may read those: one that lies behind whatever a file says.
_LOCKED_BYTE = 1 << 30

# Between two looks, where the system has nobody wait.
_PAUSE_SECONDS = 0.02

if sys.platform == "win32":
    import msvcrt

    def lock_descriptor(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
        """Lock an open file, as long as it is open.

        Args:
            shared: ignored; there are only locks of one process alone here.
            wait: for another process that has done so.

        Raises:
            BlockingIOError: another process has done so.
            OSError: there can't be one.
        """
        while True:
            try:
                return _lock_byte(descriptor)
            except BlockingIOError:
                if not wait:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def _lock_byte(descriptor: int) -> None:
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLOCK):
                raise BlockingIOError(error.errno, error.strerror) from error
            raise
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)

else:
    import fcntl

    def lock_descriptor(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
        """Lock an open file or folder, as long as it is open.

        Args:
            shared: others may lock it so as well.
            wait: for another process that has done so.

        Raises:
            BlockingIOError: another process has done so.
            OSError: there can't be one: file systems without locks are known.
        """
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
