"""File names and lines of words in formats that can't hold all of them: escaped the way addresses
on the web are.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes

__all__ = ["address", "ascii_name", "ascii_text", "cell", "plain_name", "plain_text"]

# What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def address(path: Path) -> str:
    """The ``file://`` address of a file: printable ASCII, whatever bytes its name is made of."""
    return path.absolute().as_uri()


def plain_name(path: Path) -> str:
    """The file's name as one line of Unicode text; what is no text is percent-encoded."""
    return plain_text(path.name)


def plain_text(text: str) -> str:
    """A text on one line of Unicode; what is no text in it is percent-encoded."""
    if not any(_is_control(letter) for letter in text):
        return text
    return "".join(_escaped(c) if _is_control(c) or c == "%" else c for c in text)


def ascii_name(path: Path) -> str:
    """The file's name in printable ASCII; if anything in it is not, percent-encoded."""
    return "".join(_ascii(path.name))


def ascii_text(text: str, most: int) -> str:
    """A text in printable ASCII as :func:`ascii_name` has it, of a length at most.

    What is longer is cut between two letters and ends in three dots.
    """
    letters = _ascii(text)
    whole = "".join(letters)
    if len(whole) <= most:
        return whole
    kept, room = [], most - len("...")
    for letter in letters:
        room -= len(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "..."


def cell(text: str) -> str:
    """A text as a cell of a table: with an apostrophe before what would be a formula.

    A line of words is whatever the maker of a film wrote, and spreadsheets obey formulas.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _ascii(text: str) -> list[str]:
    """The letters of a text in printable ASCII; if any is not, what isn't is percent-encoded."""
    if text.isascii() and text.isprintable() and text == text.strip():
        return list(text)
    last = len(text) - 1
    return [
        c if _is_ascii(c) or (c == " " and 0 < at < last) else _escaped(c)
        for at, c in enumerate(text)
    ]


def _is_ascii(letter: str) -> bool:
    """Whether a letter may stand for itself; a percent sign would look like an escape."""
    return "!" <= letter <= "~" and letter != "%"


def _is_control(letter: str) -> bool:
    """Whether it is no character of a text: C0, C1, line ends, halves of surrogate pairs."""
    code = ord(letter)
    return (
        code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029, 0xFFFE, 0xFFFF)
        or 0xD800 <= code < 0xE000
    )  # fmt: skip


def _escaped(letter: str) -> str:
    try:
        octets = os.fsencode(letter)
    except UnicodeEncodeError:  # half of a pair, which no name has
        octets = letter.encode("utf-8", "surrogatepass")
    return quote_from_bytes(octets, safe="")
