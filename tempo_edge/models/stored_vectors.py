"""Vectors that come with a profile or are worked out once: of pictures, of generic sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_write
from tempo_edge.errors import ProfileError
from tempo_edge.models.generic_sentences import digest, generic_sentences
from tempo_edge.quantization import dequantize, quantize

__all__ = ["encode_sentences", "kept_sentences", "read_vectors", "sentences_path"]

# Rows of a file of vectors: the built-in profile has two thousand.
_MOST = 1_000_000


def read_vectors(path: Path, dim: int) -> NDArray[np.float32]:
    """The unit vectors ``[m, dim]`` of a file of int8 directions.

    Raises:
        ProfileError: the file is no array of int8 of that width.
    """
    try:
        # Mapped, so that a header is held against the file before memory is set aside for it.
        packed = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, SyntaxError) as error:
        raise ProfileError(f"{path} can't be read as an array: {error}") from error
    if (
        not isinstance(packed, np.ndarray)
        or packed.dtype != np.int8
        or packed.shape[1:] != (dim,)
        or not 2 <= len(packed) <= _MOST
    ):
        raise ProfileError(f"{path} must hold int8 [m, {dim}] with m from 2 to {_MOST}")
    return dequantize(np.asarray(packed))


def encode_sentences(
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
) -> NDArray[np.int8]:
    """The generic sentences as int8 directions ``[m, dim]``, by a text tower's ``encode``."""
    return quantize(encode(generic_sentences()))


def sentences_path(fingerprint: str) -> Path:
    """Where the generic sentences of a profile are kept that doesn't bring them; it need not exist.

    The name changes with the profile's towers and with the sentences.
    """
    from platformdirs import user_cache_path

    key = hashlib.sha256(f"{fingerprint} {digest(generic_sentences())}".encode()).hexdigest()
    return user_cache_path("tempo-edge") / "sentences" / f"{key[:32]}.npy"


def kept_sentences(
    fingerprint: str, dim: int, encode: Callable[[Sequence[str]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The unit vectors ``[m, dim]`` of the generic sentences, encoded once and kept.

    What was kept is checked against its SHA-256 and made anew if it is not what was written. Where
    nothing can be written they are encoded each time.
    """
    path = sentences_path(fingerprint)
    mark = path.with_suffix(".sha256")
    with suppress(OSError, ValueError, ProfileError):
        if hashlib.sha256(path.read_bytes()).hexdigest() == mark.read_text("ascii"):
            return read_vectors(path, dim)
    packed = encode_sentences(encode)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as draft, draft.open("wb") as file:
            np.save(file, packed)
        with atomic_write(mark) as draft:
            draft.write_text(hashlib.sha256(path.read_bytes()).hexdigest(), "ascii")
    return dequantize(packed)
