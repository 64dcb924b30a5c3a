"""The digests of a file: of a sample of its bytes, and of all of them.

The sample is what a file is known by: its size, its head, its tail and blocks in between, one
mebibyte at most, however long the film is. Files that agree in it and differ elsewhere are one to
it; the packet table tells those apart whose packets differ in size (see
:mod:`tempo_edge.media.packet_digest`), and the digest of the whole tells all of them.
"""

# Strings and `os` instead of `Path`: a library may have many files.

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tempo_edge._files.opening import open_carefully
from tempo_edge._files.page_cache import expect_random
from tempo_edge._files.reading_at import read_at
from tempo_edge.indexing.problems import CHANGED, PassingError, check_facts, unread
from tempo_edge.indexing.walk import FoundFile
from tempo_edge.store.rows import Contents

__all__ = ["SAMPLE_BYTES", "FileDigests", "key_of", "sample_blocks"]

#: Bytes of the largest sample; of a file that is no larger it is all of it.
SAMPLE_BYTES = 1 << 20

# At both ends lies what containers tell of their packets. A block in between costs a disk as much
# time to find as a megabyte takes to be read: a few tell as much as many.
_END_BYTES = 256 << 10
_BLOCK_BYTES = 64 << 10
_BLOCKS = (SAMPLE_BYTES - 2 * _END_BYTES) // _BLOCK_BYTES

# Disks and their caches hold pages of this size.
_PAGE_BYTES = 4096

# Names the scheme: a digest that is made in another way begins otherwise. The digest of a whole
# file, as libraries always had it, is SHA-256 and nothing before it.
_SCHEME = b"sample1:"
_KEY_SCHEME = b"contents1:"

_READ_BYTES = 1 << 20


def sample_blocks(size: int) -> list[tuple[int, int]]:
    """The blocks of a sample: (first byte, number of bytes), in the order of the file.

    They lie within the file, don't overlap, and are :data:`SAMPLE_BYTES` in all, or the whole file
    where that is less.

    Args:
        size: of the file in bytes.
    """
    if size <= SAMPLE_BYTES:
        return [(0, size)] if size else []
    between = size - 2 * _END_BYTES
    spare = between - _BLOCKS * _BLOCK_BYTES
    blocks = [(0, _END_BYTES)]
    for number in range(_BLOCKS):
        start = _END_BYTES + number * _BLOCK_BYTES + spare * (2 * number + 1) // (2 * _BLOCKS)
        blocks.append((start - start % _PAGE_BYTES, _BLOCK_BYTES))
    return [*blocks, (size - _END_BYTES, _END_BYTES)]


def key_of(contents: Contents) -> bytes:
    """The key by which a library tells contents from all others, as far as they are known."""
    digest = hashlib.sha256()
    for part in (contents.sample, contents.packets, contents.whole):
        digest.update(b"-" if part is None else b"+" + part)
    return _KEY_SCHEME + digest.digest()


class FileDigests:
    """Makes the digests of files.

    Args:
        check_stop: called between blocks; raises whatever is to end it.
    """

    def __init__(self, check_stop: Callable[[], None]) -> None:
        self._check_stop = check_stop

    def sample(self, found: FoundFile) -> bytes:
        """SHA-256 of a file's size and sample, with the scheme's name before it.

        Raises:
            PassingError: the file can't be read, or is not as it was found.
        """
        digest = hashlib.sha256(_SCHEME + found.size.to_bytes(8, "little"))
        with _opened(found) as file:
            with suppress(OSError):  # what is read ahead is read in vain
                expect_random(file)
            for start, length in sample_blocks(found.size):
                for block in self._blocks(file, start, length):
                    digest.update(block)
        return _SCHEME + digest.digest()

    def whole(
        self, found: FoundFile, on_progress: Callable[[int], None] = lambda done: None
    ) -> bytes:
        """SHA-256 of all of a file.

        Args:
            on_progress: called with the bytes read so far, block by block.

        Raises:
            PassingError: the file can't be read, or is not as it was found.
        """
        digest = hashlib.sha256()
        done = 0
        with _opened(found) as file:
            for block in self._blocks(file, 0, found.size):
                digest.update(block)
                done += len(block)
                on_progress(done)
        return digest.digest()

    def _blocks(self, file: int, start: int, length: int) -> Iterator[bytes]:
        end = start + length
        while start < end:
            self._check_stop()
            try:
                block = read_at(file, min(_READ_BYTES, end - start), start)
            except OSError as error:
                raise unread(error) from error
            if not block:
                raise PassingError(CHANGED)  # it is shorter than it says
            start += len(block)
            yield block


@contextmanager
def _opened(found: FoundFile) -> Iterator[int]:
    """A file's descriptor, while the file stays as it was found.

    Raises:
        PassingError: it can't be opened, or changed.
    """
    try:
        file = open(found.path, "rb", buffering=0, opener=_open_at_once)  # noqa: SIM115
    except FileNotFoundError as error:
        raise PassingError("vanished before it was read") from error
    except OSError as error:
        raise unread(error) from error
    with file:
        yield file.fileno()
        check_facts(os.fstat(file.fileno()), found)


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting, should it have become a pipe since it was looked at."""
    return open_carefully(path, flags)
