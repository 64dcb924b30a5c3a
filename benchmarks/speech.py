"""How fast speech is heard, how many of its words are wrong, and what is made up where none is.

    python -m benchmarks.speech --minutes 4 --wordless 30 --seed 0
    python -m benchmarks.speech --minutes 0 --wordless 600 --seed 0    # only what holds no words

Sentences are spoken by espeak-ng, with pauses between them, into one film; what holds no words
(silence, three kinds of noise, music, a child's babble, a crowd) is a film each. All are indexed
first; what is measured is the hearing alone. Where other programs use the processors, the seconds
that the hearing took of them say more than those of the clock.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import tempo_edge
from benchmarks.spoken import RATE, SENTENCES, WORDLESS, Samples, film, laid_out, speak
from benchmarks.usage import of_children
from tempo_edge.words.line import Line

__all__ = ["conversation", "main", "spelled", "word_errors"]

_VOICES = ("en-us", "en-gb")


def conversation(
    seconds: float, rng: np.random.Generator, voices: Sequence[str] = _VOICES
) -> tuple[Samples, list[str]]:
    """(sound, its words in order) of sentences in several voices, with pauses between them."""
    pieces: list[tuple[float, Samples]] = []
    words: list[str] = []
    at = 1.0
    while True:
        sentence = SENTENCES[int(rng.integers(len(SENTENCES)))]
        voice = voices[int(rng.integers(len(voices)))]
        piece = speak(sentence, voice, pace=int(rng.integers(130, 170)))
        if at + len(piece) / RATE > seconds - 1:
            return laid_out(pieces, seconds), words
        pieces.append((at, piece))
        words += spelled(sentence)
        at += len(piece) / RATE + float(rng.choice([0.4, 0.8, 1.5, 6.0], p=[0.4, 0.3, 0.2, 0.1]))


def spelled(text: str) -> list[str]:
    """The words of a text without marks and case."""
    kept = "".join(each if each.isalnum() or each == "'" else " " for each in text.lower())
    return kept.split()


def word_errors(said: list[str], heard: list[str]) -> int:
    """Words that have to be put in, left out or changed to make what was said of what was heard."""
    before = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        row = [number]
        for place, other in enumerate(heard, start=1):
            changed = before[place - 1] + (word != other)
            row.append(min(changed, before[place] + 1, row[-1] + 1))
        before = row
    return before[-1]


def _hear(folder: Path, library: Path) -> tuple[float, float, dict[str, list[Line]]]:
    """(seconds of the clock, seconds of processors, lines by film) of hearing some films."""
    with tempo_edge.Library.open(library) as opened:
        opened.index(folder, words="none")
        used = of_children()
        began = time.perf_counter()
        opened.index(folder, words="speech")
        took = time.perf_counter() - began
        now = of_children()
        spent = now.cpu_seconds - used.cpu_seconds
        with opened.catalogue.snapshot():
            lines = {
                Path(row.path).stem: [
                    line for line in opened.catalogue.lines(row.video_id) if line.kind == "speech"
                ]
                for row in opened.catalogue.files().values()
                if row.video_id is not None
            }
    return took, spent, lines


def _understood(folder: Path, seconds: float, rng: np.random.Generator) -> dict[str, object]:
    """How fast and how well sentences are heard that are spoken into a film of a folder."""
    samples, said = conversation(seconds, rng)
    film(folder / "sentences.mp4", samples)
    took, spent, lines = _hear(folder, folder.with_suffix(".db"))
    heard = [word for line in lines["sentences"] for word in spelled(line.text)]
    return {
        "seconds": round(seconds, 1),
        "real_time_factor": round(seconds / took, 2),
        "processor_seconds_a_second": round(spent / seconds, 3),
        "words": len(said),
        "word_error_rate": round(word_errors(said, heard) / len(said), 4),
        "peak_megabytes": int(of_children().peak_kilobytes // 1024),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=4.0, help="of sentences, or 0")
    parser.add_argument("--wordless", type=float, default=30.0, help="seconds of each other sound")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        rng = np.random.default_rng(options.seed)
        spoken, wordless = Path(name) / "spoken", Path(name) / "wordless"
        spoken.mkdir()
        wordless.mkdir()
        facts: dict[str, object] = {"seed": options.seed}
        if options.minutes:
            facts |= _understood(spoken, options.minutes * 60, rng)
        for kind, draw in WORDLESS.items():
            film(wordless / f"{kind}.mp4", draw(options.wordless, rng))
        facts["wordless_seconds_each"] = options.wordless
        _, spent, lines = _hear(wordless, Path(name) / "wordless.db")
        facts["wordless_processor_seconds"] = round(spent, 1)
        with tempo_edge.Library.open(Path(name) / "wordless.db") as library:
            facts["wordless_seconds_heard"] = library.words_read().passes["speech"].seconds_done
        facts["made_up"] = {kind: [line.text for line in found] for kind, found in lines.items()}
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
