"""What the columns of a library may hold, looked at as rows are read.

A library may have been edited by hand, or a disk may have got a page of it wrong. A value that no
run of the indexer writes is named, with its row and its column, and nothing is computed from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import LibraryError
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["LONGEST_SECONDS", "Columns", "file_row", "frame_row", "video_row"]

#: Seconds of the longest video that can be: what 64 bits of milliseconds hold.
LONGEST_SECONDS = 1e16

_FRACTION = re.compile(r"-?[0-9]{1,40}(/[0-9]{1,40})?")

# Of a value that is wrong, as much is shown.
_SHOWN = 40

_STATES = ("indexed", "skipped")


class Columns:
    """The values of a row, or of many rows, of one library.

    Args:
        library: named in errors.
        row: what the row is of, ``video 3`` say.
    """

    def __init__(self, library: Path | str, row: str) -> None:
        self._library = library
        self._row = row

    def fault(self, column: str, value: object, wanted: str) -> LibraryError:
        """The error that names a value and what it must be."""
        shown = repr(value)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
        return LibraryError(
            f"{self._library} is damaged: {column} of {self._row} is {shown}, must be {wanted}: "
            "put a copy of it back, or delete it and index again"
        )

    def text(self, column: str, value: Any) -> str:
        """Text."""
        if not isinstance(value, str):
            raise self.fault(column, value, "text")
        return value

    def whole(self, column: str, value: Any, low: int = 0, high: int = 2**62) -> int:
        """A whole number within ``[low, high]``."""
        if not isinstance(value, int) or not low <= value <= high:
            raise self.fault(column, value, f"a whole number within [{low}, {high}]")
        return value

    def real(self, column: str, value: Any, low: float, high: float) -> float:
        """A number within ``[low, high]``, which is finite."""
        if not isinstance(value, (int, float)) or not low <= value <= high:
            raise self.fault(column, value, f"a number within [{low:g}, {high:g}]")
        return float(value)

    def duration(self, value: Any) -> float:
        """The length of a video in seconds."""
        return self.real("duration_seconds", value, 0.0, LONGEST_SECONDS)

    def fraction(self, column: str, value: Any, *, positive: bool = False) -> Fraction:
        """A fraction as ``1/90000``, above zero where that is asked for."""
        wanted = "a fraction above zero, as 1/90000" if positive else "a fraction, as 1/90000"
        if not isinstance(value, str) or not _FRACTION.fullmatch(value):
            raise self.fault(column, value, wanted)
        try:
            read = Fraction(value)
        except ZeroDivisionError:
            raise self.fault(column, value, wanted) from None
        if positive and read <= 0:
            raise self.fault(column, value, wanted)
        return read

    def bytes(self, column: str, value: Any, unit: int = 1) -> bytes:
        """Bytes, so many that they are whole units."""
        if not isinstance(value, bytes):
            raise self.fault(column, value, "bytes")
        if len(value) % unit:
            raise self.fault(column, f"{len(value)} bytes", f"a multiple of {unit} bytes")
        return value

    def vectors(self, column: str, values: Sequence[Any], dim: int | None) -> NDArray[np.int8]:
        """Vectors ``[n, dim]``; without a ``dim``, that of the first."""
        if not values:
            return np.zeros((0, dim or 0), np.int8)
        if dim is None:
            dim = len(self.bytes(column, values[0]))
        # There are so many of them that each call counts: the checks proper come where one fails.
        if not dim or set(map(type, values)) != {bytes} or set(map(len, values)) != {dim}:
            for value in values:
                if not isinstance(value, bytes) or len(value) != dim or not dim:
                    held = f"{len(value)} bytes" if isinstance(value, bytes) else value
                    raise self.fault(column, held, f"{dim or 'some'} bytes")
        return np.frombuffer(b"".join(values), np.int8).reshape(len(values), dim)

    def wholes(self, column: str, values: Sequence[Any]) -> NDArray[np.int64]:
        """Whole numbers ``[n]``."""
        if set(map(type, values)) - {int}:
            for value in values:
                if not isinstance(value, int):
                    raise self.fault(column, value, "a whole number")
        return np.asarray(values, dtype=np.int64)

    def reals(self, column: str, values: Sequence[Any]) -> NDArray[np.float32]:
        """Finite numbers ``[n]``."""
        for value in values:
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                raise self.fault(column, value, "a finite number")
        return np.asarray(values, dtype=np.float32)

    def floats(self, column: str, value: Any, width: int) -> NDArray[np.float32]:
        """Finite numbers ``[n, width]`` out of bytes."""
        read = np.frombuffer(self.bytes(column, value, 4 * width), "<f4").reshape(-1, width)
        if not np.isfinite(read).all():
            raise self.fault(column, "not finite", "finite numbers")
        return read


def file_row(library: Path, path: Any, volume: Any, *others: Any) -> FileRow:
    """A row of ``files``, in the order of its columns.

    Args:
        library: named in errors.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    size, mtime_ns, state, reason, video_id = others
    # There are so many of them that each call counts: the checks proper come where one fails.
    texts = isinstance(path, str) and isinstance(volume, str) and isinstance(reason, str)
    numbers = isinstance(size, int) and isinstance(mtime_ns, int) and size >= 0
    known = video_id is None or (isinstance(video_id, int) and 0 <= video_id <= 2**62)
    if not (texts and numbers and known and state in _STATES):
        raise _file_fault(Columns(library, f"file {path!r}"), path, volume, *others)
    return FileRow(path, volume, size, mtime_ns, state, reason, video_id)


def _file_fault(
    read: Columns,
    path: Any,
    volume: Any,
    size: Any,
    mtime_ns: Any,
    state: Any,
    reason: Any,
    video_id: Any,
) -> LibraryError:
    """The error that names the first value of a row of ``files`` that does not belong there."""
    try:
        read.text("path", path)
        read.text("volume", volume)
        read.whole("size", size, high=2**63 - 1)
        read.whole("mtime_ns", mtime_ns, -(2**63), 2**63 - 1)
        read.text("reason", reason)
        if video_id is not None:
            read.whole("video_id", video_id)
    except LibraryError as error:
        return error
    return read.fault("state", state, " or ".join(_STATES))


def video_row(read: Columns, holes: tuple[tuple[int, int], ...], *values: Any) -> VideoRow:
    """A row of ``videos``: codec, width, height, duration, rate, time base and start time.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    codec, width, height, duration, rate, base, start = values
    return VideoRow(
        read.text("codec", codec),
        read.whole("width", width),
        read.whole("height", height),
        read.duration(duration),
        None if rate is None else read.fraction("rate", rate, positive=True),
        read.fraction("time_base", base, positive=True),
        read.fraction("start_time", start),
        holes,
    )


def frame_row(read: Columns, dim: int | None, most_cells: int, *values: Any) -> FrameRow:
    """A row of ``frames``: pts, variation, cut, vector, cells and tokens.

    Args:
        dim: length of its vectors, if it is known.
        most_cells: cells of the grid that its tokens are of.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    pts, variation, cut, packed, shown, seen = values
    vector = read.vectors("vector", [packed], dim)[0]
    cells = np.frombuffer(read.bytes("cells", shown), np.uint8)
    tokens = np.frombuffer(read.bytes("tokens", seen), np.int8)
    if len(tokens) != len(cells) * len(vector):
        wanted = f"{len(cells) * len(vector)} bytes, {len(vector)} for each of its cells"
        raise read.fault("tokens", f"{len(tokens)} bytes", wanted)
    if len(cells) and int(cells.max()) >= most_cells:
        raise read.fault("cells", int(cells.max()), f"below {most_cells}")
    return FrameRow(
        read.whole("pts", pts, -(2**63), 2**63 - 1),
        float(read.reals("variation", [variation])[0]),
        bool(read.whole("cut", cut, 0, 1)),
        vector,
        cells,
        tokens.reshape(-1, len(vector)),
    )
