"""Markup taken out of a line of text, so that words remain: ASS, HTML, time stamps, controls."""

from __future__ import annotations

import html
import re
import unicodedata

from tempo_edge.words.line import MOST_LETTERS

__all__ = ["plain"]

# Of a longer text, the rest is not looked at: it is drawings, or somebody's mischief.
_MOST_LOOKED_AT = 20_000

# A brace that is meant, an override, a break of a line or a space that stays.
_ASS = re.compile(r"\\(?P<brace>[{}])|\{(?P<override>[^{}]*)\}|\\(?P<space>[Nnh])")

# From an override with \p1 on, numbers draw something, until another one has \p0.
_DRAWING = re.compile(r"\\p(\d+)")

# A tag begins with a letter, or is a time: "a < b" is none, and an unknown one is.
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,400}>|<!--[^<>]{0,400}-->|<[\d:.]{1,20}>")

# Marks within words of Persian and of Indian scripts: joined, and not.
_JOINERS = "\u200c\u200d"

_SHORTENED = "…"


def plain(text: str) -> str:
    """The words of a line, in one line without markup, or nothing where there are none.

    Args:
        text: as ASS, HTML or WebVTT has it, or as it is.
    """
    text = _without_ass(text[:_MOST_LOOKED_AT])
    # What looks like a tag once it is unescaped is not shown as one either.
    text = _TAG.sub("", html.unescape(_TAG.sub("", text)))
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_shown, unicodedata.normalize("NFC", text)))
    text = " ".join(text.split())
    if not any(map(str.isalnum, text)):
        return ""
    return text if len(text) <= MOST_LETTERS else _cut(text)


def _without_ass(text: str) -> str:
    """A text without overrides, and without what is drawn by numbers."""
    if "\\" not in text and "{" not in text:
        return text
    kept: list[str] = []
    at, draws = 0, False
    for found in _ASS.finditer(text):
        if not draws:
            kept.append(text[at : found.start()])
        at = found.end()
        if found["override"] is not None:
            for scale in _DRAWING.findall(found["override"]):
                draws = bool(scale.strip("0"))
        elif not draws:
            kept.append(found["brace"] or " ")
    if not draws:
        kept.append(text[at:])
    return "".join(kept)


def _shown(letter: str) -> str:
    """A letter as it is shown: no control, and nothing that turns the direction of others."""
    category = unicodedata.category(letter)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "" if category in ("Cf", "Cs", "Co") and letter not in _JOINERS else letter


def _cut(text: str) -> str:
    """The beginning of a text that is too long, up to a space where there is one near."""
    begun = text[: MOST_LETTERS - len(_SHORTENED)]
    whole = begun.rpartition(" ")[0]
    return (whole if len(whole) > len(begun) * 3 // 4 else begun) + _SHORTENED
