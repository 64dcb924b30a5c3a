"""The sound of a film: its default track as samples, stretch by stretch, on the film's own clock.

Nothing of it is kept: whoever reads a stretch holds that stretch and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from tempo_edge._closing import Closing
from tempo_edge.errors import MediaError
from tempo_edge.media._bounds import bounded
from tempo_edge.media.container import demux, discard_all_but, open_container, reason

__all__ = ["SAMPLE_RATE", "Sound"]

#: Samples of a second that are given, of one channel: what recognizers of speech take.
SAMPLE_RATE = 16_000

# From here on a difference between the clock and the samples so far is a gap, or a step back.
_DRIFT_SECONDS = 0.1

# So long before a stretch decoding begins: the first packets after a jump may give nothing. Where
# there is a gap, longer.
_RUN_UP_SECONDS = (1, 10, 100, 1000)

# The longest stretch that is given at once, in seconds: 38 MB.
_LONGEST_SECONDS = 600.0

# Seconds of sound that one packet may hold; one that claims more is damaged.
_LONGEST_PACKET_SECONDS = 60.0

# Samples a second of the finest sound; more are a damaged file's, and take hours to convert.
_HIGHEST_RATE = 1_000_000


# (number of the first sample on the film's clock, samples)
_Piece = tuple[int, NDArray[np.float32]]

# What was read where nothing that follows can go on behind it.
_NOTHING: _Piece = (-1, np.zeros(0, np.float32))


class Sound(Closing):
    """The sound of one film, for one thread.

    Args:
        path: a media file.
        zero: instant of its container that the film's times count from, in seconds.

    Raises:
        MediaError: the file can't be opened, or has sound of which nothing can be decoded.
    """

    def __init__(self, path: Path, zero: Fraction) -> None:
        self._path, self._zero = path, zero
        self._damaged: set[int | None] = set()
        self._open = ExitStack()
        try:
            self._begin()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.close()
            raise MediaError(f"its sound can't be read: {reason(error)}") from error
        if not self.is_there and self._container.streams.audio:
            self.close()
            raise MediaError("its sound can't be decoded: no channels, no rate or no known codec")

    def _begin(self) -> None:
        """Open the file, which stands at its beginning then."""
        self._open.close()
        self._container = open_container(self._path)
        self._open.callback(self._container.close)
        chosen = self._container.streams.best("audio")
        self._stream: AudioStream | None = None
        if isinstance(chosen, AudioStream) and chosen.codec_context is not None:
            self._stream = chosen
            discard_all_but(self._container, chosen)
        self._decoded = iter(()) if self._stream is None else self._decode(self._stream)
        self._waiting: _Piece | None = None
        self._last: _Piece = (0, np.zeros(0, np.float32))

    @property
    def is_there(self) -> bool:
        """Whether the film has any sound."""
        return self._stream is not None

    @property
    def damaged(self) -> int:
        """Packets so far that could not be decoded; one that was read twice counts once."""
        return len(self._damaged)

    def close(self) -> None:
        """Release the file."""
        self._open.close()

    def begin_anew(self) -> None:
        """Decode the next stretch as if none had been read.

        What decoders give depends a little on what they read before: those of AAC draw noise.
        """
        self._last = _NOTHING

    def read(self, start_seconds: float, end_seconds: float) -> NDArray[np.float32]:
        """The samples of a stretch within [-1, 1], ``[n]``, silent where there is no sound.

        Stretches that follow one another are decoded in a row, also where one begins within the
        one before.

        Args:
            start_seconds, end_seconds: in the film's time; 600 s at most.

        Raises:
            MediaError: the file can't be read there.
            ValueError: the stretch is none, or too long.
        """
        if not 0 <= start_seconds <= end_seconds <= start_seconds + _LONGEST_SECONDS:
            raise ValueError(f"stretch [{start_seconds}, {end_seconds}) must be of 0 to 600 s")
        first, last = (round(each * SAMPLE_RATE) for each in (start_seconds, end_seconds))
        samples = np.zeros(last - first, np.float32)
        known_at, known = self._last
        try:
            if known_at <= first <= known_at + len(known):
                _lay(samples, first, self._last)
                self._fill(samples, first, known_at + len(known))
            else:
                self._jump(first)
                self._fill(samples, first, first)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"its sound can't be read: {reason(error)}") from error
        if last >= known_at + len(known) or first < known_at:
            self._last = first, samples
        return samples

    @property
    def next_seconds(self) -> float | None:
        """When sound goes on behind the last stretch that was read; None where it is over.

        Raises:
            MediaError: the file can't be read there.
        """
        at, samples = self._last
        try:
            self._waiting = self._waiting or next(self._decoded, None)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError(f"its sound can't be read: {reason(error)}") from error
        if self._waiting is None:
            return None
        return max(self._waiting[0], at + len(samples)) / SAMPLE_RATE

    def _fill(self, samples: NDArray[np.float32], first: int, at: int) -> None:
        """Lay what comes from a sample on into a stretch, as far as that goes."""
        last = first + len(samples)
        while at < last:
            piece, self._waiting = self._waiting or next(self._decoded, None), None
            if piece is None:
                return
            _lay(samples, first, piece)
            at = piece[0] + len(piece[1])
            if at > last:
                rest = max(0, last - piece[0])
                self._waiting = piece[0] + rest, piece[1][rest:]

    def _jump(self, first: int) -> None:
        """Go on at a sample, or before it."""
        if self._stream is None:
            return
        for run_up in _RUN_UP_SECONDS:
            instant = Fraction(first, SAMPLE_RATE) - run_up + self._zero
            self._begin()
            with suppress(av.error.FFmpegError):
                self._container.seek(int(instant * 1_000_000))
                self._waiting = next(self._decoded, None)
                if self._waiting is not None and self._waiting[0] <= first:
                    return
        # It can't be sought there, or there is a long gap: all before is decoded to find out.
        self._begin()

    def _decode(self, stream: AudioStream) -> Iterator[_Piece]:
        """What is decoded from where the file stands, in rising order."""
        converter = _Converter()
        packets = bounded(demux(self._container, stream), self._path.stat().st_size)
        for packet in packets:
            try:
                frames: list[Any] = packet.decode()
            except av.error.FFmpegError:
                self._damaged.add(packet.dts)
                continue
            for frame in frames:
                rate = frame.sample_rate
                longest = _LONGEST_PACKET_SECONDS * max(rate, 1)
                if rate > _HIGHEST_RATE or frame.samples > longest:
                    self._damaged.add(packet.dts)
                    continue
                yield from converter.convert(frame, self._number_of(frame))
        yield from converter.rest()

    def _number_of(self, frame: AudioFrame) -> int | None:
        """The number of a frame's first sample by the container's clock; None where it has none."""
        if frame.pts is None or not frame.time_base:
            return None
        return round((frame.pts * frame.time_base - self._zero) * SAMPLE_RATE)


def _lay(samples: NDArray[np.float32], first: int, piece: _Piece) -> None:
    """Lay a piece into a stretch, as far as it lies there."""
    at, found = piece
    begin, end = max(at, first), min(at + len(found), first + len(samples))
    if begin < end:
        samples[begin - first : end - first] = found[begin - at : end - at]


class _Converter:
    """Frames of any kind to samples of one channel, each with its number on the film's clock."""

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._kind: tuple[Any, ...] = ()
        self._next = 0  # number of the sample that comes next
        self._due = 0.0  # where the clock would be, by the samples that went in

    def convert(self, frame: AudioFrame, number: int | None) -> Iterator[_Piece]:
        """The samples that a frame leads to.

        Args:
            number: that of its first sample, by the clock.
        """
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        drift = 0.0 if number is None else (number - self._due) / SAMPLE_RATE
        if self._resampler is None or kind != self._kind or drift > _DRIFT_SECONDS:
            yield from self.rest()
            self._resampler, self._kind = AudioResampler("s16", "mono", SAMPLE_RATE), kind
            if number is not None:
                self._next = max(self._next, number)
                self._due = float(self._next)
        elif drift < -_DRIFT_SECONDS:
            return  # what was there already
        self._due += frame.samples * SAMPLE_RATE / frame.sample_rate
        frame.pts = None  # times are kept here
        yield from self._placed(self._resampler.resample(frame))

    def rest(self) -> Iterator[_Piece]:
        """The samples that are still within the converter."""
        if self._resampler is not None:
            yield from self._placed(self._resampler.resample(None))
            self._resampler = None

    def _placed(self, frames: list[AudioFrame]) -> Iterator[_Piece]:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1).astype(np.float32) / np.float32(32768)
            yield self._next, samples
            self._next += len(samples)
