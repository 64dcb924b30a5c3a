"""A contact sheet as a picture, drawn by Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tempo_edge._console.text import printable
from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_edge.sheet.cells import MARK, Cell
from tempo_edge.sheet.lettering import font_for, wrapped

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["check_drawing", "drawn"]

# Pixels: of the sheet's edge and between cells, of a picture, and around what is said below it.
_EDGE, _GAP, _WIDTH, _HEIGHT, _INSET = 56, 28, 440, 248, 16
_COLUMNS = 4

_PAPER, _CARD, _BORDER, _DARK = "#f6f5f2", "#ffffff", "#dedad3", "#0c0c0c"
_INK, _SOFT, _SURE = "#1d1c1a", "#6b6862", "#0a7d4f"

# A line below a picture: its text, its size, whether it is bold, and its colour.
_Line = tuple[str, int, bool, str]

# A little room.
_BETWEEN: _Line = ("", 6, False, _INK)

# Pixels from one line to the next, for each pixel of its letters.
_LEADING = 1.35


def check_drawing() -> None:
    """Refuse to draw where nothing can.

    Raises:
        MissingExtraError: Pillow is not installed, or has no type.
    """
    try:
        from PIL import ImageFont
    except ImportError as error:
        raise MissingExtraError(
            f"{lacking('PIL', 'sheet')}; a sheet of .html needs none"
        ) from error
    del ImageFont


def drawn(query: str, cells: Sequence[Cell], doubt: str, suffix: str) -> bytes:
    """The file of a sheet, a JPEG or a PNG by the suffix.

    Args:
        query: what was asked for.
        doubt: why the answer is unsure; nothing where it is not.
    """
    from PIL import Image, ImageDraw

    columns = min(_COLUMNS, len(cells))
    width = max(2 * _EDGE + columns * (_WIDTH + _GAP) - _GAP, 760)
    head = _head(query, len(cells), doubt, width - 2 * _EDGE)
    said = [_said(cell) for cell in cells]
    rows = [range(at, min(at + columns, len(cells))) for at in range(0, len(cells), columns)]
    heights = [_HEIGHT + 2 * _INSET + max(_height(said[i]) for i in row) for row in rows]
    top = _EDGE + _height(head) + _GAP
    sheet = Image.new("RGB", (width, top + sum(heights) + _GAP * (len(rows) - 1) + _EDGE), _PAPER)
    pen = ImageDraw.Draw(sheet)
    _write(pen, head, _EDGE, _EDGE)
    for row, height in zip(rows, heights, strict=True):
        for column, index in enumerate(row):
            left = _EDGE + column * (_WIDTH + _GAP)
            pen.rectangle((left - 1, top - 1, left + _WIDTH, top + height), _CARD, _BORDER)
            _place(sheet, pen, cells[index], left, top)
            _write(pen, said[index], left + _INSET, top + _HEIGHT + _INSET)
            _right(pen, cells[index], left + _WIDTH - _INSET, top + _HEIGHT + _INSET)
        top += height + _GAP
    return _encoded(sheet, suffix)


def _head(query: str, count: int, doubt: str, width: int) -> list[_Line]:
    text = printable(query)
    lines: list[_Line] = [
        (x, 38, True, _INK) for x in wrapped(text, font_for(text, 38, True), width, 3)
    ]
    lines.append((f"{count} moment{'s' if count > 1 else ''}, the surest first", 21, False, _SOFT))
    lines += [(x, 21, False, _SOFT) for x in wrapped(doubt, font_for(doubt, 21), width, 2)]
    return lines


def _said(cell: Cell) -> list[_Line]:
    """What stands below a picture: times, the file and its folder, words, what it was found by."""
    parts: list[tuple[str, int, bool, str, int]] = [
        (cell.times, 22, True, _INK, 1),
        (cell.name, 20, True, _INK, 3),
        (cell.folder, 17, False, _SOFT, 2),
        (f"“{cell.words}”" if cell.words else "", 18, False, _INK, 3),
        (" · ".join(filter(None, (*cell.moment.found_by, cell.copies))), 17, False, _SURE, 2),
    ]
    lines: list[_Line] = []
    for text, size, bold, colour, most in parts:
        fitted = wrapped(text, font_for(text, size, bold), _WIDTH - 2 * _INSET, most)
        lines += [(line, size, bold, colour) for line in fitted]
        lines += [_BETWEEN] * bool(fitted)
    return lines[:-1]


def _height(lines: Sequence[_Line]) -> int:
    return sum(round(size * _LEADING) for _, size, _, _ in lines)


def _write(pen: ImageDraw, lines: Sequence[_Line], left: int, top: int) -> None:
    for text, size, bold, colour in lines:
        pen.text((left, top), text, colour, font_for(text, size, bold))
        top += round(size * _LEADING)


def _right(pen: ImageDraw, cell: Cell, right: int, top: int) -> None:
    """How sure a moment is, at the end of its first line."""
    text = f"{cell.moment.confidence:.2f}"
    font = font_for(text, 22, True)
    pen.text((right - font.getlength(text), top), text, _SURE, font)


def _place(sheet: Image, pen: ImageDraw, cell: Cell, left: int, top: int) -> None:
    """The picture of a cell, whole and in its own shape, or why there is none."""
    from PIL import Image

    pen.rectangle((left, top, left + _WIDTH - 1, top + _HEIGHT - 1), _DARK)
    if not cell.picture:
        why = f"no picture: {cell.why}"
        lines = wrapped(why, font_for(why, 18), _WIDTH - 2 * _INSET, 4)
        _write(pen, [(x, 18, False, "#bbbbbb") for x in lines], left + _INSET, top + _INSET)
        return
    with Image.open(io.BytesIO(cell.picture)) as picture:
        share = min(_WIDTH / picture.width, _HEIGHT / picture.height)
        size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
        fitted = picture.resize(size, Image.Resampling.LANCZOS)
    sheet.paste(fitted, (left + (_WIDTH - size[0]) // 2, top + (_HEIGHT - size[1]) // 2))


def _encoded(sheet: Image, suffix: str) -> bytes:
    """The file, which says that it is a sheet."""
    from PIL.PngImagePlugin import PngInfo

    file = io.BytesIO()
    if suffix == ".png":
        facts = PngInfo()
        facts.add_text("Software", MARK.decode())
        sheet.save(file, "PNG", pnginfo=facts, optimize=True)
    else:
        sheet.save(file, "JPEG", quality=88, comment=MARK)
    return file.getvalue()
