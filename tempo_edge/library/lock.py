"""The writer's lock: one process writes a library, readers never wait."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from tempo_edge.errors import LibraryError

__all__ = ["WriterLock"]


class WriterLock:
    """An advisory lock on a file beside the database; the kernel drops it when the holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock.

        Raises:
            LibraryError: another process holds it, or the folder can't be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LibraryError(f"{self._path} can't be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise LibraryError(
                f"another process (pid {holder}) is writing to {self._path.with_suffix('.db')}: "
                "wait for it, or use another --library"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
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
