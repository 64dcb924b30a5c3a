"""Type on a drawn sheet: fonts that have the letters, and lines that fit a width."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont

__all__ = ["font_for", "wrapped"]

# Where a system has them, by how many letters they hold; regular and bold. Behind them comes the
# one that Pillow brings, which is everywhere.
_FAMILIES = (
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("DroidSansFallbackFull.ttf", "DroidSansFallbackFull.ttf"),
    ("wqy-microhei.ttc", "wqy-microhei.ttc"),
)

# What no font has a letter for: it is drawn as fonts draw what they lack.
_LACKING = "\U0010fffd"

# Letters that a line may end behind.
_ENDS = " /_-.,"


def font_for(text: str, size: int, bold: bool = False) -> Font:
    """A font of some pixels with all letters of a text, or that of those here with the most."""
    fonts = _fonts(size, bold)
    if text.isascii():
        return fonts[0]
    return max(fonts, key=lambda font: sum(_has(font, letter) for letter in set(text)))


@lru_cache(maxsize=32)
def _fonts(size: int, bold: bool) -> tuple[Font, ...]:
    from PIL import ImageFont

    found: list[Font] = []
    for family in _FAMILIES:
        try:
            found.append(ImageFont.truetype(family[bold], size))
        except OSError:
            continue
    return (*found, ImageFont.load_default(size))


def _has(font: Font, letter: str) -> bool:
    if letter.isspace():
        return True
    return bytes(font.getmask(letter)) != bytes(font.getmask(_LACKING))


def wrapped(text: str, font: Font, width: int, most: int) -> list[str]:
    """The lines of a text, each at most so many pixels wide; three dots say that it goes on.

    A line ends behind a space or what parts the words of a file's name, else within a word.
    """
    lines: list[str] = []
    rest = text.strip()
    while rest and len(lines) < most:
        line = _fitting(rest, font, width)
        lines.append(line.strip())
        rest = rest[len(line) :].lstrip()
    if rest:
        last = lines[-1]
        while last and font.getlength(last + "…") > width:
            last = last[:-1]
        lines[-1] = last + "…"
    return lines


def _fitting(text: str, font: Font, width: int) -> str:
    """The beginning of a text that fits, up to where a line may end; a letter at least."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    if low == len(text):
        return text
    ends = max(text.rfind(end, 0, low) for end in _ENDS) + 1
    return text[:ends] if ends > low // 2 else text[:low]
