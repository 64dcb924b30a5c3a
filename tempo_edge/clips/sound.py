"""The sound of a clip: one even row of samples, whatever the sound of the footage does."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

__all__ = ["even_sound"]

# As far as a time stamp may lie from where the samples before it end: containers round it.
_LOOSE = Fraction(1, 20)


def even_sound(
    frames: Iterator[AudioFrame], zero: Fraction, rate: int, layout: str
) -> Iterator[tuple[Fraction, AudioFrame]]:
    """Planar floats at one rate and in one layout, without holes and overlaps.

    What changes on the way (the sampling rate, the channels, the kind of sample) is resampled. A
    hole is silence, of sounds that overlap the earlier one is kept.

    Args:
        frames: decoded sound, each with a time stamp and a time base.
        zero: when the first sample is to be heard, in seconds as the frames count them.
        rate: samples a second.
        layout: ``"mono"`` or ``"stereo"``.

    Yields:
        When a frame ends, in the same seconds, and the frame, its time stamp counted from ``zero``
        in samples.
    """
    written = 0
    for start, samples in _resampled(frames, rate, layout):
        off = round((start - zero) * rate) - written
        if off < -_LOOSE * rate:
            samples = samples[:, -off:]
        while off > _LOOSE * rate:  # a second at most at once
            hole = np.zeros((len(samples), min(off, rate)), np.float32)
            yield _frame(hole, written, zero, rate, layout)
            written += hole.shape[1]
            off -= hole.shape[1]
        if samples.shape[1]:
            yield _frame(samples, written, zero, rate, layout)
            written += samples.shape[1]


def _frame(
    samples: NDArray[np.float32], at: int, zero: Fraction, rate: int, layout: str
) -> tuple[Fraction, AudioFrame]:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return zero + Fraction(at + samples.shape[1], rate), frame


def _resampled(
    frames: Iterator[AudioFrame], rate: int, layout: str
) -> Iterator[tuple[Fraction, NDArray[np.float32]]]:
    """When samples begin, in seconds, and the samples ``[channels, n]``."""
    resampler: AudioResampler | None = None
    shape: object = None
    start = end = Fraction(0)
    for frame in frames:
        assert frame.pts is not None and frame.time_base is not None
        start = frame.pts * frame.time_base
        now = frame.sample_rate, frame.layout.name, frame.format.name
        if resampler is None or now != shape:
            if resampler is not None:
                yield from _samples(resampler, None, end)
            resampler, shape = AudioResampler("fltp", layout, rate), now
        # Of its own count: what is held back belongs to the frame before.
        end = start + Fraction(frame.samples, frame.sample_rate)
        frame.pts = None
        yield from _samples(resampler, frame, start)
    if resampler is not None:
        yield from _samples(resampler, None, end)


def _samples(
    resampler: AudioResampler, frame: AudioFrame | None, start: Fraction
) -> Iterator[tuple[Fraction, NDArray[np.float32]]]:
    for made in resampler.resample(frame):
        if made.samples:
            yield start, np.asarray(made.to_ndarray(), np.float32)
