"""Letters of words as they are compared: without case and accents, in scripts with and without
spaces.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["POINTS", "folded", "is_unspaced", "pointless", "tokens"]

# Scripts that are written without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, and
# those of Chinese and Japanese.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]"
)

#: Vowel points and other signs of Hebrew and Arabic that are mostly left out in writing, and the
#: stroke that draws an Arabic word out.
POINTS = "".join(
    chr(code)
    for first, last in (
        (0x591, 0x5C7),
        (0x610, 0x61A),
        (0x640, 0x65F),
        (0x670, 0x670),
        (0x6D6, 0x6ED),
    )
    for code in range(first, last + 1)
    if unicodedata.category(chr(code)) == "Mn" or code == 0x640
)
_POINT = re.compile(f"[{POINTS}]")

_TOKEN = re.compile(rf"[^\W_](?:[^\W_]|[{POINTS}])*")


def is_unspaced(text: str) -> bool:
    """Whether a text holds letters of a script without spaces between words."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def folded(text: str) -> str:
    """A text in small letters without accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", pointless(text).casefold())
    bare = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", bare)


def pointless(text: str) -> str:
    """A text without :data:`POINTS`."""
    return text if text.isascii() else _POINT.sub("", text)


def tokens(text: str) -> list[str]:
    """The words of a text as they stand, letters and digits with their points alone."""
    return _TOKEN.findall(text)
