"""Checksums of files that may be larger than memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["git_blob", "sha256_of"]

_BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's contents, in hexadecimal.

    Raises:
        OSError: it can't be read.
    """
    return _digest(path, hashlib.sha256())


def git_blob(path: Path) -> str:
    """The name that git gives to a file's contents: SHA-1 over a header and them.

    Raises:
        OSError: it can't be read.
    """
    header = b"blob %d\0" % path.stat().st_size
    return _digest(path, hashlib.sha1(header, usedforsecurity=False))


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
