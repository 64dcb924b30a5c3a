"""Words on the screen followed from look to look: what is still there, what is new, what is gone.

What stays is not read again: that it looks the same is enough. What changes all the time, a clock
or a ticker, is known by how its words change, and then looked at now and then only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from tempo_edge.screen.rows import Box, Row
from tempo_edge.words.letters import folded, tokens

__all__ = ["Following", "Shown"]

# Two patches show the same from this correlation on.
_SAME_LOOKS = 0.85

# Letters that two readings of the same words have in common, as a share of both.
_SAME_WORDS = 0.8

# Words that are not seen for so long are gone; they come back as others.
_GONE_SECONDS = 10.0

# Times of looks that are the same differ by less.
_ROUNDING = 1e-6

# A place whose words have run on or counted on so often is restless, and looked at again only after
# so long.
_RESTLESS, _REST_SECONDS = 2, 20.0

# So many texts that differ in digits only, one after the other, are a counter: each was there no
# longer than this on the mean, in seconds. It is kept once, if it holds so many letters.
_COUNTER, _COUNTER_SECONDS, _LETTERS_OF_COUNTER = 3, 15.0, 3

# Further out than any picture, to both sides.
_SIDE = 1e3

# What a ticker shows again of what it showed, further left: so many letters at least, and this
# share of the shorter text.
_OVERLAP_LETTERS, _OVERLAP = 8, 0.3

_DIGITS = re.compile(r"\d+")


@dataclass
class Shown:
    """Words while they are on the screen.

    Attributes:
        row: what they are, and where.
        start_seconds: when they were seen first; ``end_seconds`` until when they are there.
        patch: what they look like, grey ``[h, w]`` of 0 to 255.
        read_seconds: when they were read last.
        restless: how often the words at this place have run on or counted on, without a rest.
        earlier: what they have counted on from, as long as that may be no counter.
        is_counter: whether they are one of many texts that differ in digits only, the first.
    """

    row: Row
    start_seconds: float
    end_seconds: float
    patch: NDArray[np.uint8] = field(repr=False)
    read_seconds: float = 0.0
    restless: int = 0
    earlier: list[Shown] = field(default_factory=list)
    is_counter: bool = False

    @property
    def is_restless(self) -> bool:
        """Whether its place changes all the time."""
        return self.restless >= _RESTLESS

    @property
    def place(self) -> Box:
        """All that the words may take up as they go on: a ticker goes from side to side."""
        box = self.row.box
        if self.is_counter:
            return box.wider(box.height / 2)
        return Box(-_SIDE, box.top - box.height / 2, _SIDE, box.bottom + box.height / 2)


class Following:
    """The words on the screen of one film, from its first look to its last.

    Attributes:
        there: those that are there, or were not long ago.
    """

    def __init__(self, there: Iterable[Shown] = ()) -> None:
        self.there = list(there)
        self._gone: list[Shown] = []

    def keep(self, grey: NDArray[np.uint8], seconds: float, until: float) -> list[Box]:
        """Look at a small picture for what is still there.

        Args:
            grey: the picture, ``[h, w]``.
            seconds: when it is shown; ``until`` when the next look is.

        Returns:
            Where nothing new is: the places of what is still there, and restless ones.
        """
        self._let_go(seconds)
        quiet: list[Box] = []
        for shown in self.there:
            if is_alike(patch_of(grey, shown.row.box), shown.patch):
                shown.end_seconds = max(shown.end_seconds, until)
                quiet.append(shown.row.box)
            elif shown.is_restless and seconds < shown.read_seconds + _REST_SECONDS:
                shown.end_seconds = max(shown.end_seconds, until)
                quiet.append(shown.place)
        return quiet

    def stay(self, seconds: float, until: float) -> None:
        """Take in a picture that is as the one before; the rest is as in :meth:`keep`."""
        for shown in self.there:
            if shown.end_seconds >= seconds - _ROUNDING:
                shown.end_seconds = max(shown.end_seconds, until)
        self._let_go(seconds)

    def see(
        self, rows: Sequence[Row], grey: NDArray[np.uint8], seconds: float, until: float
    ) -> int:
        """Take in what was read in a picture; gives how much of it is new.

        Args:
            rows: what was read; ``grey`` and the rest as in :meth:`keep`.
        """
        new = 0
        for row in rows:
            now = Shown(row, seconds, until, patch_of(grey, row.box), read_seconds=seconds)
            known = self._known(row)
            if known is not None:
                known.row = _better(known.row, row)
                _go_on(known, now)
                continue
            new += 1
            before = self._before(row)
            if before is not None and before.is_counter:
                known_box = Row(before.row.text, before.row.confidence, row.box)
                before.row, before.restless = known_box, before.restless + 1
                _go_on(before, now)
                continue
            if before is not None:
                self._follow(before, now)
            self.there.append(now)
        return new

    def _follow(self, before: Shown, now: Shown) -> None:
        """Put words in the place of those that have run on to them, or counted on."""
        before.end_seconds = max(before.start_seconds, min(before.end_seconds, now.start_seconds))
        now.restless = before.restless + 1
        if not counts_on(before.row.text, now.row.text):
            self._end(before)
            return
        self.there.remove(before)
        now.earlier, before.earlier = [*before.earlier, before], []
        first = now.earlier[0]
        texts = len(now.earlier) + 1
        if texts >= _COUNTER and now.end_seconds - first.start_seconds <= texts * _COUNTER_SECONDS:
            now.row = Row(first.row.text, first.row.confidence, now.row.box)
            now.start_seconds, now.earlier, now.is_counter = first.start_seconds, [], True

    def gone(self) -> list[Shown]:
        """What has gone since this was asked last, in the order in which it came."""
        gone, self._gone = self._gone, []
        kept = [each for each in gone if not each.is_counter or _says_more_than_digits(each)]
        return sorted(kept, key=lambda each: (each.start_seconds, each.row.box.top))

    def end(self) -> None:
        """Let all go that is there: the film is over."""
        for shown in list(self.there):
            self._end(shown)

    def _let_go(self, seconds: float) -> None:
        for shown in [each for each in self.there if each.end_seconds + _GONE_SECONDS < seconds]:
            self._end(shown)

    def _end(self, shown: Shown) -> None:
        self.there.remove(shown)
        self._gone += [*shown.earlier, shown]

    def _known(self, row: Row) -> Shown | None:
        """What is there of the same words: wherever it is, or nearly the same where it is."""
        words = letters_of(row.text)
        for shown in self.there:
            if letters_of(shown.row.text) == words:
                return shown
        for shown in self.there:
            if row.box.is_at(shown.row.box) and (
                _is_grown(shown.row, row) or is_nearly(shown.row.text, row.text)
            ):
                return shown
        return None

    def _before(self, row: Row) -> Shown | None:
        """What a row has come in the place of, as a clock or a ticker goes on."""
        for shown in self.there:
            text = shown.row.text
            if row.box.is_at(shown.row.box) and counts_on(text, row.text):
                return shown
            if not row.box.is_level_with(shown.row.box):
                continue
            # After a rest a ticker shows nothing any more of what it showed.
            if runs_on(text, row.text) or (shown.is_restless and not shown.is_counter):
                return shown
        return None


def _go_on(known: Shown, now: Shown) -> None:
    """Words that were read again are there still, and look as they do now."""
    known.end_seconds = max(known.end_seconds, now.end_seconds)
    known.patch, known.read_seconds = now.patch, now.read_seconds


def _says_more_than_digits(shown: Shown) -> bool:
    return sum(letter.isalpha() for letter in shown.row.text) >= _LETTERS_OF_COUNTER


def letters_of(text: str) -> str:
    """A text as it is compared: letters and digits alone, in small."""
    return "".join(tokens(folded(text)))


def is_nearly(text: str, other: str) -> bool:
    """Whether two texts are readings of the same words; other digits are other words."""
    if _DIGITS.findall(text) != _DIGITS.findall(other):
        return False
    matcher = SequenceMatcher(None, letters_of(text), letters_of(other), autojunk=False)
    return matcher.ratio() >= _SAME_WORDS


def counts_on(before: str, after: str) -> bool:
    """Whether two different texts differ in digits only, as those of a clock do."""
    one, other = (_DIGITS.sub("0", folded(text)) for text in (before, after))
    return "0" in one and letters_of(one) == letters_of(other)


def runs_on(before: str, after: str) -> bool:
    """Whether the end of a text is the beginning of another, as that of a ticker is."""
    one, other = letters_of(before), letters_of(after)
    match = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    shorter = min(len(one), len(other))
    return match.a > match.b and match.size >= max(_OVERLAP_LETTERS, _OVERLAP * shorter)


def _is_grown(before: Row, after: Row) -> bool:
    """Whether a row is another that was not written to its end yet."""
    one, other = letters_of(before.text), letters_of(after.text)
    return len(one) >= 4 and (other.startswith(one) or (one.startswith(other) and len(other) >= 4))


def _better(before: Row, after: Row) -> Row:
    """The one of two readings of the same words that tells more; the place is the later one's."""
    more = len(letters_of(after.text)) - len(letters_of(before.text))
    is_better = more > 2 or (more >= 0 and after.confidence > before.confidence)
    best = after if is_better else before
    return Row(best.text, best.confidence, after.box)


def patch_of(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """What a place of a small picture ``[h, w]`` looks like."""
    height, width = grey.shape
    top, left = max(0, int(box.top * height)), max(0, int(box.left * height))
    bottom = min(height, max(top + 1, round(box.bottom * height)))
    right = min(width, max(left + 1, round(box.right * height)))
    patch: NDArray[np.uint8] = grey[top:bottom, left:right].copy()
    return patch


def is_alike(patch: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two patches show the same letters, whatever the light; an even one is like none."""
    if patch.shape != other.shape or not patch.size:
        return False
    one, two = (each.astype(np.float32) - each.mean() for each in (patch, other))
    size = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return size > patch.size and float((one * two).sum()) >= _SAME_LOOKS * size
