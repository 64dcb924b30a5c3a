"""Pictures and films with known words in them, in the letters that Pillow brings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from videos import Painter

__all__ = ["page", "written"]


def written(
    words: Mapping[tuple[int, int], str],
    size: tuple[int, int] = (640, 360),
    *,
    letters: int = 28,
    ground: tuple[int, int, int] = (30, 60, 90),
) -> NDArray[np.uint8]:
    """An RGB picture ``[height, width, 3]`` with words in white, by their left and top.

    Args:
        letters: how many pixels they are high, with what hangs below the line.
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", size, ground)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(letters)
    for place, text in words.items():
        pen.text(place, text, (255, 255, 255), font)
    return np.asarray(picture, np.uint8)


def page(words: Mapping[tuple[int, int], str], seed: int = 0, letters: int = 28) -> Painter:
    """What paints such a picture, on a ground of its own, for a shot of a film."""
    draw = np.random.default_rng(seed)
    red, green, blue = (int(each) for each in draw.integers(10, 120, 3))

    def paint(width: int, height: int, index: int) -> NDArray[np.uint8]:
        return written(words, (width, height), letters=letters, ground=(red, green, blue))

    return paint
