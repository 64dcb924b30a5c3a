"""A contact sheet of an answer: a picture of each moment, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tempo_edge._files import atomic_write
from tempo_edge._files.page import check_page
from tempo_edge._files.signatures import HEAD_BYTES
from tempo_edge.answer import Answer
from tempo_edge.errors import TempoEdgeError

__all__ = ["SUFFIXES", "check_sheet", "is_page", "is_sheet", "write_sheet"]

#: What the name of a sheet may end in.
SUFFIXES = (".jpg", ".jpeg", ".png", ".html")

# Moments that a JPEG or a PNG has room for: neither can be of any height.
_MOST = 200

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def check_sheet(path: Path) -> None:
    """Refuse what can't be drawn, before anything is searched.

    Raises:
        TempoEdgeError: the name ends in none of :data:`SUFFIXES`.
        MissingExtraError: what draws pictures is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TempoEdgeError.naming("{sheet} {!r} must end in {}", str(path), ", ".join(SUFFIXES))
    if not is_page(path):
        from tempo_edge.sheet.drawing import check_drawing

        check_drawing()


def is_page(path: Path) -> bool:
    """Whether a sheet of this name is a page, and no picture."""
    return path.suffix.lower() == ".html"


def is_sheet(path: Path) -> bool:
    """Whether a file is a picture that was written here, and may be written again."""
    from tempo_edge.sheet.cells import MARK

    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return head.startswith(_BEGINNINGS) and MARK in head


def write_sheet(
    path: Path, query: str, answer: Answer, on_remark: Callable[[str], None] = lambda line: None
) -> None:
    """Write the sheet of an answer that has moments, in the place of an earlier one.

    It shows what somebody films: a new one is readable by its user only.

    Args:
        path: what it becomes is told by its end, one of :data:`SUFFIXES`.
        on_remark: told in a line of what is not on it.

    Raises:
        FootageError: what is there is footage, or a picture or a page that is no sheet.
        TempoEdgeError: it can't be written.
        MissingExtraError: what draws pictures is not installed.
    """
    from tempo_edge.sheet.cells import cells
    from tempo_edge.sheet.page import page

    moments = list(zip(answer.moments, answer.evidence or [None] * len(answer), strict=True))
    if not is_page(path) and len(moments) > _MOST:
        on_remark(f"the sheet shows {_MOST} of {len(moments)} moments: one of .html shows all")
        del moments[_MOST:]
    shown = cells(moments, on_remark)
    if is_page(path):
        content = page(query, shown, answer.doubt).encode()
    else:
        from tempo_edge.sheet.drawing import drawn

        content = drawn(query, shown, answer.doubt, path.suffix.lower())
    try:
        if is_page(path):
            check_page(path)
        with atomic_write(path, new_mode=0o600, own=is_sheet(path)) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise TempoEdgeError(f"{path} can't be written: {error.strerror}") from error
