"""The speed of indexing: SAA against the uniform baseline, in one run on one machine.

``python -m benchmarks.indexing --film FILE`` indexes a 1080p film, and the same film repeated into
a file of several hours (its packets are copied, not coded again). The baseline does what peers do:
decode every picture, run the same image tower on one frame a second. Each measurement is a whole
``tempo-edge index`` process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av

from benchmarks.machine import describe
from benchmarks.usage import leave_no_cores, waited
from tempo_edge._files import atomic_write

__all__ = ["Measurement", "main", "repeat_film"]


@dataclass(frozen=True)
class Measurement:
    """One ``index`` run. ``bytes_an_hour`` counts the database and the vector cache."""

    name: str
    footage_seconds: float
    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float
    frames: int
    megabytes_an_hour: float

    @property
    def times_real_time(self) -> float:
        """Seconds of footage a second."""
        return self.footage_seconds / self.wall_seconds


def repeat_film(source: Path, target: Path, hours: float) -> float:
    """Copy a film's packets again and again into one file; gives its length in seconds."""
    with av.open(str(source)) as reader:
        stream = reader.streams.video[0]
        assert stream.time_base is not None and stream.duration is not None
        packets = [p for p in reader.demux(stream) if p.pts is not None and p.size]
        loops = max(1, round(hours * 3600 / float(stream.duration * stream.time_base)))
        with av.open(str(target), "w") as writer:
            out = writer.add_stream_from_template(stream)
            for loop in range(loops):
                shift = loop * stream.duration
                for packet in packets:
                    copy = av.Packet(bytes(packet))
                    copy.pts, copy.dts = packet.pts + shift, packet.dts + shift
                    copy.duration, copy.time_base = packet.duration, packet.time_base
                    copy.is_keyframe = packet.is_keyframe
                    copy.stream = out
                    writer.mux(copy)
        return float(loops * stream.duration * stream.time_base)


def measure(name: str, film: Path, scratch: Path, options: Sequence[str] = ()) -> Measurement:
    """Index a film into a new library in a process of its own."""
    library = scratch / f"{name.replace(' ', '-')}.db"
    command = [
        sys.executable,
        "-m",
        "tempo_edge.cli",
        "index",
        "--library",
        str(library),
        "-q",
        *options,
        str(film),
    ]
    began = time.perf_counter()
    process = subprocess.Popen(command)
    usage = waited(process)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    facts = json.loads(
        subprocess.run(
            [sys.executable, "-m", "tempo_edge.cli", "status", "--json", "--library", str(library)],
            check=True,
            capture_output=True,
        ).stdout
    )
    seconds = facts["hours"] * 3600
    stored = (facts["database_bytes"] + facts["cache_bytes"]) / 1e6
    return Measurement(
        name,
        seconds,
        wall,
        usage.cpu_seconds,
        usage.peak_kilobytes / 1024,
        facts["frames"],
        stored / facts["hours"],
    )


def table(rows: Sequence[Measurement]) -> str:
    """GitHub markdown."""
    lines = [
        "| run | footage | wall | x real time | CPU | peak memory | frames | index an hour |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.name} | {r.footage_seconds:.0f} s | {r.wall_seconds:.2f} s | "
        f"{r.times_real_time:.1f} | {r.cpu_seconds:.1f} s | {r.peak_megabytes:.0f} MB | "
        f"{r.frames} | {r.megabytes_an_hour:.2f} MB |"
        for r in rows
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True, help="a 1080p film")
    parser.add_argument(
        "--hours", type=float, nargs="*", default=[1.0, 2.0], help="lengths of the long films"
    )
    parser.add_argument(
        "--baseline-hours",
        type=float,
        default=0.5,
        help="length of the long film for the (slow) baseline",
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs on the short film")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    rows: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for turn in range(options.repeats):  # in turn, so that a drifting machine is fair to both
            rows.append(measure(f"film SAA {turn + 1}", options.film, scratch))
            rows.append(
                measure(f"film uniform {turn + 1}", options.film, scratch, ["--uniform", "1"])
            )
        long = scratch / "long.mp4"
        repeat_film(options.film, long, options.baseline_hours)
        rows.append(
            measure(f"{options.baseline_hours:g} h uniform", long, scratch, ["--uniform", "1"])
        )
        for hours in [options.baseline_hours, *options.hours]:
            repeat_film(options.film, long, hours)
            rows.append(measure(f"{hours:g} h SAA", long, scratch))
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr)
    about = describe()
    print(json.dumps(about))
    print(table(rows))
    if options.json is not None:
        results: dict[str, Any] = {**about, "rows": [asdict(row) for row in rows]}
        with atomic_write(options.json) as draft:
            draft.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    # The parent must stay small: a child's peak memory starts from what it was forked from.
    leave_no_cores()
    main()
