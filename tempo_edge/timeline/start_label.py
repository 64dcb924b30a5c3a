"""The start time code of a file, as a count of its own pictures.

A label is counted at the rate of whatever wrote it, which need not be that of the pictures: many
cameras count 25 a second on 50 pictures, and some phones drop labels at 30 pictures a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path

from av.container import InputContainer

from tempo_edge.media.timecode_track import TimecodeTrack, read_timecode_track
from tempo_edge.timeline.timecode import (
    can_drop,
    format_timecode,
    frames_a_day,
    numbers_a_second,
    parse_timecode,
)

__all__ = ["StartLabel", "read_start_label"]

# From here on a camera may count every second picture.
_HALVED_FROM = 48


@dataclass(frozen=True)
class StartLabel:
    """Where a file's own time code begins.

    Attributes:
        frame: the first picture's number, in pictures since 00:00:00:00.
        rate: what labels of single pictures count at; that of the pictures, but where a file
            drops labels at a whole number of pictures a second.
        drop: whether labels are dropped.
        remark: what may surprise, or None.
    """

    frame: int
    rate: Fraction
    drop: bool = False
    remark: str | None = None


def read_start_label(
    path: Path, container: InputContainer, film: int, rate: Fraction
) -> StartLabel:
    """QuickTime's track of its own, or a tag in other containers, or 00:00:00:00.

    Args:
        path: the file.
        container: the same, open.
        film: the ID of the film's stream within the container.
        rate: its pictures a second.

    Raises:
        OSError: the file can't be read.
    """
    track = None
    if "mov" in container.format.name.split(","):
        track = read_timecode_track(path, film)
    if track is not None:
        return _of_track(track, rate)
    label = _tag(container)
    return StartLabel(0, rate) if label is None else _of_tag(label, rate)


def _of_track(track: TimecodeTrack, rate: Fraction) -> StartLabel:
    counted = _nominal(track.rate)
    drop = track.drop and can_drop(counted)
    try:
        many = Fraction(numbers_a_second(rate), numbers_a_second(counted))
        count = track.count % frames_a_day(counted, drop)
    except ValueError:
        many, count = rate / counted, track.count
    labels = counted * many
    exact = count * many
    frame = floor(exact)
    remark = None
    if drop and not can_drop(labels):
        drop, labels = False, rate
        remark = f"its time code drops labels, which is not done at {rate} pictures a second"
    if frame != exact:
        remark = (
            f"its start time code counts {counted} a second and its pictures are {rate} a second: "
            "its start is right to one picture"
        )
    return StartLabel(frame, labels, drop, remark)


def _nominal(rate: Fraction) -> Fraction:
    """The rate that was meant: 30000/1001 where a track says 2997/100."""
    whole = max(1, round(rate))
    for meant in (Fraction(whole), whole * Fraction(1000, 1001)):
        if abs(rate - meant) < meant / 4000:
            return meant
    return rate


def _tag(container: InputContainer) -> str | None:
    kinds = (container.streams.video, container.streams.data)
    tags = [stream.metadata for kind in kinds for stream in kind] + [container.metadata]
    for tag in tags:
        for name, value in tag.items():
            if name.lower() == "timecode" and value.strip():
                return value.strip()
    return None


def _of_tag(label: str, rate: Fraction) -> StartLabel:
    """A tag does not say what it counts at: as the pictures, unless that can't be."""
    whole, error = _counted(label, rate, 1)
    half, _ = _counted(label, rate, 2)
    if whole is None and half is None:
        return StartLabel(0, rate, remark=f"its start is taken for 00:00:00:00, because {error}")
    if whole is None or half is None or half.frame == whole.frame:
        found = whole or half
        assert found is not None
        return found
    shown = format_timecode(half.frame, half.rate, half.drop)
    return replace(
        whole,
        remark=f"its start time code {label} is read at {rate} a second; if the camera counts "
        f"{rate / 2}, the first picture is {shown}",
    )


def _counted(label: str, rate: Fraction, every: int) -> tuple[StartLabel | None, str]:
    """A label that counts every or every second picture, or why it can't."""
    reason = ""
    # Last, labels that are dropped at a whole number of pictures a second.
    for counted in (rate / every, rate / every * Fraction(1000, 1001)):
        try:
            if every > 1 and numbers_a_second(rate) < _HALVED_FROM:
                break
            frame, drop = parse_timecode(label, counted)
        except ValueError as error:
            reason = reason or str(error)
            continue
        return StartLabel(frame * every, counted * every, drop), ""
    return None, reason
