"""Annotations as people write them: a table of ``path,start,end,sentence``, and what is in a file.

A table is CSV with commas, semicolons or tabs, with a header or without; times are seconds or
``[h:]mm:ss``. Rows of one video and sentence are one annotation with several spans.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from tempo_edge.evaluation.metrics.lines import read_lines
from tempo_edge.evaluation.metrics.spans import Interval

__all__ = ["layout_of", "read_table"]

COLUMNS = ("path", "start", "end", "sentence")


def read_table(path: Path) -> list[tuple[str, str, tuple[Interval, ...]]]:
    """(video, sentence, spans) of a table's rows, in its order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row is not as described; the text names the line and the value.
    """
    found: dict[tuple[str, str], list[Interval]] = {}
    for at, row in _rows(path):
        if len(row) != len(COLUMNS):
            raise ValueError(
                f"{path}:{at}: {len(row)} columns must be 4: path, start, end, sentence; "
                f"a sentence with commas stands in quotes"
            )
        video, start, end, sentence = (cell.strip() for cell in row)
        if at == 1 and [cell.strip().lower() for cell in row] == list(COLUMNS):
            continue
        span = _seconds(path, at, "start", start), _seconds(path, at, "end", end)
        if span[1] <= span[0]:
            raise ValueError(f"{path}:{at}: end {end!r} must be after start {start!r}")
        for name, cell in (("path", video), ("sentence", sentence)):
            if not cell:
                raise ValueError(f"{path}:{at}: {name} must not be empty")
        found.setdefault((video, sentence), []).append(span)
    return [(video, said, tuple(spans)) for (video, said), spans in found.items()]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number from 1, cells) of the lines that are not blank."""
    lines = list(read_lines(path))
    mark = _delimiter(lines[0][1].lstrip("\ufeff")) if lines else ","
    for at, line in lines:
        # A quoted cell ends on its line, so that what is wrong is found where it is.
        yield at, next(csv.reader(io.StringIO(line.lstrip("\ufeff")), delimiter=mark))


def _delimiter(line: str) -> str:
    """The mark that the first line has most of."""
    return max(",;\t", key=line.count)


def _seconds(path: Path, at: int, name: str, cell: str) -> float:
    """A time in seconds: ``12.5``, ``1:02.5`` or ``1:00:02.5``."""
    parts = cell.split(":")
    try:
        if not 1 <= len(parts) <= 3:
            raise ValueError
        seconds = 0.0
        for part in parts:
            seconds = 60.0 * seconds + float(part)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0.0):
        raise ValueError(f"{path}:{at}: {name} {cell!r} must be seconds, as 62.5 or 1:02.5")
    return seconds


def layout_of(path: Path) -> str:
    """The name of a file's layout, by its first line.

    One of :data:`~tempo_edge.train.data.annotations.READERS`; a table, where it is none of the
    published ones.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it can't be read, or holds nothing.
    """
    first = next((line for _, line in read_lines(path)), None)
    if first is None:
        raise ValueError(f"{path} must hold annotations: it is empty")
    if first.startswith("{"):
        published = '"relevant_windows"' in first or '"vid"' in first
        return "qvhighlights" if published else "activitynet"
    return "charades-sta" if "##" in first else "csv"
