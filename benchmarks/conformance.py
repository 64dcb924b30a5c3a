"""Comparison of a planned run's pictures with a straight decode's, for all that FFmpeg writes.

``python -m benchmarks.conformance`` writes every pair of container and codec that the FFmpeg inside
PyAV can, in every kind (B-frames, open GOPs, no index, ...), and reads it as indexing does. The
truth is a plain decode of the whole file. A pair that a plain decode doesn't give back as it was
drawn is not counted: there is no truth to hold it against.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks._pairs import KINDS, PICTURES, Pair, draw, pairs, write
from benchmarks.machine import describe
from tempo_edge._cores import cpu_count
from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, PacketTable, Video, VideoInfo, open_video
from tempo_edge.media._counting import interval_of
from tempo_edge.media._frame import shrink
from tempo_edge.media.container import demux, open_container
from tempo_edge.saa import SamplingBudget, plan

__all__ = ["Verdict", "compare", "examine", "judge", "straight"]

Picture = NDArray[np.uint8]

# Mean difference in grey levels, at this size, from which a picture is another one.
_SIDE, _DIFFERENT = 96, 12.0

# A picture is like the one that was drawn within this, after what the worst of codecs do to it;
# so many in a hundred must be, and in order.
_LIKENESS, _FAITHFUL = 40.0, 0.95

# Runs from one key frame to the next that are tried of a file.
_RUNS = 16

_SPARSE = SamplingBudget()
_DENSE = SamplingBudget(max_gap_seconds=0.3, min_gap_seconds=0.1, calm=0.0)


@dataclass(frozen=True)
class Verdict:
    """The outcome of a pair.

    Attributes:
        outcome: ``"unreadable"`` (not counted), ``"refused"``, ``"pass"`` or ``"fail"``.
        reasons: what was found, each with how often.
        notes: what is no fault of reading but worth knowing, likewise.
    """

    outcome: str
    reasons: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


def examine(pair: Pair, folder: Path, runs: int = _RUNS) -> Verdict | None:
    """Write a pair's file, judge it and remove it; None where it can't be written."""
    path = write(pair, folder)
    if path is None:
        return None
    try:
        return judge(path, 2 * PICTURES if KINDS[pair.kind].joined else PICTURES, runs)
    finally:
        path.unlink()


def judge(path: Path, drawn: int = PICTURES, runs: int = _RUNS) -> Verdict:
    """Hold the runs of a file against a straight decode.

    Args:
        path: a file whose pictures are those of :func:`benchmarks._pairs.draw`, some left out.
        drawn: how many were drawn at most.
        runs: from one key frame to the next that are tried, evenly chosen.
    """
    truth = straight(path)
    if not _is_faithful([picture for _, picture in truth], drawn):
        return Verdict("unreadable")
    try:
        with open_video(path) as video:
            table = video.packets()
            found, notes = compare(video, table, truth, runs)
    except MediaError as error:
        return Verdict("refused", {str(error): 1})
    except Exception as error:  # any other is a fault, and no reason not to try the rest
        return Verdict("fail", {f"{type(error).__name__}: {error}": 1})
    return Verdict("fail" if found else "pass", dict(found), dict(notes))


def compare(
    video: Video,
    table: PacketTable,
    truth: Sequence[tuple[int | None, Picture]],
    runs: int = _RUNS,
) -> tuple[Counter[str], Counter[str]]:
    """(faults, notes) of a file's runs, each with how often.

    Args:
        video: the file; ``table``: its packets.
        truth: the pictures of a straight decode, as :func:`straight` gives them.
        runs: from one key frame to the next, at most.
    """
    found: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    untimed = sum(tick is None for tick, _ in truth)
    if untimed == len(truth) == len(table):  # a bare stream: its pictures are counted
        truth = [(int(tick), picture) for tick, (_, picture) in zip(table.pts, truth, strict=True)]
    elif untimed:
        notes["pictures to which FFmpeg gives no time"] = untimed
    pictures: dict[int, list[Picture]] = {}
    timed = [(tick, picture) for tick, picture in truth if tick is not None]
    ticks = _rising([tick for tick, _ in timed], table, video.info)
    for tick, (_, picture) in zip(ticks, timed, strict=True):
        pictures.setdefault(tick, []).append(picture)
    for run in _runs(table, video.info, runs):
        seen: set[int] = set()
        try:
            for frame in video.frames(run):
                tick = frame.pts
                found["picture twice or out of order"] += tick <= max(seen, default=tick - 1)
                seen.add(tick)
                right = pictures.get(tick)
                if right is None:
                    found["picture at a time that has none"] += 1
                    continue
                found["other picture"] += _is_other(frame.thumbnail(_SIDE), right)
        except MediaError as error:
            there = any(run.key <= tick <= run.last for tick in pictures)
            found[f"error: {error}"] += there  # else there is nothing but damage
        found["picture lost"] += sum(run.key <= tick <= run.last for tick in pictures.keys() - seen)
    start = int(table.pts[table.keys][0])
    found["picture before the first key frame"] += sum(tick < start for tick in pictures)
    found["picture that the table lacks"] += len(pictures.keys() - set(table.pts.tolist()))
    return +found, notes


def _rising(ticks: Sequence[int], table: PacketTable, info: VideoInfo) -> list[int]:
    """The times of pictures in the order in which a decoder gives them, which is that of showing.

    Where a clock starts again, a table counts on.
    """
    found: list[int] = []
    part, latest = 0, None
    for tick in ticks:
        if latest is not None and (latest - tick) * info.time_base > Fraction(1, 2):
            part, latest = part + 1, None
        latest = tick if latest is None else max(latest, tick)
        shift = table.parts[part].shift if part < len(table.parts) else 0
        found.append(tick + shift)
    return sorted(found)


def _runs(table: PacketTable, info: VideoInfo, most: int) -> Iterator[DecodeRange]:
    """Runs as plans make them, those from a key frame to the next, and some to the end."""
    keys = np.flatnonzero(table.keys)
    ends = np.append(keys[1:], len(table)) - 1
    chosen = np.unique(np.linspace(0, len(keys) - 1, most).astype(np.int64))
    for which in chosen:
        yield DecodeRange(int(table.pts[keys[which]]), int(table.pts[ends[which]]))
    for policy in (_SPARSE, _DENSE):
        yield from plan(table, info, policy).runs
    for which in chosen[[0, len(chosen) // 2, -1]]:  # there and back again
        yield DecodeRange(int(table.pts[keys[which]]), int(table.pts[-1]))
    yield DecodeRange(int(table.pts[keys[0]]), int(table.pts[keys[0]]))


def straight(path: Path) -> list[tuple[int | None, Picture]]:
    """(time stamp, picture) of a plain decode from the beginning to the end, damage left out.

    A bare stream whose pictures are counted has no time stamps, whatever FFmpeg makes up for them.
    """
    found: list[tuple[int | None, Picture]] = []
    scaler = VideoReformatter()
    try:
        with open_container(path, {"probesize": "10000000"}) as container:
            if not container.streams.video or container.streams.video[0].codec_context is None:
                return []
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            is_bare = interval_of(container, stream) is not None
            for frame in _decoded(stream, demux(container, stream)):
                tick = None if is_bare else frame.pts
                found.append((tick, shrink(frame, _SIDE, scaler)))
    except (av.error.FFmpegError, OSError, ValueError):
        pass  # nothing more
    return found


def _decoded(stream: VideoStream, packets: Iterator[Any]) -> Iterator[VideoFrame]:
    for packet in packets:
        try:
            yield from stream.codec_context.decode(packet if packet.size else None)
        except (av.error.InvalidDataError, EOFError):
            continue


def _is_faithful(pictures: Sequence[Picture], drawn: int) -> bool:
    """True if FFmpeg itself gives back what was drawn, in order."""
    least = PICTURES // 2  # of two joined files, some readers stop after the first
    if not least <= len(pictures) <= 1.1 * drawn:
        return False
    small = np.stack([_shrink(picture) for picture in pictures])
    apart = np.abs(small[:, None] - _drawn()[None]).mean(axis=(2, 3))
    like = apart.min(axis=1) <= _LIKENESS
    rising = np.diff(apart.argmin(axis=1), prepend=-1) >= 0  # one may be shown again
    return bool((like & rising).mean() >= _FAITHFUL)


@cache
def _drawn() -> NDArray[np.float32]:
    scaler = VideoReformatter()
    frames = [VideoFrame.from_ndarray(draw(n), format="rgb24") for n in range(2 * PICTURES)]
    return np.stack([_shrink(shrink(frame, _SIDE, scaler)) for frame in frames])


def _shrink(picture: Picture) -> NDArray[np.float32]:
    """The grey picture at a quarter of its size."""
    small: NDArray[np.float32] = (
        picture.reshape(_SIDE // 4, 4, _SIDE // 4, 4, 3).mean(axis=(1, 3, 4)).astype(np.float32)
    )
    return small


def _is_other(picture: Picture, right: Sequence[Picture]) -> bool:
    return all(np.abs(picture.astype(np.int16) - one).mean() >= _DIFFERENT for one in right)


# -- the command -------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kind", action="append", choices=KINDS, help="all, if none is named")
    parser.add_argument("--encoder", action="append", help="FFmpeg's name; all, if none is named")
    parser.add_argument("--muxer", action="append", help="FFmpeg's name; all, if none is named")
    parser.add_argument("--processes", type=int, default=cpu_count())
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    wanted = [
        pair
        for kind in options.kind or KINDS
        for pair in pairs(kind)
        if not (options.encoder and pair.encoder not in options.encoder)
        and not (options.muxer and pair.muxer not in options.muxer)
    ]
    counts: dict[str, Counter[str]] = {pair.kind: Counter() for pair in wanted}
    told: dict[str, list[str]] = {"refused": [], "fail": [], "notes": []}
    with tempfile.TemporaryDirectory() as folder, Pool(options.processes, _be_quiet) as pool:
        verdicts = pool.imap(partial(examine, folder=Path(folder)), wanted, chunksize=16)
        for pair, verdict in zip(wanted, verdicts, strict=True):
            count = counts[pair.kind]
            count["tried"] += 1
            if verdict is None:
                continue
            count["written"] += 1
            count[verdict.outcome] += 1
            if verdict.outcome in told:
                told[verdict.outcome].append(f"{pair}: {_listed(verdict.reasons)}")
            if verdict.notes:
                told["notes"].append(f"{pair}: {_listed(verdict.notes)}")
    print(table(counts))
    facts = {
        **describe(),
        "pyav": av.__version__,
        "ffmpeg": ".".join(map(str, av.library_versions["libavcodec"])) + " (libavcodec)",
        "seconds": round(time.perf_counter() - began),
    }
    print(json.dumps({**facts, **told}, indent=1))


def table(counts: dict[str, Counter[str]]) -> str:
    """A row a kind, in Markdown; pairs that can't be read back are left out of "read back"."""
    lines = [
        "| kind | tried | written | read back | pass | refused | fail |",
        "|---|---|---|---|---|---|---|",
    ]
    total: Counter[str] = Counter()
    for count in counts.values():
        total += count
    for kind, count in [*counts.items(), ("all", total)]:
        row = [count["tried"], count["written"], count["written"] - count["unreadable"]]
        row += [count[outcome] for outcome in ("pass", "refused", "fail")]
        lines.append(f"| {kind} | " + " | ".join(f"{number:,}" for number in row) + " |")
    return "\n".join(lines)


def _be_quiet() -> None:
    av.logging.set_level(av.logging.PANIC)


def _listed(found: dict[str, int]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in found.items())


if __name__ == "__main__":
    main()
