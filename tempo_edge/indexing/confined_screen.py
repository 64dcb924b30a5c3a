"""The pass that reads the screen of films, in a process of its own: one that may die of a film."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tempo_edge._cores import cpu_count
from tempo_edge.errors import MediaError
from tempo_edge.indexing.confinement import limit_growth
from tempo_edge.indexing.later_pass import Film, Step
from tempo_edge.indexing.step_process import StepProcess, alive, serve
from tempo_edge.screen.film import Look, ScreenReader, ScreenWords
from tempo_edge.screen.models import NAME, check_is_here, find_models
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line

if TYPE_CHECKING:
    from tempo_edge.media.whole_pictures import FilmPictures

__all__ = ["ScanningReader", "main"]

# How the screen is read: another number has that of all films read again.
_SCHEME = "1"

# Memory for one film, beside that of the models.
_ROOM_BYTES = 2 << 30

# Looks of one step: some seconds of work.
_LOOKS = 16


class ScanningReader:
    """Reads words on the screen, as :class:`tempo_edge.screen.film.ScreenWords` does, in a
    process of its own.

    Raises:
        MissingExtraError: what reads them is not installed, or not as it should be.
    """

    kind, doing, done = "screen", "scanning", "scanned"

    def __init__(self) -> None:
        check_is_here()
        self.mark = f"{_SCHEME}:{NAME}"
        self._process = StepProcess("tempo_edge.indexing.confined_screen")

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def read(self, film: Film, state: PassState, checkpoint: Callable[[], None]) -> Step:
        """Look at the next pictures of a film; one that can't be read ends with what was read.

        Raises:
            TempoEdgeError: nothing can be read here.
        """
        order = {
            "path": str(film.path),
            "zero": str(film.zero),
            "end": film.end_seconds,
            "start": state.until_seconds,
            "notes": state.notes,
        }
        try:
            read = self._process.ask(order, checkpoint)
        except MediaError as error:
            return _given_up(film, state, f"words on its screen: {error}")
        return Step(
            tuple(Line(**each) for each in read["lines"]),
            replace(
                state,
                until_seconds=read["until"],
                is_done=read["done"],
                notes="" if read["done"] else read["notes"],
                remark=read["remark"],
            ),
        )


def _given_up(film: Film, state: PassState, remark: str) -> Step:
    """The end of a film whose rest can't be read: what was on its screen until then is kept."""
    lines: list[Line] = []
    with suppress(ValueError):
        lines = ScreenWords(None, state.notes).lines(NAME, film.end_seconds, is_over=True)
    remark = " ".join(remark.split())
    return Step(tuple(lines), replace(state, is_done=True, notes="", remark=remark))


# -- the process ---------------------------------------------------------------------------------


class _Scanner:
    """Reads steps of films; a film is open while steps of it follow each other."""

    def __init__(self) -> None:
        self._reader = ScreenReader(find_models(), cpu_count())
        self._reader.rows(np.zeros((64, 64, 3), np.uint8))  # loads what is loaded when it is used
        self._film: tuple[str, str] | None = None
        self._pictures: FilmPictures | None = None
        self._looks: list[Look] = []
        limit_growth(_ROOM_BYTES)

    def __call__(self, order: dict[str, Any]) -> dict[str, Any]:
        """The answer to an order.

        Raises:
            MediaError: the film can't be opened.
        """
        pictures = self._opened(order["path"], order["zero"], order["end"])
        words = ScreenWords(self._reader, order["notes"])
        ahead = [look for look in self._looks if look.start_seconds >= order["start"]]
        looks = {look.pts: look for look in ahead[:_LOOKS]}
        is_done = len(ahead) <= _LOOKS
        lost = pictures.lost
        for pts, picture in pictures.at(looks):
            words.take(looks[pts], picture)
            alive()
        words.lost += pictures.lost - lost
        lines = words.lines(NAME, order["end"], is_over=is_done)
        return {
            "lines": [asdict(line) for line in lines],
            "until": order["end"] if is_done else ahead[_LOOKS].start_seconds,
            "done": is_done,
            "notes": words.notes(),
            "remark": words.remark,
        }

    def _opened(self, path: str, zero: str, end_seconds: float) -> FilmPictures:
        from tempo_edge.indexing.screen_looks import looks_of
        from tempo_edge.media.whole_pictures import FilmPictures

        if self._pictures is None or self._film != (path, zero):
            if self._pictures is not None:
                self._pictures.close()
            self._film, self._pictures = None, None
            pictures = FilmPictures(Path(path))
            video = pictures.video
            self._looks = looks_of(video.packets(), video.info, Fraction(zero), end_seconds)
            self._film, self._pictures = (path, zero), pictures
        return self._pictures


def main() -> None:
    """``python -m tempo_edge.indexing.confined_screen``, for :class:`ScanningReader`."""
    serve(_Scanner)


if __name__ == "__main__":
    main()
