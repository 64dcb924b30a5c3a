"""File names in formats that can't hold all of them: escaped the way addresses on the web are."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes

__all__ = ["address", "ascii_name", "plain_name"]


def address(path: Path) -> str:
    """The ``file://`` address of a file: printable ASCII, whatever bytes its name is made of."""
    return path.absolute().as_uri()


def plain_name(path: Path) -> str:
    """The file's name as one line of Unicode text; what is no text is percent-encoded."""
    name = path.name
    if not any(_is_control(letter) for letter in name):
        return name
    return "".join(_escaped(c) if _is_control(c) or c == "%" else c for c in name)


def ascii_name(path: Path) -> str:
    """The file's name in printable ASCII; if anything in it is not, percent-encoded."""
    name = path.name
    if name.isascii() and name.isprintable() and name == name.strip():
        return name
    last = len(name) - 1
    return "".join(
        c if _is_ascii(c) or (c == " " and 0 < at < last) else _escaped(c)
        for at, c in enumerate(name)
    )


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
    return quote_from_bytes(os.fsencode(letter), safe="")
