"""The kernels compiled for the CPU by Numba.

Planes come as C-contiguous ``[height, stride]`` arrays with their visible width beside them. Each
row is added, while it is in the nearest cache, to one line of column sums for the differences and
one for the thumbnail: elementwise loops that LLVM turns into SIMD. Only where a block or a cell
ends are columns added up. Differences of bytes are added to their blocks at once, where the machine
has an instruction for it. The compiled code is kept in Numba's cache beside this file (or in the
user's cache folder), so it is compiled once.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["compare_band", "compare_parallel", "has_bytewise"]

_X86 = platform.machine().lower() in ("x86_64", "amd64")

# How many bytes the instruction takes.
_STEP = 16

# A line of column sums holds this many rows of the widest samples: 65,537 in 32 bits.
_HELD = 65_536


def _compiled(**options: Any) -> Callable[[Any], Any]:
    """Compile a function and keep it on disk; where there is no place for that, without keeping it.

    Code that lies in a folder that can't be written, for a user without a cache folder, is compiled
    anew by every process, which takes some seconds. It must not be a reason not to start.
    """

    def build(function: Any) -> Any:
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:
            return njit(nogil=True, **options)(function)

    return build


def has_bytewise(sample_bytes: int, block: int) -> bool:
    """Whether differences of such samples can be added to such blocks by one instruction.

    x86-64 has had it since SSE2, and LLVM finds it in no loop that Numba can write. Column sums,
    the way without it, take half as long again.
    """
    return _X86 and sample_bytes == 1 and block % _STEP == 0


def _type_apart(typing_context: Any, before: Any, after: Any, at: Any) -> Any:
    """``sum(abs(after[at + i] - before[at + i]) for i in range(_STEP))`` of rows of bytes.

    Of other samples it is 0: code that is compiled for them must not get here.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if not _X86 or signature.args[0].dtype != types.uint8:
            return context.get_constant(types.int64, 0)
        bytes_, pair = ir.VectorType(ir.IntType(8), _STEP), ir.VectorType(ir.IntType(64), 2)
        loaded = []
        for row, kind in zip(arguments[:2], signature.args[:2], strict=True):
            data = context.make_array(kind)(context, builder, row).data
            place = builder.bitcast(builder.gep(data, [arguments[2]]), bytes_.as_pointer())
            loaded.append(builder.load(place, align=1))
        # psadbw: a sum for each half.
        add_up = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(pair, [bytes_, bytes_]), "llvm.x86.sse2.psad.bw"
        )
        sums = builder.call(add_up, loaded)
        halves = [builder.extract_element(sums, ir.IntType(32)(half)) for half in range(2)]
        return builder.add(*halves)

    return types.int64(before, after, at), generate


_apart: Any = intrinsic(_type_apart)


@_compiled(inline="always")
def _add_row(before: Any, after: Any, change: Any) -> None:
    for x in range(change.shape[0]):
        change[x] += max(before[x], after[x]) - min(before[x], after[x])


@_compiled(inline="always")
def _add_bytes(before: Any, after: Any, width: Any, block: Any, line: Any) -> None:
    """Add the differences of two rows to the sums ``line`` of the blocks that they cross."""
    whole, steps = width // block, block // _STEP
    if steps == 1:
        for b in range(whole):
            line[b] += _apart(before, after, b * _STEP)
    else:
        for b in range(whole):
            for step in range(steps):
                line[b] += _apart(before, after, b * block + step * _STEP)
    for x in range(whole * block, width):
        line[whole] += max(before[x], after[x]) - min(before[x], after[x])


@_compiled(inline="always")
def _add_light(row: Any, light: Any) -> None:
    for x in range(light.shape[0]):
        light[x] += row[x]


@_compiled()
def _add_blocks(change: Any, block: Any, line: Any) -> None:
    width = change.shape[0]
    for b in range(line.shape[0]):
        total = 0
        for x in range(b * block, min(width, (b + 1) * block)):
            total += change[x]
        line[b] += total
    change[:] = 0


@_compiled()
def _add_cells(light: Any, cells: Any, line: Any) -> None:
    for c in range(line.shape[0]):
        total = 0
        for x in range(cells[c], cells[c + 1]):
            total += light[x]
        line[c] += total
    light[:] = 0


@_compiled()
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
    bytewise: Any,
) -> None:
    """Fill ``sums`` and ``thumbnail`` from rows [first, last), the interpreter lock released.

    Thumbnail rows must not straddle bands. Blocks may: what the first one has in this band goes to
    ``carried``. ``columns`` and ``line`` are room to work in. See :func:`compare_parallel`.
    """
    change, light = columns[0], columns[1]
    width = change.shape[0]
    change[:] = 0
    light[:] = 0
    line[:] = 0
    shrinks = thumbnail.shape[0] > 0
    row, held, lit, start = 0, 0, 0, first
    while shrinks and rows[row] < first:
        row += 1
    for y in range(first, last):
        straddles = first % block != 0 and y // block == first // block
        into = carried if straddles else sums[y // block]
        if bytewise:
            _add_bytes(previous[y], current[y], width, block, into)
        else:
            _add_row(previous[y], current[y], change)
            held += 1
            if (y + 1) % block == 0 or y + 1 == last or held == _HELD:
                _add_blocks(change, block, into)
                held = 0
        if shrinks:
            _add_light(current[y], light)
            lit += 1
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


@_compiled(parallel=True)
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
    bytewise: Any,
) -> None:
    """The whole of two planes with a band for each core; Numba's pool takes one caller at a time.

    Args:
        bands: rows at which bands of the picture begin, and the height.
        sums: int64 zeros; ``carried``: int64 ``[bands, columns of sums]`` of zeros.
        rows, cells: where the thumbnail's rows and columns begin, and the plane's height and width.
        thumbnail: of the planes' dtype; one of no rows is not filled.
        columns: uint32 ``[bands, 2, width]``; ``lines``: int64 ``[bands, columns of thumbnail]``.
        bytewise: what :func:`has_bytewise` says.
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
            bytewise,
        )
    for band in range(bands.shape[0] - 1):
        sums[bands[band] // block] += carried[band]
