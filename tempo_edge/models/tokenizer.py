"""Tokenizers: read from a profile's file, which may hold anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tempo_edge.errors import ProfileError

__all__ = ["MOST_TOKENS", "encode", "plain_tokenizer", "read_tokenizer"]

#: Tokens of the longest text that a tokenizer may cut to, or fill up to.
MOST_TOKENS = 65536

# Bytes of the longest tokenizer that is read: those with a quarter of a million words have 35 MB.
_MOST_BYTES = 256 << 20


def read_tokenizer(path: Path) -> Any:
    """The tokenizer in a file of the ``tokenizers`` library.

    Raises:
        ProfileError: the file is too long, can't be read as a tokenizer, or cuts or fills up texts
            to lengths that can't be.
    """
    from tokenizers import Tokenizer

    with _named(f"{path} can't be read as a tokenizer"):
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ProfileError(f"{path} has {size} bytes, at most {_MOST_BYTES} are allowed")
        tokenizer = Tokenizer.from_file(str(path))
        for what, name in (("truncation", "max_length"), ("padding", "length")):
            length = (getattr(tokenizer, what) or {}).get(name)
            if length is not None and not 1 <= length <= MOST_TOKENS:
                raise ProfileError(
                    f"{path}: {what}.{name} must be from 1 to {MOST_TOKENS}, not {length}"
                )
        _check_stride(path, tokenizer)
        multiple = (tokenizer.padding or {}).get("pad_to_multiple_of")
        if multiple is not None and not 1 <= multiple <= MOST_TOKENS:
            raise ProfileError(
                f"{path}: padding.pad_to_multiple_of must be from 1 to {MOST_TOKENS}, "
                f"not {multiple}"
            )
    return tokenizer


def plain_tokenizer(text: str, path: Path) -> Any:
    """The tokenizer that JSON describes, but that it neither cuts texts nor fills them up.

    Args:
        path: where the JSON is from, for errors.

    Raises:
        ProfileError: it can't be read as a tokenizer.
    """
    from tokenizers import Tokenizer

    with _named(f"{path} can't be read as a tokenizer"):
        tokenizer = Tokenizer.from_str(text)
        tokenizer.no_truncation()
        tokenizer.no_padding()
    return tokenizer


def _check_stride(path: Path, tokenizer: Any) -> None:
    """Refuse windows that would never come to the end of a text: the library panics there.

    Raises:
        ProfileError: the next window would begin with all that this one holds.
    """
    truncation = tokenizer.truncation or {"stride": 0, "max_length": 1}
    room = truncation["max_length"] - tokenizer.num_special_tokens_to_add(False)
    if truncation["stride"] and truncation["stride"] >= room:
        raise ProfileError(
            f"{path}: truncation.stride must be below {max(room, 1)}, not {truncation['stride']}"
        )


def encode(tokenizer: Any, text: str, path: Path | None = None, *, framed: bool = True) -> Any:
    """The tokens of a text.

    Args:
        path: the tokenizer's file, for errors.
        framed: with the marks that the tokenizer puts before and after a text.

    Raises:
        ProfileError: it fails, or makes nothing of it.
    """
    with _named(f"{path or 'the tokenizer'} can't read {text[:60]!a}"):
        coded = tokenizer.encode(text, add_special_tokens=framed)
        if not coded.ids:
            raise ValueError("no token comes of it")
    return coded


@contextmanager
def _named(trouble: str) -> Iterator[None]:
    """Whatever the library raises, on one line.

    Raises:
        ProfileError: it raised something.
    """
    try:
        yield
    except ProfileError:
        raise
    except BaseException as error:
        # A panic of the library's Rust code is no `Exception`, what a person does is none either.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ProfileError(f"{trouble}: {reason}") from error
