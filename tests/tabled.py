"""Films of which samples leave most out, and libraries of the time when there were no samples."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from videos import make_video, texture

from tempo_edge.indexing.digests import sample_blocks

__all__ = ["make_padded", "of_before", "place_between", "unsampled"]

_SIZE = 6 << 20


def unsampled(size: int = _SIZE) -> list[tuple[int, int]]:
    """The stretches of a file of this size that its sample leaves out: (first byte, end)."""
    blocks = sample_blocks(size)
    ends = [start + length for start, length in blocks]
    return [(end, start) for end, (start, _) in zip(ends, blocks[1:], strict=False) if start > end]


def make_padded(path: Path) -> int:
    """An MP4 of 6 MiB that is padding but for a few pictures; gives where its table begins.

    What lists its packets lies between two blocks of its sample, and so does the padding around.
    """
    make_video(path, shots=[(texture(1), 2)], size=(64, 48), rate=Fraction(10))
    film = path.read_bytes()
    at = film.index(b"moov") - 4
    (length,) = struct.unpack_from(">I", film, at)
    assert at + length == len(film), "the table comes last"
    start, end = unsampled()[2]
    place = start + 8
    assert at < start and place + length < end
    content = bytearray(film[:at])
    content += _free(place - at) + film[at:] + _free(_SIZE - place - length)
    path.write_bytes(content)
    return place


def place_between(path: Path, name: bytes) -> int:
    """Where in a padded film's table the payload of a box begins."""
    at = path.read_bytes().index(name) + 4
    assert any(start <= at < end for start, end in unsampled())
    return at


def _free(size: int) -> bytes:
    return struct.pack(">I4s", size, b"free") + bytes(size - 8)


def of_before(library: Path) -> None:
    """Make a library what the program before this one would have made of the same files."""
    with closing(sqlite3.connect(library)) as rows, rows:
        known = rows.execute("SELECT path, video_id FROM files WHERE video_id").fetchall()
        for path, video in known:
            whole = hashlib.sha256(Path(path).read_bytes()).digest()
            rows.execute("UPDATE videos SET content_hash=? WHERE id=?", (whole, video))
        rows.execute("DROP INDEX IF EXISTS videos_by_side")
        rows.execute("DROP INDEX IF EXISTS videos_by_length")
        words = ("evidence_words", "evidence_trigrams", "evidence_names", "line_vectors")
        for table in (
            *words,
            "evidence",
            "words_read",
            "passes",
            "contents",
            "verified",
            "captures",
        ):
            rows.execute(f"DROP TABLE IF EXISTS {table}")
        rows.execute("PRAGMA user_version=1")
