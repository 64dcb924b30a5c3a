"""Real pictures for what is exported: ranges of activations, and what a query scores by chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge._extras import lacking
from tempo_edge.errors import ExportError, MissingExtraError

__all__ = ["FEWEST", "read_pictures"]

#: Fewer pictures say nothing about chance.
FEWEST = 32

_KINDS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def read_pictures(folder: Path, size: int, most: int, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures of a folder and those below it, uint8 ``[n, size, size, 3]``.

    Each is squeezed into the square whole, as frames of a video are when they are indexed. Of more
    than ``most`` a sample is taken, the same one for the same ``seed`` and folder.

    Raises:
        ExportError: there are fewer than :data:`FEWEST` that can be read.
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingExtraError(lacking("PIL", "onnx")) from error
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _KINDS and p.is_file())
    order = np.random.default_rng(seed).permutation(len(paths))
    found: list[NDArray[np.uint8]] = []
    for place in order:
        if len(found) == most:
            break
        try:
            with Image.open(paths[place]) as picture:
                square = picture.convert("RGB").resize((size, size), Image.Resampling.BOX)
                found.append(np.asarray(square, np.uint8))
        except (OSError, ValueError, UnidentifiedImageError):
            continue  # one that can't be read is as if it were not there
    if len(found) < FEWEST:
        raise ExportError(
            f"folder {folder} has {len(found)} pictures that can be read, at least {FEWEST} "
            f"are needed ({', '.join(_KINDS)})"
        )
    return np.stack(found)
