"""Letters of words as they are compared: without case and accents, in scripts with and without
spaces.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["folded", "is_unspaced", "tokens"]

# Scripts that are written without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, and
# those of Chinese and Japanese.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]"
)

_TOKEN = re.compile(r"[^\W_]+")


def is_unspaced(text: str) -> bool:
    """Whether a text holds letters of a script without spaces between words."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def folded(text: str) -> str:
    """A text in small letters without accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", bare)


def tokens(text: str) -> list[str]:
    """The words of a text as they stand, letters and digits alone."""
    return _TOKEN.findall(text)
