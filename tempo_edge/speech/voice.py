"""Where voices are in a sound, by Silero's detector, and the windows that they are heard in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_edge.media.sound import SAMPLE_RATE

__all__ = ["WINDOW_SECONDS", "Stretch", "overlap", "stretches_with_voice", "windows"]

#: The longest window that is heard at once: what Whisper was made for.
WINDOW_SECONDS = 30.0

# Pauses that part two stretches, and what is added before and behind each.
_PAUSE_SECONDS, _MARGIN_SECONDS = 0.5, 0.2

# A stretch with less than this is a click, a bark or a breath: words take longer.
_LEAST_SECONDS = 0.25


class Stretch(NamedTuple):
    """A stretch of a sound, half-open, in seconds from the sound's beginning."""

    start: float
    end: float


def stretches_with_voice(samples: NDArray[np.float32]) -> list[Stretch]:
    """Where voices are in a sound, in the order of times and apart.

    Args:
        samples: 16,000 a second, ``[n]``.

    Raises:
        MissingExtraError: faster-whisper, which brings the detector, is not installed.
    """
    try:
        from faster_whisper.vad import VadOptions, get_speech_timestamps
    except ImportError as error:
        raise MissingExtraError(lacking("faster_whisper")) from error
    if not samples.any():
        return []
    options = VadOptions(
        min_silence_duration_ms=round(_PAUSE_SECONDS * 1000),
        speech_pad_ms=round(_MARGIN_SECONDS * 1000),
        min_speech_duration_ms=round(_LEAST_SECONDS * 1000),
        max_speech_duration_s=WINDOW_SECONDS,
    )
    found = get_speech_timestamps(samples, options)
    return [Stretch(each["start"] / SAMPLE_RATE, each["end"] / SAMPLE_RATE) for each in found]


def windows(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The windows in which some stretches are heard, each as long as may be: 30 s at most.

    A model that was made for 30 s invents words for short pieces. So a window holds as many
    stretches as fit, with the pauses between them.
    """
    made: list[Stretch] = []
    for stretch in stretches:
        if made and stretch.end - made[-1].start <= WINDOW_SECONDS:
            made[-1] = Stretch(made[-1].start, stretch.end)
        else:
            made.append(Stretch(stretch.start, min(stretch.end, stretch.start + WINDOW_SECONDS)))
    return made


def overlap(stretches: Sequence[Stretch], start: float, end: float) -> float:
    """Seconds of ``[start, end)`` that lie within some stretches, which are apart."""
    return sum(max(0.0, min(end, each.end) - max(start, each.start)) for each in stretches)
