"""Edit decision lists in the form of the CMX 3600: every editor reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from tempo_edge.errors import TempoEdgeError
from tempo_edge.timeline.cuts import Cut
from tempo_edge.timeline.escaping import address, ascii_name, ascii_text
from tempo_edge.timeline.source import Source
from tempo_edge.timeline.timecode import format_timecode, frames_a_day, numbers_a_second

__all__ = ["write_edl"]

# The list counts its events in three digits and its frames in two.
_MOST_EVENTS, _MOST_NUMBERS = 999, 99

# Letters of a line of words: readers may take no longer comments.
_MOST_LETTERS = 200

# Names that mean no tape at all, black and colour bars.
_NO_TAPES = frozenset({"AX", "BL", "BLACK", "BARS"})


def write_edl(cuts: Sequence[Cut]) -> bytes:
    """Events at one rate, the record side laid out from 01:00:00:00 on; all of it is ASCII.

    The list knows tapes, not files: a tape's name of eight letters stands for each file, and its
    name and address follow as comments, percent-encoded where they are not ASCII. A line of words
    is a locator, where its event begins on the record side.

    Raises:
        TempoEdgeError: it can't hold these cuts; the text says which and why.
    """
    _check(cuts)
    rate, drop = cuts[0].source.label_rate, cuts[0].source.drop
    reels = _reels(cuts)
    record = _start_of_record(rate, drop)
    lines = ["TITLE: tempo-edge", f"FCM: {_counting(drop)}"]
    counted = drop
    for number, cut in enumerate(cuts, 1):
        source = cut.source
        if source.drop != counted:
            counted = source.drop
            lines.append(f"FCM: {_counting(counted)}")
        track = {0: "V", 1: "B"}.get(source.audio_channels, "AA/V")
        start = source.start_frame
        bounds = [
            *_bounds(start + cut.first, start + cut.after, source.label_rate, source.drop),
            *_bounds(record, record + cut.length, rate, drop),
        ]
        lines.append(f"{number:03d}  {reels[source]:8} {track:5} C        {' '.join(bounds)}")
        lines.append(f"* FROM CLIP NAME: {ascii_name(source.path)}")
        lines.append(f"* FROM FILE: {address(source.path)}")
        if source.variable:
            lines.append("* VARIABLE FRAME RATE: SOURCE TIME CODE IS A PLACE ON AN EVEN GRID")
        if cut.moment.text:
            text = ascii_text(cut.moment.text, _MOST_LETTERS)
            lines.append(f"* LOC: {bounds[2]} GREEN   {text}")
        record += cut.length
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _check(cuts: Sequence[Cut]) -> None:
    if len(cuts) > _MOST_EVENTS:
        raise TempoEdgeError(
            f"edl holds {_MOST_EVENTS} moments at most, not {len(cuts)}: "
            "choose fewer with --limit, or another format"
        )
    first = cuts[0].source
    for cut in cuts:
        source = cut.source
        if source.rate != first.rate:
            raise TempoEdgeError(
                f"edl holds one frame rate: {first.path} has {first.rate}, {source.path} has "
                f"{source.rate}: search in one of them, or choose fcpxml or otio"
            )
        try:
            numbers = numbers_a_second(source.rate)
        except ValueError as error:
            raise TempoEdgeError(f"edl can't hold {source.path}: {error}") from None
        if numbers > _MOST_NUMBERS:
            raise TempoEdgeError(
                f"edl can't hold {source.path}: {source.rate} frames a second are more than "
                f"{_MOST_NUMBERS}"
            )
        day = frames_a_day(source.label_rate, source.drop)
        if (source.start_frame + cut.first) // day != (source.start_frame + cut.after - 1) // day:
            raise TempoEdgeError(
                f"edl can't hold {source.path}: its time code passes midnight within a moment"
            )
    room = frames_a_day(first.label_rate, first.drop)
    room -= _start_of_record(first.label_rate, first.drop)
    if sum(cut.length for cut in cuts) > room:
        raise TempoEdgeError(
            "edl holds 23 hours, from 01:00:00:00 to midnight: choose fewer moments with --limit, "
            "or another format"
        )


def _bounds(first: int, after: int, rate: Fraction, drop: bool) -> tuple[str, str]:
    """The labels of an event, which may end with the day: an end of zero would lie before it."""
    end = format_timecode(after, rate, drop)
    if after % frames_a_day(rate, drop) == 0:
        end = f"24{end[2:]}"
    return format_timecode(first, rate, drop), end


def _start_of_record(rate: Fraction, drop: bool) -> int:
    hours = frames_a_day(rate, drop) // 24
    assert format_timecode(hours, rate, drop).startswith("01:00:00")
    return hours


def _counting(drop: bool) -> str:
    return "DROP FRAME" if drop else "NON-DROP FRAME"


def _reels(cuts: Sequence[Cut]) -> dict[Source, str]:
    """A tape's name for each file: eight capital letters and digits, each its own."""
    reels: dict[Source, str] = {}
    for source in dict.fromkeys(cut.source for cut in cuts):
        stem = re.sub(r"[^A-Z0-9]", "", source.path.stem.upper())[:8] or "FILE"
        name, count = stem, 1
        while name in reels.values() or name in _NO_TAPES:
            count += 1
            name = f"{stem[: 8 - len(str(count))]}{count}"
        reels[source] = name
    return reels
