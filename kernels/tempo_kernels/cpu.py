"""The kernels compiled for the CPU by Numba.

Planes come as C-contiguous ``[height, stride]`` arrays with their visible width beside them. Each
row is added, while it is in the nearest cache, to one line of column sums for the differences and
one for the thumbnail: elementwise loops that LLVM turns into SIMD. Only where a block or a cell
ends are columns added up. The compiled code is kept in Numba's cache beside this file (or in the
user's cache folder), so it is compiled once.
"""

from __future__ import annotations

from typing import Any

from numba import njit, prange

__all__ = ["compare_band", "compare_parallel"]

# A line of column sums holds this many rows of the widest samples: 65,537 in 32 bits.
_HELD = 65_536


@njit(nogil=True, cache=True, inline="always")
def _add_row(before: Any, after: Any, change: Any) -> None:
    for x in range(change.shape[0]):
        change[x] += max(before[x], after[x]) - min(before[x], after[x])


@njit(nogil=True, cache=True, inline="always")
def _add_both(before: Any, after: Any, change: Any, light: Any) -> None:
    for x in range(change.shape[0]):
        change[x] += max(before[x], after[x]) - min(before[x], after[x])
        light[x] += after[x]


@njit(nogil=True, cache=True)
def _add_blocks(change: Any, block: Any, line: Any) -> None:
    width = change.shape[0]
    for b in range(line.shape[0]):
        total = 0
        for x in range(b * block, min(width, (b + 1) * block)):
            total += change[x]
        line[b] += total
    change[:] = 0


@njit(nogil=True, cache=True)
def _add_cells(light: Any, cells: Any, line: Any) -> None:
    for c in range(line.shape[0]):
        total = 0
        for x in range(cells[c], cells[c + 1]):
            total += light[x]
        line[c] += total
    light[:] = 0


@njit(nogil=True, cache=True)
def compare_band(
    previous: Any,
    current: Any,
    first: Any,
    last: Any,
    block: Any,
    sums: Any,
    carried: Any,
    rows: Any,
    cells: Any,
    thumbnail: Any,
    columns: Any,
    line: Any,
) -> None:
    """Fill ``sums`` and ``thumbnail`` from rows [first, last), the interpreter lock released.

    Thumbnail rows must not straddle bands. Blocks may: what the first one has in this band goes to
    ``carried``. ``columns`` and ``line`` are room to work in. See :func:`compare_parallel`.
    """
    change, light = columns[0], columns[1]
    change[:] = 0
    light[:] = 0
    line[:] = 0
    shrinks = thumbnail.shape[0] > 0
    row, held, lit, start = 0, 0, 0, first
    while shrinks and rows[row] < first:
        row += 1
    for y in range(first, last):
        if shrinks:
            _add_both(previous[y], current[y], change, light)
        else:
            _add_row(previous[y], current[y], change)
        held += 1
        lit += 1
        if (y + 1) % block == 0 or y + 1 == last or held == _HELD:
            straddles = first % block != 0 and y // block == first // block
            _add_blocks(change, block, carried if straddles else sums[y // block])
            held = 0
        if shrinks and (y + 1 == rows[row + 1] or lit == _HELD):
            _add_cells(light, cells, line)
            lit = 0
        if shrinks and y + 1 == rows[row + 1]:
            for c in range(line.shape[0]):
                area = (y + 1 - start) * (cells[c + 1] - cells[c])
                thumbnail[row, c] = (2 * line[c] + area) // (2 * area)
            line[:] = 0
            row += 1
            start = y + 1


@njit(nogil=True, cache=True, parallel=True)
def compare_parallel(
    previous: Any,
    current: Any,
    bands: Any,
    block: Any,
    sums: Any,
    carried: Any,
    rows: Any,
    cells: Any,
    thumbnail: Any,
    columns: Any,
    lines: Any,
) -> None:
    """The whole of two planes with a band for each core; Numba's pool takes one caller at a time.

    Args:
        bands: rows at which bands of the picture begin, and the height.
        sums: int64 zeros; ``carried``: int64 ``[bands, columns of sums]`` of zeros.
        rows, cells: where the thumbnail's rows and columns begin, and the plane's height and width.
        thumbnail: of the planes' dtype; one of no rows is not filled.
        columns: uint32 ``[bands, 2, width]``; ``lines``: int64 ``[bands, columns of thumbnail]``.
    """
    for band in prange(bands.shape[0] - 1):
        compare_band(
            previous,
            current,
            bands[band],
            bands[band + 1],
            block,
            sums,
            carried[band],
            rows,
            cells,
            thumbnail,
            columns[band],
            lines[band],
        )
    for band in range(bands.shape[0] - 1):
        sums[bands[band] // block] += carried[band]
