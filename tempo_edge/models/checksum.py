"""Checksums of files that may be larger than memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["sha256_of"]

_BLOCK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's contents, in hexadecimal.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
