"""Time lines for editors: cuts of files of any name, rate and start, written and read back."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from hypothesis import strategies as st

from benchmarks.fuzz.target import Target, holds
from tempo_edge.errors import TempoEdgeError
from tempo_edge.media import VideoInfo
from tempo_edge.moment import Moment
from tempo_edge.timeline.cuts import Cut
from tempo_edge.timeline.edl import write_edl
from tempo_edge.timeline.fcpxml import write_fcpxml
from tempo_edge.timeline.source import Source
from tempo_edge.timeline.timecode import can_drop, frames_a_day, parse_timecode

__all__ = ["EDL", "FCPXML"]

# Most are those of footage: lists hold few others.
_RATES = [
    *("24", "25", "25", "30", "50", "60", "1", "99", "100", "240", "1000"),
    *("24000/1001", "30000/1001", "30000/1001", "60000/1001", "120000/1001", "25/2", "1/3"),
]

_EVENT = re.compile(
    r"(\d{3})  ([A-Z0-9]{1,8}) +(V|B|AA/V) +C        "
    r"(\d\d:\d\d:\d\d[:;]\d\d) (\d\d:\d\d:\d\d[:;]\d\d) "
    r"(\d\d:\d\d:\d\d[:;]\d\d) (\d\d:\d\d:\d\d[:;]\d\d)"
)

_names = st.one_of(
    st.binary(min_size=1, max_size=24),
    st.text(min_size=1, max_size=24).map(lambda text: text.encode("utf-8", "ignore")),
    st.sampled_from(
        [
            *(b"film.mp4", b"BL.mov", b"a\r\n002  X", b"%41 ]]>&<\"'", b"\xff\xfe"),
            "\ufffe\u2028".encode(),
        ]
    ),
).map(lambda name: re.sub(rb"[/\0]", b"_", name) if name not in (b"", b".", b"..") else b"film")

_sources = st.fixed_dictionaries(
    {
        "name": _names,
        "rate": st.sampled_from(_RATES),
        "drop": st.booleans(),
        "start": st.one_of(
            st.just(0), st.integers(0, 3 * 10**6), st.sampled_from([2589407, 2159999, 2**31 - 1])
        ),
        "channels": st.sampled_from([0, 1, 2, 6]),
        "variable": st.booleans(),
    }
)

_cases = st.fixed_dictionaries(
    {
        "sources": st.lists(_sources, min_size=1, max_size=3),
        "one_rate": st.sampled_from([True, True, True, False]),
        # Which file, the first frame, and how many.
        "cuts": st.lists(
            st.tuples(
                st.integers(0, 2),
                st.one_of(st.integers(0, 5000), st.integers(0, 10**7)),
                st.one_of(st.integers(1, 500), st.integers(1, 10**6)),
            ),
            min_size=1,
            max_size=6,
        ),
        "times": st.sampled_from([1] * 40 + [170, 1000]),
    }
)


def _source(facts: dict[str, Any], rate: Fraction) -> Source:
    info = VideoInfo("h264", 64, 48, Fraction(1, 90000), Fraction(0), Fraction(1), rate, 8)
    # Dropped labels may count at NTSC's rate where the file has a whole number of frames.
    label_rate = rate * Fraction(1000, 1001) if facts["drop"] and not can_drop(rate) else rate
    drop = facts["drop"] and can_drop(label_rate)
    return Source(
        path=Path("/films", os.fsdecode(facts["name"])),
        rate=rate,
        variable=facts["variable"],
        frames=2 * 10**7,
        lead=Fraction(0),
        start_frame=facts["start"],
        label_rate=label_rate if drop else rate,
        drop=drop,
        size=(64, 48),
        pixel_aspect=Fraction(4, 3) if facts["variable"] else Fraction(1),
        track=None,
        audio_channels=facts["channels"],
        audio_rate=48000 if facts["channels"] else 0,
        remarks=(),
        _times=np.zeros(1, np.int64),
        _info=info,
    )


def _cuts(case: dict[str, Any]) -> list[Cut]:
    rates = [Fraction(each["rate"]) for each in case["sources"]]
    if case["one_rate"]:
        rates = rates[:1] * len(rates)
    sources = [_source(*pair) for pair in zip(case["sources"], rates, strict=True)]
    cuts = []
    for number, first, length in case["cuts"] * case["times"]:
        source = sources[number % len(sources)]
        moment = Moment(source.path, 0.0, 1.0, 3.0, 0.5, "nano")
        cuts.append(Cut(moment, source, first, first + length))
    return cuts


def _path_of(text: str) -> Path:
    parts = urlsplit(text)
    holds(text.isascii() and text.isprintable() and parts.scheme == "file", f"address {text!a}")
    return Path(os.fsdecode(unquote_to_bytes(parts.path)))


def _check_edl(case: dict[str, Any], folder: Path) -> None:
    cuts = _cuts(case)
    try:
        content = write_edl(cuts)
    except TempoEdgeError as error:  # which names a file as it is: who prints it spells it out
        holds(str(error).startswith("edl "), f"says {str(error)!a}")
        holds(_is_too_much(cuts), f"refuses what it could hold: {str(error)!a}")
        return
    holds(not _is_too_much(cuts), "holds what it can't")
    text = content.decode("ascii")
    holds(text.endswith("\r\n") and not re.search(r"[^\x20-\x7e\r\n]", text), "no plain text")
    holds(text.count("\n") == text.count("\r\n") == text.count("\r"), "lines end otherwise")
    lines = text.split("\r\n")[:-1]
    events = [found for line in lines if (found := _EVENT.fullmatch(line))]
    files = [line.removeprefix("* FROM FILE: ") for line in lines if line.startswith("* FROM FILE")]
    others = ("TITLE: ", "FCM: ", "* FROM CLIP NAME: ", "* FROM FILE: ", "* VARIABLE FRAME RATE")
    strange = [line for line in lines if not (line.startswith(others) or _EVENT.fullmatch(line))]
    holds(not strange, f"line {strange[:1]} belongs to no event")
    holds(len(events) == len(files) == len(cuts), f"{len(events)} events of {len(cuts)} cuts")
    _check_events(cuts, [found.groups() for found in events], files)


def _is_too_much(cuts: Sequence[Cut]) -> bool:
    """True if the list can't hold some cuts, by its three digits, its two, and its one day."""
    rates = {cut.source.rate for cut in cuts}
    if len(cuts) > 999 or len(rates) > 1:
        return True
    (rate,) = rates
    if not any(rate in (n, Fraction(n * 1000, 1001)) for n in range(1, 100)):
        return True
    days = [frames_a_day(cut.source.label_rate, cut.source.drop) for cut in cuts]
    over = any(
        (cut.source.start_frame + cut.first) % day + cut.length > day
        for cut, day in zip(cuts, days, strict=True)
    )
    return over or sum(cut.length for cut in cuts) > days[0] * Fraction(23, 24)


def _check_events(
    cuts: Sequence[Cut], events: Sequence[tuple[str | Any, ...]], files: Sequence[str]
) -> None:
    record_source = cuts[0].source
    rate, drop = record_source.label_rate, record_source.drop
    at = frames_a_day(rate, drop) // 24
    reels: dict[str, Source] = {}
    for number, (cut, event, file) in enumerate(zip(cuts, events, files, strict=True), 1):
        source = cut.source
        holds(int(event[0]) == number, f"event {event[0]} is the {number}th")
        holds(reels.setdefault(event[1], source) == source, f"reel {event[1]} is two files")
        holds(_path_of(file) == source.path, f"{file} is not {source.path!a}")
        day = frames_a_day(source.label_rate, source.drop)
        first = (source.start_frame + cut.first) % day
        wanted = [first, first + cut.length, at, at + cut.length]
        rates = [source.label_rate] * 2 + [rate] * 2
        read = [_frame(label, each) for label, each in zip(event[3:], rates, strict=True)]
        holds(read == wanted, f"event {number} is {read}, not {wanted}")
        at += cut.length
    holds(len(set(reels.values())) == len(reels), "one file has two reels")


def _frame(label: str, rate: Fraction) -> int:
    """The frame of a label, that of the day's end among them."""
    if label.startswith("24:"):
        return parse_timecode(f"00{label[2:]}", rate)[0] + frames_a_day(rate, ";" in label)
    return parse_timecode(label, rate)[0]


def _check_fcpxml(case: dict[str, Any], folder: Path) -> None:
    cuts = _cuts(case)
    root = ElementTree.fromstring(write_fcpxml(cuts))
    assets = {each.attrib["id"]: each.attrib for each in root.iter("asset")}
    formats = {each.attrib["id"]: each.attrib for each in root.iter("format")}
    holds(len(assets) == len({cut.source for cut in cuts}), "an asset for each file")
    rates = list(dict.fromkeys(cut.source.rate for cut in cuts))
    sequences = list(root.iter("sequence"))
    holds(len(sequences) == len(rates), f"{len(sequences)} sequences of {len(rates)} rates")
    for rate, sequence in zip(rates, sequences, strict=True):
        _check_sequence([cut for cut in cuts if cut.source.rate == rate], sequence, assets)
        frame = _time(formats[sequence.attrib["format"]]["frameDuration"])
        holds(frame == 1 / rate, f"a frame lasts {frame}, not {1 / rate}")


def _check_sequence(
    cuts: Sequence[Cut], sequence: Element, assets: dict[str, dict[str, str]]
) -> None:
    clips, at = list(sequence.iter("asset-clip")), Fraction(0)
    holds(len(clips) == len(cuts), f"{len(clips)} clips of {len(cuts)} cuts")
    for cut, clip in zip(cuts, clips, strict=True):
        source, asset = cut.source, assets[clip.attrib["ref"]]
        holds(_path_of(asset["src"]) == source.path, f"{asset['src']} is not {source.path!a}")
        start = (source.start_frame + cut.first) / source.rate
        wanted = [at, start, cut.length / source.rate]
        read = [_time(clip.attrib[name]) for name in ("offset", "start", "duration")]
        holds(read == wanted, f"a clip is {read}, not {wanted}")
        begins, lasts = _time(asset["start"]), _time(asset["duration"])
        holds(begins <= read[1] and read[1] + read[2] <= begins + lasts, "a clip of no footage")
        holds((clip.attrib["tcFormat"] == "DF") == source.drop, "labels are counted otherwise")
        at += read[2]
    holds(_time(sequence.attrib["duration"]) == at, "a sequence is not as long as its clips")


def _time(text: str) -> Fraction:
    holds(bool(re.fullmatch(r"\d+(/\d+)?s", text)), f"time {text!a}")
    return Fraction(text[:-1])


def _target(name: str, check: Callable[[Any, Path], None]) -> Target:
    modules = (
        f"tempo_edge.timeline.{name}",
        "tempo_edge.timeline.escaping",
        "tempo_edge.timeline.timecode",
    )
    return Target(name, modules, _cases, check)


EDL = _target("edl", _check_edl)
FCPXML = _target("fcpxml", _check_fcpxml)
