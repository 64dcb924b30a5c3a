"""A file that is written beside its place, and comes to lie there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["draft_of"]


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Where to write what is to become ``path``: it takes the place of what was there at the end.

    A pipe or a device is written to, not replaced: of those it is the path itself. So it is of a
    folder, which can't be opened for writing.

    Raises:
        OSError: it can't be written. The draft is gone then.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    # So many letters fit into a name whatever their alphabet.
    draft = path.with_name(f".{path.name[:50]}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(path)
    finally:
        with suppress(OSError):  # a disk that can't be written to has no draft either
            draft.unlink(missing_ok=True)
