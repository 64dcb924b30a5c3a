"""Hearing a film: its sound, step by step, to lines of speech."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import MediaError
from tempo_edge.media.sound import SAMPLE_RATE, Sound
from tempo_edge.speech.doubt import LEAST_VOICE_SECONDS
from tempo_edge.speech.recognizer import Recognizer
from tempo_edge.speech.transcript import lines_of_speech
from tempo_edge.speech.voice import (
    WINDOW_SECONDS,
    Stretch,
    overlap,
    stretches_with_voice,
    windows,
)
from tempo_edge.words.line import Line

__all__ = ["Heard", "Hearing"]

# What is heard in a step: about four windows. It ends in a pause within the window after those.
_STEP_SECONDS = 4 * WINDOW_SECONDS

# Windows of the step and of the rest of the film that a film's language is found out by.
_HERE, _ELSEWHERE = 3, 3

# How likely a language must be, as those windows have it together.
_LEAST_LIKELY = 0.4

# Sound may run on for so long after a film.
_RUN_ON_SECONDS = 60.0


@dataclass(frozen=True)
class Heard:
    """What a step has heard of a film.

    Attributes:
        until_seconds: when its stretch ends.
        is_done: whether there is nothing more to be heard.
        language: the tag of what is spoken in the film, or empty while that is not known.
        lines: what was said.
        stray_seconds: when its sound goes on long after the film is over; None where it does not,
            or where there is more to be heard.
    """

    until_seconds: float
    is_done: bool
    language: str
    lines: tuple[Line, ...]
    stray_seconds: float | None = None


class Hearing:
    """Hears one film.

    Args:
        sound: of the film.
        end_seconds: when the film is over.
        recognizer: hears windows of it.
        source: what its lines are said to be from.
        on_window: called with each window that was heard.
    """

    def __init__(
        self,
        sound: Sound,
        end_seconds: float,
        recognizer: Recognizer,
        source: str,
        on_window: Callable[[], None] = lambda: None,
    ) -> None:
        self._sound = sound
        self._end = end_seconds
        self._recognizer = recognizer
        self._source = source
        self._on_window = on_window

    def step(self, start_seconds: float, language: str) -> Heard:
        """Hear the film from a time on, for some windows.

        Args:
            language: what is spoken in it, if that is known.

        Raises:
            MediaError: its sound can't be read.
        """
        if not self._sound.is_there or start_seconds >= self._end:
            return Heard(self._end, True, language, ())
        most = start_seconds + _STEP_SECONDS + WINDOW_SECONDS
        last = min(most, self._end)
        self._sound.begin_anew()  # so that a run that goes on here hears the same
        samples = self._sound.read(start_seconds, last)
        goes_on = self._sound.next_seconds if last < self._end else None
        voice = stretches_with_voice(samples)
        length = last - start_seconds
        if goes_on is not None:
            length = _pause(voice, length)
            voice = [each for each in voice if each.end <= length]
        lines: list[Line] = []
        heard = [each for each in windows(voice) if overlap(voice, *each) >= LEAST_VOICE_SECONDS]
        if heard and not language:
            language = self._language(samples, heard, last)
        for window in heard if language else ():
            lines += self._lines(samples, window, voice, start_seconds, language)
            self._on_window()
        if goes_on is None:
            return Heard(self._end, True, language, tuple(lines), self._stray())
        until = start_seconds + length
        if not voice:
            until = min(max(until, goes_on), self._end)  # hours of silence are one step
        is_done = until >= self._end
        return Heard(until, is_done, language, tuple(lines), self._stray() if is_done else None)

    def _stray(self) -> float | None:
        """When its sound goes on long after the film, by a clock that is damaged, or None."""
        with suppress(MediaError):  # what lies there is no part of the film
            goes_on = self._sound.next_seconds
            if goes_on is not None and goes_on > self._end + _RUN_ON_SECONDS:
                return goes_on
        return None

    def _lines(
        self,
        samples: NDArray[np.float32],
        window: Stretch,
        voice: Sequence[Stretch],
        at: float,
        language: str,
    ) -> Iterator[Line]:
        """What is said in a window of some samples that lie at a time of the film."""
        return lines_of_speech(
            self._recognizer.hear(_cut(samples, window), language),
            Stretch(at + window.start, at + window.end),
            [Stretch(at + each.start, at + each.end) for each in voice],
            language=language,
            source=self._source,
            end_seconds=self._end,
        )

    def _language(
        self, samples: NDArray[np.float32], heard: Sequence[Stretch], behind: float
    ) -> str:
        """The language of the film, by windows of here and of elsewhere; empty where in doubt.

        Args:
            behind: when the samples are over: of the rest of the film some are drawn.
        """
        votes: dict[str, float] = {}
        count = 0
        for window in (*(_cut(samples, each) for each in heard[:_HERE]), *self._drawn(behind)):
            for language, likely in self._recognizer.languages(window).items():
                votes[language] = votes.get(language, 0.0) + likely
            count += 1
            self._on_window()
        best = max(votes, key=lambda each: votes[each], default="")
        return best if best and votes[best] >= _LEAST_LIKELY * count else ""

    def _drawn(self, behind: float) -> Iterator[NDArray[np.float32]]:
        """Windows with a voice out of the rest of the film, at equal distances."""
        rest = self._end - behind
        if rest < WINDOW_SECONDS * _ELSEWHERE:
            return
        for number in range(1, _ELSEWHERE + 1):
            start = behind + rest * number / (_ELSEWHERE + 1)
            samples = self._sound.read(start, min(start + WINDOW_SECONDS, self._end))
            voice = stretches_with_voice(samples)
            if overlap(voice, 0.0, WINDOW_SECONDS) >= LEAST_VOICE_SECONDS:
                yield _cut(samples, windows(voice)[0])


def _pause(voice: Sequence[Stretch], length: float) -> float:
    """Where to end a step: amid the longest pause of its last window, in seconds from its start.

    Args:
        voice: the stretches with a voice in the samples of the step.
        length: of the samples, in seconds.
    """
    ends = [0.0, *(each.end for each in voice)]
    starts = [*(each.start for each in voice), length]
    early = length - WINDOW_SECONDS
    pauses = [Stretch(max(a, early), b) for a, b in zip(ends, starts, strict=True) if b > early]
    longest = max(pauses, key=lambda each: each.end - each.start)
    return (longest.start + longest.end) / 2


def _cut(samples: NDArray[np.float32], window: Stretch) -> NDArray[np.float32]:
    return samples[round(window.start * SAMPLE_RATE) : round(window.end * SAMPLE_RATE)]
