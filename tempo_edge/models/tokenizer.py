"""Tokenizers: read from a profile's file, which may hold anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tempo_edge.errors import ProfileError

__all__ = ["read_tokenizer"]

# Bytes of the longest tokenizer that is read: those with a quarter of a million words have 35 MB.
_MOST_BYTES = 256 << 20


def read_tokenizer(path: Path) -> Any:
    """The tokenizer in a file of the ``tokenizers`` library.

    Raises:
        ProfileError: the file is too long, or can't be read as a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ProfileError(f"{path} has {size} bytes, at most {_MOST_BYTES} are allowed")
        return Tokenizer.from_file(str(path))
    except ProfileError:
        raise
    except BaseException as error:
        # A panic of the library's Rust code is no `Exception`, what a person does is none either.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ProfileError(f"{path} can't be read as a tokenizer: {reason}") from error
