"""Sound with known words in it, and sound without any: drawn from a seed, and put into films.

What is spoken is spoken by espeak-ng (Debian: ``apt-get install espeak-ng``).
"""

from __future__ import annotations

import io
import subprocess
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["RATE", "SENTENCES", "WORDLESS", "film", "laid_out", "silence", "speak"]

#: Samples a second of all sound here.
RATE = 16_000

Samples = NDArray[np.float32]

#: Plain sentences of everyday footage.
SENTENCES = (
    "Good morning, everybody, and welcome to our garden.",
    "The children are playing with the dog behind the house.",
    "Please close the door, it is getting cold in here.",
    "We walked along the river until the sun went down.",
    "My grandmother baked this cake for her birthday.",
    "Can you see the little bird on top of the roof?",
    "The train to London leaves in a few minutes.",
    "First we cut the vegetables, then we heat the oil.",
    "He ran across the street and waved at his friends.",
    "This mountain is higher than all the others around it.",
    "I have never seen so many flowers in one place.",
    "They are building a new school next to the library.",
    "Put your hands on the table and take a deep breath.",
    "The weather will be sunny for the rest of the week.",
    "Her brother plays the piano every single evening.",
    "Look at the boats, they are coming back to the harbor.",
    "We forgot the keys, so we had to climb through the window.",
    "The teacher asked a question and nobody knew the answer.",
    "Turn left at the church and follow the narrow road.",
    "It was the best summer holiday that we ever had.",
)

# Notes of a scale, in half tones above the lowest.
_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)

# What small children say before they say words, as espeak-ng spells sounds.
_SYLLABLES = ("b'a", "d'a", "g'a", "m'a", "n'a", "w'a", "b'u", "d'i", "g'u", "m'E", "j'a", "n'i")

_VOICES = ("en-us", "de", "fr", "it", "pl", "ru", "nl", "fi")


def speak(text: str, voice: str = "en-us", *, pace: int = 150, pitch: int = 50) -> Samples:
    """A text as it is spoken, ``[n]`` within [-1, 1].

    Args:
        voice: one of those of ``espeak-ng --voices``.
        pace: words a minute.
        pitch: 0 to 99.
    """
    spoken = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", str(pace), "-p", str(pitch), "--stdin", "--stdout"],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout
    with wave.open(io.BytesIO(spoken)) as opened:
        rate = opened.getframerate()
        samples = np.frombuffer(opened.readframes(1 << 30), "<i2").astype(np.float32) / 32768
    times = np.arange(int(len(samples) * RATE / rate)) * (rate / RATE)
    spoken_at_rate: Samples = np.interp(times, np.arange(len(samples)), samples).astype(np.float32)
    return spoken_at_rate


def silence(seconds: float) -> Samples:
    """Nothing, ``[n]``."""
    return np.zeros(round(seconds * RATE), np.float32)


def laid_out(pieces: list[tuple[float, Samples]], seconds: float) -> Samples:
    """Pieces of sound at their times in silence, ``[n]``."""
    whole = silence(seconds)
    for start, samples in pieces:
        at = round(start * RATE)
        room = whole[at : at + len(samples)]
        room += samples[: len(room)]
    return whole


# -- what holds no words ---------------------------------------------------------------------------


def _noise(seconds: float, rng: np.random.Generator) -> Samples:
    """Noise that comes and goes, as of wind and of the sea."""
    count = round(seconds * RATE)
    slow = np.convolve(rng.standard_normal(count), np.ones(24) / 24, "same")
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * np.arange(count) / RATE / 7)
    return (0.4 * swell * slow / max(float(np.abs(slow).max()), 1e-9)).astype(np.float32)


def _white(seconds: float, rng: np.random.Generator) -> Samples:
    """Noise with the same power at all frequencies, as of a channel without a sender."""
    return (0.1 * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def _pink(seconds: float, rng: np.random.Generator) -> Samples:
    """Noise whose power falls with the frequency, as of rain and of fans."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    pink = np.fft.irfft(spectrum, count)
    return (0.1 * pink / max(float(pink.std()), 1e-9)).astype(np.float32)


def _music(seconds: float, rng: np.random.Generator) -> Samples:
    """A tune over chords and a drum."""
    whole = silence(seconds)
    beat = 0.4
    for number in range(int(seconds / beat)):
        length = round(2 * beat * RATE)
        times = np.arange(length) / RATE
        notes = [int(rng.choice(_SCALE)) + 12] + ([0, 4, 7] if number % 4 == 0 else [])
        sound = np.zeros(length)
        for note in notes:
            pitch = 220 * 2 ** (note / 12)
            for partial in range(1, 6):
                sound += np.sin(2 * np.pi * partial * pitch * times) / partial**1.5
        sound *= np.exp(-3 * times) * 0.1
        sound[: RATE // 20] += 0.1 * rng.standard_normal(RATE // 20)
        room = whole[round(number * beat * RATE) :][:length]
        room += sound[: len(room)].astype(np.float32)
    return whole


def _babble(seconds: float, rng: np.random.Generator) -> Samples:
    """A small child that says no words yet."""
    pieces: list[tuple[float, Samples]] = []
    at = 0.5
    while at < seconds - 2:
        count = int(rng.integers(2, 7))
        sounds = "".join(str(each) for each in rng.choice(_SYLLABLES, count))
        piece = speak(f"[[{sounds}]]", pace=int(rng.integers(110, 170)), pitch=95)
        pieces.append((at, piece))
        at += len(piece) / RATE + float(rng.uniform(0.3, 2.0))
    return laid_out(pieces, seconds)


def _crowd(seconds: float, rng: np.random.Generator) -> Samples:
    """A room full of people who talk at once, in eight languages."""
    pieces: list[tuple[float, Samples]] = []
    for voice in _VOICES:
        at = float(rng.uniform(0, 1))
        while at < seconds:
            sentence = SENTENCES[int(rng.integers(len(SENTENCES)))]
            piece = speak(sentence, voice, pace=170, pitch=int(rng.integers(20, 80)))
            pieces.append((at, (piece / len(_VOICES)).astype(np.float32)))
            at += len(piece) / RATE
    return laid_out(pieces, seconds)


#: What makes so many seconds of sound without any words that could be made out, by its name.
WORDLESS: dict[str, Callable[[float, np.random.Generator], Samples]] = {
    "silence": lambda seconds, rng: silence(seconds),
    "noise": _noise,
    "white noise": _white,
    "pink noise": _pink,
    "music": _music,
    "babble": _babble,
    "crowd": _crowd,
}


# -- films -----------------------------------------------------------------------------------------


def film(path: Path, samples: Samples, *, codec: str = "aac") -> Path:
    """A film with grey pictures and a sound, of a container that its suffix says.

    Args:
        codec: FFmpeg's name of the sound's encoder.
    """
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=Fraction(2))
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream(codec, rate=RATE, layout="mono")
        for number in range(max(1, int(2 * len(samples) / RATE))):
            grey = np.full((48, 64, 3), 90 + number % 60, np.uint8)
            picture = VideoFrame.from_ndarray(grey, format="rgb24")
            picture.pts = number
            out.mux(pictures.encode(picture))
        out.mux(pictures.encode(None))
        form = "s16" if codec.startswith("pcm") else "fltp"
        for at in range(0, len(samples), 1024):
            part = samples[at : at + 1024][None]
            if form == "s16":
                part = (part * 32767).astype(np.int16)
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(part), format=form, layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path
