"""Containers: small films of many formats with bytes changed, read by the real demuxer."""

from __future__ import annotations

import random
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import strategies as st

from benchmarks.campaign.mutations import mutate
from benchmarks.campaign.seeds import FORMATS, write_seeds
from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge.errors import MediaError
from tempo_edge.media import open_video
from tempo_edge.media._bounds import most_packets
from tempo_edge.media._promises import promised_samples
from tempo_edge.media._truncation import promise
from tempo_edge.media.timecode_track import read_timecode_track

__all__ = ["TARGET", "film"]

_SUFFIXES = (".mp4", ".f4v", ".mov", ".qt", ".mkv", ".avi", ".ts", ".mpg", ".flv", ".ogv", ".wmv")


@cache
def film(suffix: str) -> bytes:
    """The bytes of a whole film, thirty pictures long."""
    rows = [next(each for each in FORMATS if each[0] == suffix)]
    with tempfile.TemporaryDirectory() as folder:
        return b"".join(path.read_bytes() for path in write_seeds(Path(folder), rows))


def _mutated(suffix: str, seed: int | None) -> bytes:
    whole = film(suffix)
    return whole if seed is None else mutate(whole, random.Random(seed))[1]


_cases = st.builds(
    _mutated,
    st.sampled_from(_SUFFIXES),
    st.one_of(st.none(), *[st.integers(0, 2**32)] * 15),
)


def _check(case: bytes, folder: Path) -> None:
    path = folder / "film"
    path.write_bytes(case)
    said = promise(path)
    holds(min(said.end, said.data_end) >= 0, "ends before it begins")
    holds(said.seconds is None or said.seconds >= 0, "lasts less than nothing")
    holds(promised_samples(path) >= 0, "promises less than nothing")
    track = read_timecode_track(path, 1)
    holds(track is None or track.rate > 0, "counts frames at no rate")
    with Refusal(MediaError), open_video(path) as video:
        info, table = video.info, video.packets()
        pts = table.pts.tolist()
        holds(0 < len(pts) <= most_packets(len(case)), f"{len(pts)} pictures")
        holds(all(a < b for a, b in pairwise(pts)), "times don't rise")
        holds(len(table.sizes) == len(table.keys) == len(pts), "columns of different lengths")
        holds(bool(table.keys.any()), "decoding can start nowhere")
        holds(bool((table.sizes > 0).all()), "an empty picture")
        holds(table.end is not None and table.end >= pts[-1], "ends before its last picture")
        bounds = [bound for hole in table.holes for bound in hole]
        holds(all(a <= b for a, b in pairwise(bounds)), f"holes {table.holes} are out of order")
        holds(info.duration >= 0 and info.time_base > 0, "lasts less than nothing")
        holds(bool(table.parts) or info.time_of(pts[0]) > -info.time_base, "begins before zero")
        remarks = (*info.remarks, *table.remarks)
        holds(all(len(each.splitlines()) == 1 for each in remarks), "a remark of several lines")
    holds(path.read_bytes() == case, "the film was changed")
    holds([each.name for each in folder.iterdir()] == ["film"], "something was left beside it")


TARGET = Target(
    "containers",
    (
        *("tempo_edge.media._reader", "tempo_edge.media._promises", "tempo_edge.media._truncation"),
        *("tempo_edge.media._streams", "tempo_edge.media.timecode_track"),
        *("tempo_edge.media.container", "tempo_edge.media._restarts"),
    ),
    _cases,
    _check,
    seconds=10.0,
    megabytes=400.0,
)
