"""The pass that hears films, in a process of its own with little memory: one that may die of it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tempo_edge._cores import cpu_count
from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_edge.indexing.confinement import limit_growth, taken_bytes
from tempo_edge.indexing.later_pass import Film, Step
from tempo_edge.indexing.step_process import StepProcess, alive, serve
from tempo_edge.speech.models import SpeechModel, check_is_here, checked_folder, find_speech_model
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line

if TYPE_CHECKING:
    from tempo_edge.media.sound import Sound
    from tempo_edge.speech.hearing import Hearing

__all__ = ["HearingReader", "main"]

# How films are heard: another number has all of them heard again.
_SCHEME = "1"

# Memory for one film beside that of the model, and at least as much as that takes: what is computed
# of a window grows with it.
_ROOM_BYTES = 1 << 30


class HearingReader:
    """Hears films, as :class:`tempo_edge.speech.hearing.Hearing` does, in a process of its own.

    Args:
        model: hears them.

    Raises:
        MissingExtraError: what runs it, or what it lies in, is not installed.
        ProfileError: it has not been fetched.
    """

    kind, doing, done = "speech", "hearing", "heard"

    def __init__(self, model: SpeechModel) -> None:
        if importlib.util.find_spec("faster_whisper") is None:
            raise MissingExtraError(lacking("faster_whisper"))
        check_is_here(model)
        self.mark = f"{_SCHEME}:{model.mark}"
        self._process = StepProcess("tempo_edge.indexing.confined_hearing", [model.name])

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def read(self, film: Film, state: PassState, checkpoint: Callable[[], None]) -> Step:
        """Hear the next step of a film.

        Raises:
            MediaError: it can't be heard; the text says why.
            TempoEdgeError: the model can't be run here.
        """
        notes = _Notes.read(state.notes)
        order = {
            "path": str(film.path),
            "zero": str(film.zero),
            "end": film.end_seconds,
            "start": state.until_seconds,
            "language": notes.language,
        }
        heard = self._process.ask(order, checkpoint)
        known = _Notes(heard["language"], notes.damaged + heard["damaged"])
        remarks = [f"{known.damaged} packets of its sound are damaged"] if known.damaged else []
        if heard["stray"] is not None:
            remarks.append(f"its sound goes on at {heard['stray']:.0f} s, long after the film")
        return Step(
            tuple(Line(**each) for each in heard["lines"]),
            replace(
                state,
                until_seconds=heard["until"],
                is_done=heard["done"],
                notes=json.dumps(asdict(known)),
                remark=", ".join(remarks),
            ),
        )


@dataclass(frozen=True)
class _Notes:
    """What is known of a film from step to step: what is spoken, and how many packets are lost."""

    language: str = ""
    damaged: int = 0

    @staticmethod
    def read(text: str) -> _Notes:
        """The notes of an earlier step; none where these are none."""
        with suppress(ValueError, TypeError, KeyError):
            facts = json.loads(text)
            return _Notes(str(facts["language"]), int(facts["damaged"]))
        return _Notes()


# -- the process ---------------------------------------------------------------------------------


class _Listener:
    """Hears steps of films with one model; a film is open while steps of it follow each other."""

    def __init__(self, model: SpeechModel) -> None:
        from tempo_edge.speech.opening import open_recognizer

        folder = checked_folder(model)
        self._recognizer = open_recognizer(model.kind, folder, cpu_count())
        self._source = model.name
        self._film: tuple[str, str] | None = None
        self._sound: Sound | None = None
        limit_growth(max(_ROOM_BYTES, taken_bytes()))

    def __call__(self, order: dict[str, Any]) -> dict[str, Any]:
        """The answer to an order.

        Raises:
            MediaError: the film can't be heard.
        """
        sound = self._opened(order["path"], order["zero"])
        damaged = sound.damaged
        heard = self._hearing(sound, order["end"]).step(order["start"], order["language"])
        return {
            "until": heard.until_seconds,
            "done": heard.is_done,
            "language": heard.language,
            "lines": [asdict(line) for line in heard.lines],
            "damaged": sound.damaged - damaged,
            "stray": heard.stray_seconds,
        }

    def _opened(self, path: str, zero: str) -> Sound:
        from tempo_edge.media.sound import Sound

        if self._sound is None or self._film != (path, zero):
            if self._sound is not None:
                self._sound.close()
            self._film, self._sound = None, None
            self._sound = Sound(Path(path), Fraction(zero))
            self._film = path, zero
        return self._sound

    def _hearing(self, sound: Sound, end_seconds: float) -> Hearing:
        from tempo_edge.speech.hearing import Hearing

        return Hearing(sound, end_seconds, self._recognizer, self._source, alive)


def main(arguments: list[str]) -> None:
    """``python -m tempo_edge.indexing.confined_hearing MODEL``, for :class:`HearingReader`."""
    serve(lambda: _Listener(find_speech_model(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
