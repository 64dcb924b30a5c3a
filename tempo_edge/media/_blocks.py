"""A media file as FFmpeg reads it through a file object: in blocks, no further than is asked.

FFmpeg's own file protocol reads 32 kB at a time, and the kernel reads ahead of that. Where only
some groups of pictures of a film are wanted, most of it is read for nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import av

from tempo_edge._files.opening import open_carefully
from tempo_edge._files.page_cache import CAN_TELL, drop, expect_random, read_cached
from tempo_edge._files.reading_at import read_at

__all__ = ["BlockFile", "Peek"]

Peek = Callable[[int, int], bytes]
"""(at, size) to the bytes that lie there, fewer at the end of the file."""

# The least that is read: a page of the kernel's cache.
_PAGE = 4096

# The most that is read at once of what is expected: 6 ms of a disk that reads 40 MB a second.
_AHEAD = 1 << 18


class BlockFile:
    """A file object for :func:`av.open`, for one thread.

    A stretch that is expected is read ahead in large blocks and never beyond its end. Elsewhere
    reading begins with a page and grows as long as it goes on in a row. What was read of a stretch
    and was not in the kernel's cache before is dropped from it afterwards: a film that is read once
    must not push out what others need.

    Args:
        path: the file.

    Attributes:
        name: the file's absolute path, by which FFmpeg guesses its format.
        size: bytes of the file.
        bytes_read: bytes that were read so far.

    Raises:
        OSError: the file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path.absolute())
        self._descriptor = open_carefully(path)
        self.size = os.fstat(self._descriptor).st_size
        self.bytes_read = 0
        self._at = 0
        self._block, self._block_at = b"", 0
        self._step = _PAGE
        self._expected = (0, 0)
        self._asks_cache = CAN_TELL
        self._fresh: list[tuple[int, int]] = []  # not in the kernel's cache before
        expect_random(self._descriptor)

    def expect(self, start: int, end: int) -> None:
        """Prepare for a stretch that is about to be read, and let go of the one before.

        Args:
            start, end: bytes of the file.
        """
        self._let_go()
        self._expected = (start, min(end, self.size))

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes from where the file stands; none at its end.

        Raises:
            av.OSError: the file can't be read there.
        """
        at = self._at
        offset = at - self._block_at
        if not 0 <= offset < len(self._block):
            self._fill(at, size)
            offset = 0
        found = self._block[offset : offset + size]
        self._at = at + len(found)
        return found

    def peek(self, at: int, size: int) -> bytes:
        """``size`` bytes from ``at`` on, fewer at the end; the file stands where it stood."""
        stood, found = self._at, b""
        self._at = at
        while len(found) < size and (more := BlockFile.read(self, size - len(found))):
            found += more
        self._at = stood
        return found

    def _fill(self, at: int, size: int) -> None:
        """Read the block that begins at a byte."""
        start, end = self._expected
        goes_on = at == self._block_at + len(self._block)
        is_expected = start <= at < end
        if is_expected:
            length = min(_AHEAD, end - at)
        else:
            self._step = min(2 * self._step, _AHEAD) if goes_on else _PAGE
            length = min(max(size, _PAGE), self._step)
            length -= (at + length) % _PAGE  # a page is read as a whole anyway
            length += _PAGE if length < _PAGE // 4 else 0
        length = min(length, self.size - at)
        self._block_at = at
        self._block = self._pread(at, length, keep=not is_expected) if length > 0 else b""

    def _pread(self, at: int, length: int, *, keep: bool) -> bytes:
        try:
            block = b"" if keep else self._cached(at, length)
            if len(block) < length:
                fresh = at + len(block)
                rest = read_at(self._descriptor, length - len(block), fresh)
                if self._asks_cache and not keep:
                    self._fresh.append((fresh, fresh + len(rest)))
                block += rest
        except OSError as error:
            raise av.error.OSError(
                error.errno or errno.EIO, error.strerror or "can't be read", self.name
            ) from error
        self.bytes_read += len(block)
        return block

    def _cached(self, at: int, length: int) -> bytes:
        """What the kernel's cache holds of a stretch, from its beginning on."""
        if not self._asks_cache:
            return b""
        block = bytearray(length)
        try:
            got = read_cached(self._descriptor, block, at)
        except BlockingIOError:
            return b""
        except OSError:
            self._asks_cache = False  # not with this kind of volume
            return b""
        return bytes(block[:got])

    def _let_go(self) -> None:
        for start, end in self._fresh:
            drop(self._descriptor, start, end - start)
        self._fresh.clear()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Stand at a byte, which may lie behind the end; gives where."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if origin + offset < 0:
            raise av.error.OSError(errno.EINVAL, "seeks before its beginning", self.name)
        self._at = origin + offset
        return self._at

    def tell(self) -> int:
        """The byte at which the file stands."""
        return self._at

    def close(self) -> None:
        """Release the file."""
        if self._descriptor >= 0:
            self._let_go()
            os.close(self._descriptor)
            self._descriptor = -1
