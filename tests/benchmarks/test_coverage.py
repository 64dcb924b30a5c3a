"""How much of a clip its best moment covers: shares and rows, counted by hand."""

from __future__ import annotations

from pathlib import Path

from benchmarks._sources import unpack_clips
from benchmarks.coverage import Covered, format_row
from tempo_edge.answer import Answer
from tempo_edge.moment import Moment


def _moment(start: float, end: float, confidence: float) -> Moment:
    return Moment(Path("/v/a.mp4"), start, end, 1.0, confidence, "nano")


def _answer(*moments: Moment) -> Answer:
    return Answer(moments, (), 0, "curve", 0)


def test_the_best_moment_is_measured_and_those_that_are_shown_counted() -> None:
    answer = _answer(_moment(2.0, 5.0, 0.9), _moment(6.0, 10.0, 0.5), _moment(0.0, 1.0, 0.1))
    assert Covered.of(answer, 10.0, 0.43) == Covered(0.3, True, 2)
    assert Covered.of(_answer(_moment(0.0, 10.0, 0.2)), 10.0, 0.43) == Covered(1.0, False, 1)


def test_a_row_counts_all_and_those_that_are_answered() -> None:
    found = [Covered(0.3, True, 2), Covered(0.9, True, 1), Covered(0.5, False, 1)]
    row = "| x | 3 | 66.7 | 56.7 | 33.3 | 2 | 50.0 | 60.0 | 50.0 |"
    assert format_row("x", found) == row


def test_clips_are_unpacked_with_their_captions(data: Path, tmp_path: Path) -> None:
    asked = unpack_clips(data, tmp_path / "clips")
    assert asked == [(tmp_path / "clips" / "bar.mp4", "a white bar moves")]
    assert unpack_clips(data, tmp_path / "clips") == asked
