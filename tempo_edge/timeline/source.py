"""A video as an editor sees it: numbered frames at its true rate, from its start time code on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media import PacketTable, VideoInfo
from tempo_edge.media.container import open_container, reason
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span
from tempo_edge.timeline.start_label import read_start_label

__all__ = ["Source", "read_source"]

# Times that were printed are rounded to the millisecond: a picture this near belongs to the bound.
_ROUNDING = Fraction(1, 2000)

# The rates that footage is made at; what a container says may be rounded.
_MADE_AT = tuple(
    sorted(
        [Fraction(whole) for whole in (5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60)]
        + [Fraction(whole) for whole in (90, 100, 120, 144, 200, 240)]
        + [Fraction(whole * 1000, 1001) for whole in (12, 15, 24, 30, 48, 60, 120, 240)]
    )
)

# As far as a rate may lie from what the container says and still be meant: half of what lies
# between 30 and 30000/1001.
_NEAR = Fraction(1, 2002)


@dataclass(frozen=True)
class Source:
    """Facts about a video file that a time line needs.

    Frames are numbered from the first picture that is shown, at ``rate``. Where pictures are not
    evenly spaced (``variable``), a number is a place on an even grid, as editors lay one over such
    a file, and a bound is right to one frame of that grid.

    Attributes:
        path: the file, absolute.
        rate: frames a second.
        variable: True where pictures are missing or not evenly spaced.
        frames: how many frames it is long; where the rate varies, to the end of the last picture.
        lead: seconds from the start of the container to the first picture.
        start_frame: the first frame in the file's own time code, counted from 00:00:00:00.
        label_rate: what the labels of single frames count at: ``rate``, but where a file drops
            labels at a whole number of frames a second.
        drop: whether that time code is drop-frame.
        size: (width, height) in samples, as players turn it.
        pixel_aspect: width of a sample to its height, as players turn it.
        track: place of the film among the video streams of the file, from 0; None where there is
            no other that could be meant.
        audio_channels: of the first sound track; 0 without sound.
        audio_rate: its samples a second; 0 without sound.
        remarks: what may surprise of its time code, one line each, without the path.
    """

    path: Path
    rate: Fraction
    variable: bool
    frames: int
    lead: Fraction
    start_frame: int
    label_rate: Fraction
    drop: bool
    size: tuple[int, int]
    pixel_aspect: Fraction
    track: int | None
    audio_channels: int
    audio_rate: int
    remarks: tuple[str, ...]
    _times: NDArray[np.int64] = field(repr=False, compare=False)
    _info: VideoInfo = field(repr=False, compare=False)

    def frames_of(self, span: Span) -> tuple[int, int]:
        """First frame of a span, and the first after it; always one at least.

        Raises:
            MediaError: the span lies outside of the pictures.
        """
        first, after = (self._frame_at(t) for t in (span.start_seconds, span.end_seconds))
        if after == first:
            first -= 1  # between two pictures: the one that is on the screen
        first, after = max(first, 0), min(after, self.frames)
        over = span.start_seconds >= self.seconds_at(self.frames)
        if after <= first or over:
            start, end = span.start_seconds, span.end_seconds
            raise MediaError(
                f"{self.path} holds no picture within [{start:.3f}, {end:.3f}) seconds"
            )
        return first, after

    def _frame_at(self, seconds: float) -> int:
        """The first frame at or after a time that counts from the start of the container."""
        time = Fraction(seconds).limit_denominator(1_000_000) - _ROUNDING
        if self.variable:
            return ceil((time - self.lead) * self.rate)
        info = self._info
        tick = ceil((time + info.start_time) / info.time_base)
        return int(np.searchsorted(self._times, tick))

    def seconds_at(self, frame: int) -> Fraction:
        """When a frame begins, in seconds from the start of the container."""
        return self.lead + frame / self.rate


def read_source(path: Path) -> Source:
    """Open a file, list its packets and decode one picture, which tells how it is turned.

    Raises:
        MediaError: it can't be read; the text names it.
    """
    path = path.absolute()
    try:
        with PyAVVideo(path) as video:
            info, table = video.info, video.packets()
            index, size, aspect = video.stream_index, *_shown(video, table)
            track = None if video.is_only_film else video.video_index
        rate, variable = _true_rate(info, table)
        with open_container(path) as container:
            label = read_start_label(path, container, container.streams[index].id, rate)
            sound = next((s for s in container.streams.audio if s.codec_context is not None), None)
            channels = 0 if sound is None else sound.codec_context.layout.nb_channels
            sampling = 0 if sound is None else sound.codec_context.sample_rate or 0
    except MediaError as error:
        raise MediaError(f"{path} {error}") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path} can't be opened: {reason(error)}") from error
    frames = round(int(table.pts[-1] - table.pts[0]) * info.time_base * rate) + 1
    if variable and table.end is not None:
        frames = max(frames, ceil(int(table.end - table.pts[0]) * info.time_base * rate))
    return Source(
        path=path,
        rate=rate,
        variable=variable,
        frames=frames,
        lead=info.time_of(int(table.pts[0])),
        start_frame=label.frame,
        label_rate=label.rate,
        drop=label.drop,
        size=size,
        pixel_aspect=aspect,
        track=track,
        audio_channels=channels,
        audio_rate=sampling,
        remarks=() if label.remark is None else (label.remark,),
        _times=table.pts,
        _info=info,
    )


def _shown(video: PyAVVideo, table: PacketTable) -> tuple[tuple[int, int], Fraction]:
    """The size of the first picture that can be decoded and the shape of its samples, upright."""
    (width, height), aspect = (video.info.width, video.info.height), video.pixel_aspect
    key = int(table.pts[np.argmax(table.keys)])
    with suppress(MediaError):  # a file that can't be decoded is one to cut all the same
        for picture in video.pictures(key, key):
            if Orientation.of(picture).transposed:
                return (height, width), 1 / aspect
    return (width, height), aspect


def _true_rate(info: VideoInfo, table: PacketTable) -> tuple[Fraction, bool]:
    """The rate that every time stamp agrees with, or the likeliest and that they do not."""
    span = int(table.pts[-1] - table.pts[0]) * info.time_base
    measured = (len(table) - 1) / span if span else None
    said = info.rate or measured or Fraction(25)
    guesses = [_made_at(said), said]
    if measured is not None:
        guesses += [_made_at(measured), measured]
    for guess in guesses:
        if _misplaced(guess, info.time_base, table, np.arange(len(table))) == 0:
            return guess, False
    # Where pictures were left out, the others still lie on the grid of those that were made.
    average = measured or said
    for rate in _MADE_AT:
        if rate >= average and _misplaced(rate, info.time_base, table) == 0:
            return rate, True
    return min(_MADE_AT, key=lambda rate: abs(rate - average)), True


def _made_at(said: Fraction) -> Fraction:
    nearest = min(_MADE_AT, key=lambda rate: abs(rate - said))
    return nearest if abs(nearest - said) <= nearest * _NEAR else said


def _misplaced(
    rate: Fraction,
    time_base: Fraction,
    table: PacketTable,
    numbers: NDArray[np.int64] | None = None,
) -> int:
    """How many pictures lie elsewhere than at their number on a rate's grid, or any number."""
    ticks = float(1 / (rate * time_base))
    at = table.pts - table.pts[0]
    even = (np.rint(at / ticks) if numbers is None else numbers) * ticks
    # Two time stamps, each rounded by half a tick at most.
    allowed = min(1.0, ticks / 4) + 1e-6
    return int((np.abs(at - even) > allowed).sum())
