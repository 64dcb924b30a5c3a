"""A later pass over the films of a library: what takes long to read, behind everything else.

Pictures go in first. Then a pass goes over what it has not read yet, film by film and step by step.
The lines of a step and how far it came are one transaction: whatever ends a run, the next one goes
on behind the last step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from tempo_edge.errors import MediaError, RefusedRowError
from tempo_edge.indexing.problems import PassingError, check_still
from tempo_edge.indexing.report import IndexEvent
from tempo_edge.indexing.survey import is_same
from tempo_edge.indexing.walk import FoundFile, examine
from tempo_edge.store.interface import WritableCatalogue
from tempo_edge.store.passes import PassState
from tempo_edge.words.line import Line

__all__ = ["Film", "LaterPass", "Step", "StepReader"]


@dataclass(frozen=True)
class Film:
    """A film that is read step by step.

    Attributes:
        path: its file.
        zero: instant of its container that its times count from, in seconds.
        end_seconds: when it is over, counted from there.
    """

    path: Path
    zero: Fraction
    end_seconds: float


@dataclass(frozen=True)
class Step:
    """What one step has read of a film.

    Attributes:
        lines: those of its stretch, of the reader's kind.
        state: how far the film is read now, of the reader's mark.
    """

    lines: tuple[Line, ...]
    state: PassState


class StepReader(Protocol):
    """Reads one kind of words out of films, a step at a time.

    Attributes:
        kind: the kind of its lines, one of :data:`tempo_edge.words.line.KINDS`.
        mark: tells what reads, and how: a film that was read with another mark is read again.
        doing, done: the kinds of the events that tell how far a film is, and that it is done with:
            ``hearing`` and ``heard``, say.
    """

    kind: str
    mark: str
    doing: str
    done: str

    def read(self, film: Film, state: PassState, checkpoint: Callable[[], None]) -> Step:
        """The next step of a film: some seconds of work.

        Args:
            state: how far the film is; at the beginning it ends at 0.
            checkpoint: called often; whatever it raises ends the reading.

        Raises:
            PassingError: it can't be read now; the next run tries again.
            MediaError: it can't be read any further, and is done with.
        """

    def close(self) -> None:
        """Let go of all that is open."""


class LaterPass:
    """A pass over the films of one library, on the thread that writes.

    Args:
        catalogue: opened for writing.
        reader: reads the films.
        tell: told how far each film is, and what is done with.
        checkpoint: called often; whatever it raises ends the run.
    """

    def __init__(
        self,
        catalogue: WritableCatalogue,
        reader: StepReader,
        tell: Callable[[IndexEvent], None],
        checkpoint: Callable[[], None],
    ) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._tell = tell
        self._checkpoint = checkpoint

    @property
    def done(self) -> str:
        """What is told of a film that is done with."""
        return self._reader.done

    def run(self, roots: Sequence[Path], goes_on: Callable[[], bool] = lambda: True) -> int:
        """Read all that is due at and under some paths; gives how many films are done with now.

        Args:
            goes_on: asked before each step; False ends the run, and the next one goes on there.

        Raises:
            LibraryError: the library can't be written.
        """
        finished = 0
        due = self._due(roots)
        for position, (video_id, found) in enumerate(due.items(), start=1):
            telling = _Telling(self._tell, found.path, position, len(due))
            if not self._read(video_id, found, telling, goes_on):
                break
            finished += telling.is_over
        return finished

    def _due(self, roots: Sequence[Path]) -> dict[int, FoundFile]:
        """By its id, one file of each video that is due; those that have changed are not."""
        due: dict[int, FoundFile] = {}
        for root in roots:
            for row in self._catalogue.files_due(self._reader.kind, self._reader.mark, root):
                if row.video_id is not None and row.video_id not in due:
                    found = examine(row.path)
                    if is_same(found, row) and not found.problem:
                        due[row.video_id] = found
        return due

    def _read(
        self, video_id: int, found: FoundFile, telling: _Telling, goes_on: Callable[[], bool]
    ) -> bool:
        """Read a film to its end; False where the run is to end before."""
        video = self._catalogue.video(video_id)
        film = Film(Path(found.path), video.start_time, video.end_seconds)
        state = self._begun(video_id)
        while not state.is_done:
            self._checkpoint()
            if not goes_on():
                return False
            telling.tell(self._reader.doing, state.until_seconds, film.end_seconds)
            try:
                check_still(found)
                state = self._step(video_id, film, found, state)
            except PassingError as error:
                telling.tell(self._reader.done, state.until_seconds, film.end_seconds, str(error))
                return True
        telling.tell(self._reader.done, film.end_seconds, film.end_seconds, state.remark)
        telling.is_over = True
        return True

    def _begun(self, video_id: int) -> PassState:
        """How far a video is; what was read with another mark is no more."""
        known = self._catalogue.pass_state(self._reader.kind, video_id)
        if known is not None and known.mark == self._reader.mark:
            return known
        state = PassState(self._reader.mark)
        with self._catalogue.transaction():
            self._catalogue.put_lines(video_id, [self._reader.kind], ())
            self._catalogue.note_pass(self._reader.kind, video_id, state)
        return state

    def _step(self, video_id: int, film: Film, found: FoundFile, state: PassState) -> PassState:
        """Read a step and store it; gives how far the film is by then.

        Raises:
            PassingError: the file can't be read now, or changed meanwhile.
        """
        try:
            step = self._reader.read(film, state, self._checkpoint)
            check_still(found)
            if not (step.state.is_done or step.state.until_seconds > state.until_seconds):
                raise MediaError(f"comes no further than {state.until_seconds:.1f} s")
            return self._stored(video_id, step)
        except PassingError:
            raise
        except MediaError as error:
            why = " ".join(str(error).split())
        except RefusedRowError as error:  # a fault of one file ends no run
            why = f"what was {self._reader.done} can't be stored: {error}"
        return self._stored(video_id, Step((), replace(state, is_done=True, remark=why)))

    def _stored(self, video_id: int, step: Step) -> PassState:
        with self._catalogue.transaction():
            self._catalogue.add_lines(video_id, step.lines)
            self._catalogue.note_pass(self._reader.kind, video_id, step.state)
        return step.state


@dataclass
class _Telling:
    """What is told of one film, and whether it was done with."""

    to: Callable[[IndexEvent], None]
    path: str
    position: int
    files: int
    is_over: bool = False

    def tell(self, kind: str, done: float, total: float, remark: str = "") -> None:
        self.to(IndexEvent(kind, self.path, remark, done, total, self.position, self.files))
