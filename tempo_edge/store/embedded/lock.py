"""The writer's lock: one process writes a library, readers never wait."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tempo_edge._files import make_private
from tempo_edge._files.descriptor_lock import lock_descriptor
from tempo_edge._files.opening import open_lock
from tempo_edge._files.overwriting import check_overwriting
from tempo_edge.errors import LibraryError, NoLibraryError
from tempo_edge.store.embedded.database import Database
from tempo_edge.store.embedded.database_file import beside, check_file

__all__ = ["WriterLock"]


class WriterLock:
    """An advisory lock on a file beside the database; the kernel drops it when the holder dies.

    Args:
        library: the database that is going to be written.
    """

    def __init__(self, library: Path) -> None:
        self._library = library
        self._path = beside(library, ".lock")
        self._descriptor: int | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock.

        Raises:
            FootageError: the library would take the place of footage.
            LibraryError: another process holds it, the folder can't be written, or what is there
                is no library. Nothing lies beside that then.
        """
        _check_place(self._library)
        check_overwriting(self._path)
        try:
            make_private(self._path.parent)
            descriptor = open_lock(self._path)
        except OSError as error:
            raise LibraryError(
                f"{self._path} can't be written ({error.strerror}): choose another --library"
            ) from error
        try:
            lock_descriptor(descriptor)
            os.ftruncate(descriptor, 0)
            _write_pid(descriptor)
        except BlockingIOError as error:
            holder = _read_pid(descriptor)
            os.close(descriptor)
            raise LibraryError(
                f"another process (pid {holder}) is writing to {self._library}: "
                "wait for it, or use another --library"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise LibraryError(
                f"{self._path} can't be locked ({error.strerror}): choose another --library"
            ) from error
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _check_place(library: Path) -> None:
    """Refuse a path at which neither a library is nor one can be made.

    Raises:
        FootageError: an empty file is there that has the name of footage.
        LibraryError: something else is there.
    """
    check_file(library, readonly=False)
    with suppress(NoLibraryError):
        Database(library, readonly=True).close()


def _write_pid(descriptor: int) -> None:
    """Say who holds the lock; on a full disk it goes unsaid."""
    try:
        os.write(descriptor, str(os.getpid()).encode())
    except OSError:
        return


def _text_of(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 32).decode(errors="replace").strip()


def _read_pid(descriptor: int) -> str:
    """Who holds the lock. It may be about to say so, therefore look more than once."""
    for _ in range(10):
        text = _text_of(descriptor)
        if text:
            return text
        time.sleep(0.02)
    return "unknown"
