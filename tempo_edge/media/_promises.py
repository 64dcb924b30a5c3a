"""How many pictures and sounds the tables of an MP4 promise, counted before FFmpeg lists them all.

A table of a few bytes may promise billions of samples, an edit list may repeat one stretch
thousands of times, and FFmpeg makes an entry of each in memory as soon as the file is opened.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files.opening import open_carefully
from tempo_edge._files.reading_at import read_at

__all__ = ["FIRST_BOXES", "outermost_boxes", "promised_samples"]

# Boxes that hold others, as FFmpeg enters them.
_FOLDERS = frozenset(
    {
        *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex"),
        *(b"udta", b"cmov", b"clip", b"dinf", b"wave", b"sinf", b"gmhd", b"tref"),
    }
)

#: What a file of this kind may begin with.
FIRST_BOXES = _FOLDERS | {
    b"ftyp",
    b"mdat",
    b"free",
    b"skip",
    b"wide",
    b"pnot",
    b"uuid",
    b"sidx",
    b"styp",
}

_DEEPEST = 16

# Of a box, the most that is read: tables of some ten million entries.
_MOST_BYTES = 1 << 28

# FFmpeg lists plain sound by lumps of as many samples.
_LUMP = 1024


@dataclass
class _Track:
    """The tables of a track that say how many samples it has and which are shown."""

    kind: bytes = b""
    count: int = 0
    chunks: int = 0
    time_scale: int = 1
    stsc: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    stts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    keys: NDArray[np.int64] | None = None
    edits: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    def promised(self, movie_scale: int) -> int:
        """Entries that FFmpeg is going to make of this track."""
        count = min(self.count, self._in_chunks(lump=1))
        if self.kind == b"soun" and len(self.stts) == 1 and self.stts[0, 1] == 1:
            count = min(count, self._in_chunks(_LUMP))
        return count if len(self.edits) < 2 else self._edited(count, movie_scale)

    def _in_chunks(self, lump: int) -> int:
        """Samples of all chunks, or lumps of them."""
        if not len(self.stsc):
            return 0
        first = np.clip(self.stsc[:, 0] - 1, 0, self.chunks)
        chunks = np.maximum(np.diff(first, append=self.chunks), 0)
        return int(sum(map(int, chunks * -(-self.stsc[:, 1] // lump))))

    def _edited(self, count: int, movie_scale: int) -> int:
        """Entries of all edits, each from the key frame before its first picture on."""
        lengths, deltas = self.stts[:, 0], self.stts[:, 1]
        numbers = np.concatenate([[0], np.cumsum(lengths)]).astype(np.float64)
        times = np.concatenate([[0], np.cumsum(lengths.astype(np.float64) * deltas)])
        starts = self.edits[:, 1].astype(np.float64)
        ends = starts + self.edits[:, 0] * (self.time_scale / max(movie_scale, 1))
        shown = starts >= 0  # the others are pauses
        first, last = (np.interp(at[shown], times, numbers) for at in (starts, ends))
        if self.keys is not None and len(self.keys):
            place = np.searchsorted(self.keys, first, side="right") - 1
            first = np.minimum(first, self.keys[np.maximum(place, 0)])
        return int(np.clip(last - first + 1, 0, count).sum())


@dataclass
class _Movie:
    time_scale: int = 1
    tracks: list[_Track] = field(default_factory=list)
    fragments: int = 0  # samples promised outside the tracks' tables

    def promised(self) -> int:
        return self.fragments + sum(track.promised(self.time_scale) for track in self.tracks)


def promised_samples(path: Path) -> int:
    """Entries that FFmpeg is going to make of an MP4's tables; 0 for any other kind of file.

    Raises:
        OSError: the file can't be read.
    """
    descriptor = open_carefully(path)
    try:
        movie = _Movie()
        for kind, start, end in outermost_boxes(descriptor, os.fstat(descriptor).st_size):
            if kind in (b"moov", b"moof"):
                # No more than is there, whatever the box says.
                content = read_at(descriptor, min(end - start, _MOST_BYTES), start)
                _enter(movie, memoryview(content), kind, 0)
        return movie.promised()
    except zlib.error:
        return 0  # as FFmpeg is going to find
    finally:
        os.close(descriptor)


def outermost_boxes(descriptor: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of what lies in each of the outermost boxes of an MP4 of some bytes.

    The last one may end after the file. Another kind of file has none.
    """
    at = 0
    while at + 8 <= size:
        head = read_at(descriptor, 16, at)
        length, kind, inner = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if at == 0 and kind not in FIRST_BOXES:
            return
        if length == 1:
            length, inner = int.from_bytes(head[8:16], "big"), at + 16
        elif length == 0:
            length = size - at
        if length < inner - at:
            return
        yield kind, inner, at + length
        at += length


def _inner(content: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(content):
        size, kind, inner = int.from_bytes(content[at : at + 4], "big"), at + 4, at + 8
        name = bytes(content[kind : kind + 4])
        if size == 1:
            size, inner = int.from_bytes(content[at + 8 : at + 16], "big"), at + 16
        elif size == 0:
            size = len(content) - at
        if size < inner - at:
            return
        yield name, content[inner : at + size]
        at += size


def _enter(movie: _Movie, content: memoryview, kind: bytes, depth: int) -> None:
    if depth > _DEEPEST:
        return
    if kind == b"trak":
        movie.tracks.append(_Track())
    for name, inner in _inner(content):
        if name in _FOLDERS:
            _enter(movie, inner, name, depth + 1)
        elif name == b"cmvd":  # a compressed table, of QuickTime's first years
            packed = zlib.decompressobj().decompress(inner[4:], _MOST_BYTES)
            _enter(movie, memoryview(packed), name, depth + 1)
        elif name == b"mvhd":
            movie.time_scale = _word(inner, 20 if bytes(inner[:1]) == b"\1" else 12)
        elif name == b"trun":
            movie.fragments += _word(inner, 4)
        elif movie.tracks:
            _read(movie.tracks[-1], name, inner)


def _read(track: _Track, name: bytes, inner: memoryview) -> None:
    if name == b"hdlr":
        track.kind = bytes(inner[8:12])
    elif name == b"mdhd":
        track.time_scale = _word(inner, 20 if bytes(inner[:1]) == b"\1" else 12)
    elif name in (b"stsz", b"stz2"):
        track.count = _word(inner, 8)
    elif name in (b"stco", b"co64"):
        track.chunks = _word(inner, 4)
    elif name == b"stsc":
        track.stsc = _rows(inner, ">u4", 3)
    elif name == b"stts":
        track.stts = _rows(inner, ">u4", 2)
    elif name == b"stss":
        track.keys = np.sort(_rows(inner, ">u4", 1)[:, 0] - 1)
    elif name == b"elst" and bytes(inner[:1]) == b"\1":
        track.edits = _rows(inner, ">i8,>i8,>u4", 2)
    elif name == b"elst":
        track.edits = _rows(inner, ">u4,>i4,>u4", 2)


def _word(content: memoryview, at: int) -> int:
    return int.from_bytes(content[at : at + 4], "big")


def _rows(inner: memoryview, kind: str, width: int) -> NDArray[np.int64]:
    """The rows of a table that are there, after its version and its count: ``[n, width]``."""
    dtype = np.dtype(kind)
    entry = dtype.itemsize * (1 if dtype.names else width)
    count = max(0, min(_word(inner, 4), (len(inner) - 8) // entry))
    read = np.frombuffer(inner[8 : 8 + count * entry], dtype)
    if dtype.names:
        return np.stack([read[name].astype(np.int64) for name in dtype.names[:width]], axis=1)
    return read.astype(np.int64).reshape(count, width)
