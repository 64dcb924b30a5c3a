"""Subtitles: nothing reads their text, but where they begin a film begins."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from hypothesis import strategies as st

from benchmarks.fuzz.containers import film
from benchmarks.fuzz.target import Target, holds
from tempo_edge.media import open_video

__all__ = ["TARGET"]

_cases = st.fixed_dictionaries(
    {
        "pictures": st.integers(0, 10_000),
        "subtitles": st.lists(
            st.tuples(st.integers(0, 10_000), st.integers(-10, 100_000), st.text(max_size=40)),
            max_size=4,
        ),
    }
)


def _check(case: dict[str, Any], folder: Path) -> None:
    whole, words, path = folder / "whole.mkv", folder / "words.srt", folder / "both.mkv"
    whole.write_bytes(film(".mkv"))
    words.write_text("".join(_block(*row) for row in case["subtitles"]), "utf-8", "replace")
    first = _mux(whole, words, path, case["pictures"])
    with open_video(path) as video:
        table = video.packets()
        shown = video.info.time_of(int(table.pts[0]))
    holds(len(table) == 30, f"{len(table)} pictures of 30")
    wanted = Fraction(case["pictures"], 1000) - first
    holds(
        abs(shown - wanted) <= Fraction(2, 1000), f"begins at {float(shown)}, not {float(wanted)}"
    )


def _block(start: int, length: int, text: str) -> str:
    return f"1\n{_clock(start)} --> {_clock(max(0, start + length))}\n{text}\n\n"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{rest:03d}"


def _mux(film: Path, words: Path, path: Path, delay: int) -> Fraction:
    """Put a film that is late by some milliseconds and subtitles into one file.

    Gives the seconds at which the first of all that was put there begins.
    """
    first = Fraction(delay, 1000)
    with av.open(str(film)) as old, av.open(str(path), "w") as new:
        picture = new.add_stream_from_template(old.streams.video[0])
        said = []
        try:
            with av.open(str(words), format="srt") as read:
                said = [each for each in read.demux() if each.size]
                track = new.add_stream_from_template(read.streams[0])
                for packet in said:
                    first = min(first, packet.pts * packet.time_base)
                    packet.stream = track
                    new.mux(packet)
        except av.error.FFmpegError:
            pass  # no subtitles that FFmpeg can read: those before count
        for packet in old.demux():
            if packet.size:
                assert packet.time_base is not None and packet.pts is not None
                ticks = round(Fraction(delay, 1000) / packet.time_base)
                packet.pts += ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
                packet.stream = picture
                new.mux(packet)
    return first


TARGET = Target("subtitles", ("tempo_edge.media._streams",), _cases, _check, megabytes=400.0)
