"""Films are heard in steps that end in pauses, in windows, in one language; doubt counts."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.spoken import RATE, film, laid_out
from tempo_edge.media.sound import Sound
from tempo_edge.speech import hearing
from tempo_edge.speech.doubt import is_doubtful
from tempo_edge.speech.hearing import Hearing
from tempo_edge.speech.recognizer import Recognizer, Utterance, Word
from tempo_edge.speech.transcript import lines_of_speech
from tempo_edge.speech.voice import Stretch, overlap, windows


def utterance(*words: Word, log: float = -0.2, none: float = 0.1, again: float = 1.2) -> Utterance:
    return Utterance(words, log, none, again)


SAID = Word(0.0, 0.5, " yes", 0.9)


@pytest.mark.parametrize(
    ("facts", "doubtful"),
    [
        ({}, False),
        ({"log": -0.81}, True),
        ({"log": -0.79}, False),
        ({"none": 0.61}, True),
        ({"none": 0.66, "log": -0.8}, True),
        ({"again": 2.5}, True),
        ({"log": -2.7}, True),
    ],
)
def test_what_the_model_doubts_is_no_evidence(facts: dict[str, float], doubtful: bool) -> None:
    assert is_doubtful(utterance(SAID, **facts)) is doubtful


def test_words_are_doubted_together() -> None:
    unsure = dataclasses.replace(SAID, probability=0.1)
    assert is_doubtful(utterance(SAID, unsure, unsure)) and not is_doubtful(utterance(SAID))
    assert is_doubtful(utterance())


def lines(*words: Word, voice: tuple[tuple[float, float], ...] = ((0.0, 100.0),)) -> list[str]:
    found = lines_of_speech(
        [utterance(*words)],
        Stretch(10.0, 40.0),
        [Stretch(*each) for each in voice],
        language="en",
        source="x",
        end_seconds=20.0,
    )
    return [f"{line.start_seconds:.1f} {line.end_seconds:.1f} {line.text}" for line in found]


def test_a_line_is_a_sentence_or_what_is_said_between_pauses() -> None:
    words = [
        Word(0.0, 0.4, " Dr.", 0.9),
        Word(0.4, 1.0, " Who", 0.9),
        Word(1.0, 1.8, " came.", 0.9),
        Word(1.8, 2.4, ' "Then', 0.9),
        Word(4.0, 5.0, " he", 0.9),
        Word(5.0, 12.0, " went.", 0.9),
    ]
    assert lines(*words) == ["10.0 11.8 Dr. Who came.", '11.8 12.4 "Then', "14.0 20.0 he went."]


def test_what_is_heard_where_no_voice_is_was_not_said() -> None:
    words = [Word(0.0, 1.0, " yes", 0.9), Word(3.0, 5.0, " thanks for watching", 0.9)]
    assert lines(*words, voice=((10.25, 11.2), (14.5, 15.0))) == ["10.2 11.0 yes"]
    assert lines(Word(11.0, 12.0, " behind the film", 0.9)) == []
    assert lines(Word(0.0, 1.0, " ...", 0.9)) == []


def test_windows_hold_as_much_as_fits() -> None:
    voice = [Stretch(a, b) for a, b in [(1, 5), (20, 29), (30, 33), (70, 99.5), (99.5, 101)]]
    assert windows(voice) == [(1, 29), (30, 33), (70, 99.5), (99.5, 101)]
    assert windows([]) == [] and overlap(voice, 4, 21) == 2


class Counter(Recognizer):
    """Hears a word in each window: how often it was asked."""

    def __init__(self, *languages: str) -> None:
        self.spoken = iter(languages)
        self.heard: list[tuple[int, str]] = []

    def languages(self, samples: NDArray[np.float32]) -> dict[str, float]:
        return {next(self.spoken, "en"): 0.9, "pl": 0.1}

    def hear(self, samples: NDArray[np.float32], language: str) -> list[Utterance]:
        self.heard.append((round(len(samples) / RATE), language))
        return [utterance(Word(0.1, 0.9, f" {len(self.heard)}.", 0.8))]


def _loud(samples: NDArray[np.float32]) -> list[Stretch]:
    """Stretches that are not silent, in place of Silero's: it takes no tone for a voice."""
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 2) + 1)
    return [Stretch(float(p[0]) / RATE, float(p[-1] + 1) / RATE) for p in parts if len(p)]


@pytest.fixture
def long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten minutes in which a tone is heard now and then."""
    monkeypatch.setattr(hearing, "stretches_with_voice", _loud)
    rng = np.random.default_rng(3)
    tone = (0.3 * rng.standard_normal(4 * RATE)).astype(np.float32)
    times = [*np.arange(3.0, 200.0, 7.5), 420.0, 590.0]
    return film(tmp_path / "long.mkv", laid_out([(t, tone) for t in times], 600.0), codec="flac")


def test_steps_follow_one_another_and_leave_nothing_out(long: Path) -> None:
    recognizer, at, language, found, steps = Counter(), 0.0, "", [], []
    with Sound(long, Fraction(0)) as sound:
        step = Hearing(sound, 600.0, recognizer, "x").step(at, language)
        while True:
            steps.append(step.until_seconds)
            found += step.lines
            if step.is_done:
                break
            assert step.until_seconds > at
            at, language = step.until_seconds, step.language
            # A new one each time, as after a run that was killed.
            with Sound(long, Fraction(0)) as again:
                step = Hearing(again, 600.0, recognizer, "x").step(at, language)
    assert steps[-1] == 600.0 and len(steps) == 5
    assert {seconds <= 30 for seconds, _ in recognizer.heard} == {True}
    starts = [line.start_seconds for line in found]
    assert starts == sorted(starts) and len(found) == len(recognizer.heard)
    assert {line.language for line in found} == {"en"}
    assert any(419.5 < start < 422 for start in starts) and any(s > 589 for s in starts)


def test_one_language_is_heard_which_most_windows_have(long: Path) -> None:
    recognizer = Counter("pl", "en", "en", "en", "pl", "en")
    with Sound(long, Fraction(0)) as sound:
        assert Hearing(sound, 600.0, recognizer, "x").step(0.0, "").language == "en"
    in_doubt = Counter("a", "b", "c", "d", "e", "f")
    with Sound(long, Fraction(0)) as sound:
        step = Hearing(sound, 600.0, in_doubt, "x").step(0.0, "")
    assert step.language == "" and step.lines == () and in_doubt.heard == []
    known = Counter("en")
    with Sound(long, Fraction(0)) as sound:
        assert Hearing(sound, 600.0, known, "x").step(120.0, "pl").language == "pl"


def test_hours_of_silence_are_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "stretches_with_voice", _loud)
    path = film(tmp_path / "a.mp4", laid_out([], 4.0))
    with Sound(path, Fraction(-20_000)) as sound:  # its sound begins hours behind its pictures
        step = Hearing(sound, 30_000.0, Counter(), "x").step(0.0, "")
        assert step.until_seconds == pytest.approx(20_000, abs=1) and not step.is_done
        last = Hearing(sound, 30_000.0, Counter(), "x").step(step.until_seconds, "")
    assert last.is_done and last.until_seconds == 30_000.0


def test_sound_that_lies_hours_behind_the_film_is_said(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", laid_out([], 4.0))
    for late, said in ((20_000, 20_000.0), (40, None)):  # players let some sound run on
        with Sound(path, Fraction(-late)) as sound:
            step = Hearing(sound, 30.0, Counter(), "x").step(0.0, "")
        assert step.is_done and step.stray_seconds == (said and pytest.approx(said, abs=0.1))
