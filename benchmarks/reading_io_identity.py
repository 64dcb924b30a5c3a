"""What it costs to tell which film a file holds: bytes read, and time.

``python -m benchmarks.reading_io_identity`` writes a film of a gibibyte, an MP4 with a packet table
as long as its pictures are many, and tells it three times in turn: as a new file is told (by its
sample), as a copy or a new name is (sample and packet table), and as every file was before (SHA-256
of all of it). What the page cache holds of the file is dropped each time. Bytes are those that the
kernel handed to this process; ``--film FILE`` takes a film of one's own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.cold_files import forget
from benchmarks.machine import describe
from tempo_edge.indexing.digests import FileDigests
from tempo_edge.indexing.walk import examine
from tempo_edge.media.packet_digest import packet_digest

__all__ = ["main", "measured", "write_film"]

# Bytes of a coded picture: at 25 a second, ten megabits.
_PICTURE_BYTES = 50_000


def write_film(path: Path, size: int) -> None:
    """Write an MP4 of about ``size`` bytes whose pictures are noise: nobody decodes them here."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        (first,) = stream.encode(picture)  # what a decoder looks at when the file is opened
        noise = rng.bytes(4 * _PICTURE_BYTES)
        for number in range(max(2, size // _PICTURE_BYTES)):
            start = int(rng.integers(3 * _PICTURE_BYTES))
            length = int(rng.integers(_PICTURE_BYTES // 2, _PICTURE_BYTES * 3 // 2))
            packet = av.Packet(bytes(first) + noise[start : start + length])
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 25), stream
            packet.is_keyframe = True
            out.mux_one(packet)


def measured(path: Path, rounds: int) -> dict[str, Any]:
    """What each way to tell a file costs, in the best of some rounds."""
    found, digests = examine(str(path)), FileDigests(lambda: None)

    def known() -> None:
        digests.sample(found)
        packet_digest(path)

    ways: dict[str, Callable[[], object]] = {
        "a new file: sample": lambda: digests.sample(found),
        "a copy, a new name: sample and packet table": known,
        "as before: the whole": lambda: digests.whole(found),
    }
    rows: dict[str, Any] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            row = _once(path, way)
            best = rows.setdefault(name, row)
            rows[name] = min(best, row, key=lambda each: float(each["seconds"]))
    return rows


def _once(path: Path, way: Callable[[], object]) -> dict[str, Any]:
    forget([path])
    before, began, busy = _bytes_read(), time.perf_counter(), time.process_time()
    way()
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    read = _bytes_read() - before
    return {
        "bytes": read,
        "of the file": round(read / path.stat().st_size, 5),
        "seconds": round(seconds, 4),
        "cpu_seconds": round(busy, 4),
    }


def _bytes_read() -> int:
    """Bytes that this process was handed by the kernel so far."""
    return int(Path("/proc/self/io").read_text(encoding="ascii").split()[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--film", type=Path, help="a film of one's own")
    parser.add_argument("--megabytes", type=int, default=1024, help="size of the film written")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        film = options.film or Path(folder) / "film.mp4"
        if options.film is None:
            write_film(film, options.megabytes << 20)
        rows = measured(film, options.rounds)
        size = film.stat().st_size
    print(json.dumps({**describe(), "file_bytes": size, **rows}, indent=1))


if __name__ == "__main__":
    main()
