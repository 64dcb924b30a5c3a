"""Being told by the kernel what happens in folders, and whether it can tell of all of them."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

__all__ = ["Notifier"]

# What watchdog would tell about its troubles, a walk mends.
logging.getLogger("watchdog").addHandler(logging.NullHandler())

# The kernel's limits for one user, where they can be read; those of a container are its own.
_WATCHES = ("fs.inotify.max_user_watches", "user.max_inotify_watches")
_INSTANCES = ("fs.inotify.max_user_instances", "user.max_inotify_instances")

# What inotify(7) calls IN_CREATE.
_CREATED = 0x100


class Notifier:
    """Follows folders and all below them through inotify.

    Args:
        handler: told of what happens, on a thread of the notifier's.
    """

    def __init__(self, handler: FileSystemEventHandler) -> None:
        self._handler = handler
        self._observer: BaseObserver | None = None

    def start(self, folders: Iterable[Path]) -> str:
        """Follow some folders, in place of those before.

        Gives nothing, or why the kernel can't tell of all that lies in them, with what mends it;
        then none of them is followed.
        """
        self.stop()
        # A folder that is made while it is being listed is met twice, which watchdog puts right.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        try:
            self._observer = Observer()
            for folder in folders:
                self._observer.schedule(self._handler, str(folder), recursive=True)
            self._observer.start()
            _watch_one_more()
        except (FileNotFoundError, NotADirectoryError):
            self.stop()  # it went this very moment; whoever asked sees that, too
        except OSError as error:
            self.stop()
            return _trouble(error)
        return ""

    def stop(self) -> None:
        """Follow nothing."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            if observer.is_alive():
                observer.join()

    def is_well(self) -> bool:
        """False once a thread that listens to the kernel has ended, as it does with its folder."""
        observer = self._observer
        return observer is None or all(e.is_alive() for e in (observer, *observer.emitters))


def _watch_one_more() -> None:
    """Ask the kernel for a watch beside those that watchdog has asked for.

    Watchdog passes over the folders that the kernel grants it no watch for, and never says so.
    Where one more is granted, so were all before it.

    Raises:
        OSError: none is granted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init()
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "no inotify")
    try:
        if libc.inotify_add_watch(descriptor, b"/", _CREATED) < 0:
            raise OSError(ctypes.get_errno(), "no watch")
    finally:
        os.close(descriptor)


def _trouble(error: OSError) -> str:
    """Why the kernel tells nothing, and what mends it."""
    names = {errno.ENOSPC: _WATCHES, errno.EMFILE: _INSTANCES}.get(error.errno or 0)
    limits = {name: limit for name in names or () if (limit := _limit(name))}
    if not limits:
        reason = os.strerror(error.errno) if error.errno else str(error)
        return f"the kernel can't tell of changes ({reason.lower()})"
    name = min(limits, key=lambda each: limits[each])
    what = "watched folders" if names is _WATCHES else "inotify instances"
    least = 524_288 if names is _WATCHES else 1024
    enough = max(least, 2 * limits[name])
    return (
        f"the kernel's limit of {limits[name]} {what} is reached: raise it with "
        f'"sudo sysctl {name}={enough}" and start again'
    )


def _limit(name: str) -> int:
    try:
        return int(Path("/proc/sys", *name.split(".")).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
