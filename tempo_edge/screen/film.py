"""The words on the screen of one film, look by look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tempo_edge.screen.banners import lines_of_screen
from tempo_edge.screen.detection import Detector, Region
from tempo_edge.screen.following import Following
from tempo_edge.screen.models import ScreenModels
from tempo_edge.screen.notes import Notes
from tempo_edge.screen.recognition import Recognizer
from tempo_edge.screen.rows import Box, Row, is_worth_keeping, rows_of
from tempo_edge.words.line import MOST_LINES, Line

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Look", "Picture", "ScreenReader", "ScreenWords"]

# Pixels along the longer side of the small picture that is glanced at, and of the large one that is
# read; a small film is made larger, but not by more than this.
_GLANCE, _FULL, _LARGER = 448, 1280, 1.5

# Pixels along the longer side of a picture out of which letters are cut.
_LARGEST = 1920

# Around what is new so many times its height is read with it: small rows beside it are not seen at
# a glance.
_MARGIN = 2.5

# After so many readings that came to nothing the pause gets no longer; where they came to what was
# known already, it is so many looks, from the second on.
_LONGEST_PAUSE, _KNOWN_PAUSE = 6, 1

# A picture is still where no more than this share of its pixels changed by more than so many
# levels.
_FEW_PIXELS, _LEVELS = 1e-4, 25

# What is there already covers so much of what is nothing new.
_COVERED = 0.5

# Regions of a picture that are read at most, the likeliest first.
_MOST_REGIONS = 80


@dataclass(frozen=True)
class Look:
    """A picture of a film that is looked at.

    Attributes:
        pts: its tick.
        start_seconds: when it is shown; it stands for the film until ``end_seconds``.
        is_cut: whether a shot begins with it.
    """

    pts: int
    start_seconds: float
    end_seconds: float
    is_cut: bool


class Picture(Protocol):
    """A picture that can be had in any size."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""

    def rgb(self, longest: int) -> NDArray[np.uint8]:
        """``[h, w, 3]``, upright, no larger than it is, its longer side so many pixels at most."""


class ScreenReader:
    """Finds and reads writing in pictures.

    Args:
        models: the graphs.
        threads: that work on one picture.

    Raises:
        ProfileError, MissingExtraError: as :meth:`ScreenModels.open` does.
    """

    def __init__(self, models: ScreenModels, threads: int) -> None:
        detection, recognition = models.open(threads)
        self._detector = Detector(detection)
        self._recognizer = Recognizer(recognition)

    def glance(self, small: NDArray[np.uint8]) -> list[Box]:
        """Where writing seems to be in a small picture ``[h, w, 3]`` RGB."""
        picture = _image(small)
        return [_box(each, picture.height) for each in self._detector.find(picture)]

    def rows(self, full: NDArray[np.uint8], band: tuple[float, float] | None = None) -> list[Row]:
        """The rows of words of a picture ``[h, w, 3]`` RGB, from top to bottom.

        Args:
            band: from where to where of its height it is looked at; by default all of it. What is
                cut through at an edge of that is left out.
        """
        picture = _image(full)
        top, bottom = band or (0.0, 1.0)
        first = max(0, int(top * picture.height))
        last = min(picture.height, max(first + 1, round(bottom * picture.height)))
        part = picture.crop((0, first, picture.width, last))
        scale = min(_LARGER, _FULL / max(picture.size))
        found = sorted(self._detector.find(part, scale), key=lambda each: -each.score)
        is_cut = first > 0, last < picture.height
        regions = [each for each in found if not _is_cut(each, part.height, is_cut)][:_MOST_REGIONS]
        rows = []
        for region, reading in zip(regions, self._recognizer.read(part, regions), strict=True):
            if reading.text:
                box = _box(region, picture.height, first)
                rows.append(Row(reading.text, reading.confidence, box))
        return [row for row in rows_of(rows) if is_worth_keeping(row)]


class ScreenWords:
    """Takes in the looks of one film in the order of their times, and gives its lines.

    Most pictures are only glanced at: they are read where a glance shows writing that was not there
    before. Where reading has come to nothing, as with leaves and bricks, a shot is not read again
    before twice as many looks have passed as before.

    Args:
        reader: finds and reads writing; None where no more looks are taken in.
        notes: those of :meth:`notes`, to go on from.

    Attributes:
        readings: how many pictures were read; ``lost``: how many could not be looked at.

    Raises:
        ValueError: the notes are none.
    """

    def __init__(self, reader: ScreenReader | None, notes: str = "") -> None:
        self._reader = reader
        known = Notes.of(notes) if notes else Notes()
        self._following = Following(known.there)
        self._in_vain, self._pause, self._lines = known.in_vain, known.pause, known.lines
        self.lost = known.lost
        self.readings = 0
        self._grey: NDArray[np.uint8] | None = None

    def take(self, look: Look, picture: Picture) -> None:
        """Look at the next picture."""
        assert self._reader is not None
        when = look.start_seconds, look.end_seconds
        small = picture.rgb(_GLANCE)
        grey = small.mean(2).astype(np.uint8)
        before, self._grey = self._grey, grey
        if look.is_cut:
            self._in_vain = self._pause = 0
        if before is not None and is_still(before, grey):
            self._following.stay(*when)
            return
        quiet = self._following.keep(grey, *when)
        new = [box for box in self._reader.glance(small) if not _is_quiet(box, quiet)]
        if not new:
            return
        if self._pause:
            self._pause -= 1
            return
        self.readings += 1
        rows = self._reader.rows(picture.rgb(_LARGEST), _band(new))
        if self._following.see(rows, grey, *when):
            self._in_vain = 0
            return
        self._in_vain += 1
        # Words that are known already are words: what comes next may be others.
        is_known = min(self._in_vain - 1, _KNOWN_PAUSE)
        self._pause = is_known if rows else 2 ** min(self._in_vain, _LONGEST_PAUSE) - 1

    def lines(self, source: str, end_seconds: float, *, is_over: bool = False) -> list[Line]:
        """The lines of what has gone from the screen and was not given yet, by their times.

        Of a film no more are given than :data:`tempo_edge.words.line.MOST_LINES`.

        Args:
            source: what they say that they were read from.
            end_seconds: when the film is over.
            is_over: whether no more looks are taken in.
        """
        if is_over:
            self._following.end()
        lines = lines_of_screen(self._following.gone(), source, end_seconds)
        kept = lines[: max(0, MOST_LINES - self._lines)]
        self._lines += len(lines)
        return kept

    @property
    def remark(self) -> str:
        """What the owner of the film should know, or nothing."""
        more = self._lines - MOST_LINES
        parts = [
            f"{self.lost} pictures can't be looked at for words" if self.lost else "",
            f"{more} lines on its screen more than {MOST_LINES:,} are left out" if more > 0 else "",
        ]
        return ", ".join(filter(None, parts))

    def notes(self) -> str:
        """All that another one has to know to go on from here; what has gone was given."""
        known = self._in_vain, self._pause, self._lines, self.lost
        return Notes(self._following.there, *known).text()


def is_still(before: NDArray[np.uint8], grey: NDArray[np.uint8]) -> bool:
    """Whether two small pictures ``[h, w]`` show the same, down to the last letter."""
    if before.shape != grey.shape:
        return False
    changed = np.abs(before.astype(np.int16) - grey) > _LEVELS
    return bool(np.count_nonzero(changed) <= _FEW_PIXELS * changed.size)


def _image(picture: NDArray[np.uint8]) -> Image:
    from PIL.Image import fromarray

    return fromarray(picture)


def _box(region: Region, height: int, above: int = 0) -> Box:
    """Where a region is that was found in a picture without the ``above`` rows at its top."""
    left, top, right, bottom = region.bounds
    return Box(left / height, (top + above) / height, right / height, (bottom + above) / height)


def _is_cut(region: Region, height: int, edges: tuple[bool, bool]) -> bool:
    """Whether a region of a part of a picture reaches an edge that the part has at its top, or at
    its bottom, ``height`` pixels below.
    """
    _, top, _, bottom = region.bounds
    return (edges[0] and top < 1) or (edges[1] and bottom > height - 1)


def _is_quiet(box: Box, quiet: Sequence[Box]) -> bool:
    """Whether what is known to be nothing new covers most of a box."""
    return sum(box.covered_by(each) for each in quiet) >= _COVERED


def _band(boxes: Sequence[Box]) -> tuple[float, float]:
    """From where to where of a picture's height these are, and what may stand beside them."""
    return (
        max(0.0, min(box.top - _MARGIN * box.height for box in boxes)),
        min(1.0, max(box.bottom + _MARGIN * box.height for box in boxes)),
    )
