"""Words are followed from look to look: they stay, go, come back, grow, count and run on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tempo_edge.screen.banners import lines_of_screen
from tempo_edge.screen.following import Following, counts_on, is_nearly, runs_on
from tempo_edge.screen.notes import Notes
from tempo_edge.screen.rows import Box, Row, is_worth_keeping, rows_of
from tempo_edge.words.line import Line

TITLE = Box(0.1, 0.8, 0.9, 0.86)
CLOCK = Box(1.4, 0.05, 1.7, 0.11)
BAND = Box(0.0, 0.9, 1.77, 0.95)


def seen(*texts: tuple[str, Box], noise: int = 0) -> NDArray[np.uint8]:
    """A small picture in which each text at its place looks like no other text."""
    grey = np.full((252, 448), 90 + noise % 3, np.uint8)
    for text, box in texts:
        draw = np.random.default_rng(
            sum(ord(letter) << place % 20 for place, letter in enumerate(text))
        )
        top, bottom = int(box.top * 252), round(box.bottom * 252)
        left, right = int(box.left * 252), round(box.right * 252)
        patch = draw.integers(0, 2, (bottom - top, min(right, 448) - left)) * 150
        grey[top:bottom, left : left + patch.shape[1]] = patch + 50
    return grey


class Screen:
    """A film of looks two seconds apart, each read where something is new, like a film is."""

    def __init__(self) -> None:
        self.following = Following()
        self.seconds = 0.0
        self.lines: list[Line] = []
        self.read = 0

    def look(self, *texts: tuple[str, Box], apart: float = 2.0) -> None:
        grey, until = seen(*texts), self.seconds + apart
        quiet = self.following.keep(grey, self.seconds, until)
        new = [each for each in texts if not any(each[1].covered_by(box) > 0.5 for box in quiet)]
        if new:
            self.read += 1
            rows = [Row(text, 0.9, box) for text, box in new]
            self.following.see(rows, grey, self.seconds, until)
        self.seconds = until
        self.step()
        # What is known is put aside and taken up again, as between two runs.
        notes = Notes.of(Notes(self.following.there).text())
        self.following = Following(notes.there)

    def step(self) -> None:
        self.lines += lines_of_screen(self.following.gone(), "test", 1e6)

    def told(self) -> list[tuple[float, float, str]]:
        self.following.end()
        self.step()
        lines = sorted(self.lines, key=lambda line: (line.start_seconds, line.text))
        return [(line.start_seconds, line.end_seconds, line.text) for line in lines]


def test_what_stays_is_one_line_and_read_once() -> None:
    screen = Screen()
    for _ in range(30):
        screen.look(("CITY COUNCIL MEETS", TITLE))
    assert screen.told() == [(0, 60, "CITY COUNCIL MEETS")] and screen.read == 1


def test_what_goes_ends_with_the_look_after() -> None:
    screen = Screen()
    screen.look(("FIRST", TITLE))
    screen.look()
    screen.look(("SECOND", TITLE))
    assert screen.told() == [(0, 2, "FIRST"), (4, 6, "SECOND")]


def test_what_comes_back_soon_is_the_same_and_later_another() -> None:
    screen = Screen()
    screen.look(("Anna Jones, reporter", TITLE))
    screen.look()
    screen.look(("Anna Jones, reporter", TITLE))
    for _ in range(10):
        screen.look()
    screen.look(("Anna Jones, reporter", TITLE))
    assert screen.told() == [(0, 6, "Anna Jones, reporter"), (26, 28, "Anna Jones, reporter")]


def test_what_is_written_letter_by_letter_is_one_line() -> None:
    screen = Screen()
    for text in ("HELLO", "HELLO MY", "HELLO MY FRIEND"):
        screen.look((text, TITLE))
    assert screen.told() == [(0, 6, "HELLO MY FRIEND")]


def test_a_clock_is_no_line_and_soon_not_read_any_more() -> None:
    screen = Screen()
    for second in range(0, 240, 2):
        clock = f"12:{second // 60:02}:{second % 60:02}"
        screen.look(("EVENING NEWS", TITLE), (clock, CLOCK))
    assert screen.told() == [(0, 240, "EVENING NEWS")]
    assert screen.read <= 20, "once in twenty seconds is enough"


def test_a_counter_with_words_is_one_line() -> None:
    screen = Screen()
    for second in range(0, 60, 2):
        screen.look((f"LAP TIME {second} s", CLOCK))
    assert screen.told() == [(0, 60, "LAP TIME 0 s")]


def test_a_score_that_changes_now_and_then_is_several_lines() -> None:
    screen = Screen()
    for score in ("HOME 0 GUESTS 0", "HOME 1 GUESTS 0", "HOME 1 GUESTS 1", "HOME 2 GUESTS 1"):
        for _ in range(20):
            screen.look((score, CLOCK))
    assert [text for _, _, text in screen.told()] == [
        *("HOME 0 GUESTS 0", "HOME 1 GUESTS 0", "HOME 1 GUESTS 1", "HOME 2 GUESTS 1")
    ]


def test_a_ticker_does_not_flood() -> None:
    words = " ".join(f"item{number} of the day" for number in range(400))
    screen = Screen()
    for look in range(150):
        screen.look((words[look * 30 : look * 30 + 90], BAND))
    told = screen.told()
    assert len(told) <= 300 / 20 + 3, "no more than a line in twenty seconds"
    assert len(told) >= 5, "some of it can be found"


def test_titles_that_follow_one_another_are_no_ticker() -> None:
    said = ["I never went there.", "You must have known.", "Nobody told me so.", "It was too late."]
    screen = Screen()
    for text in said * 3:
        screen.look((text, TITLE))
    assert len(screen.told()) >= len(said)
    assert {text for _, _, text in screen.told()} == set(said)


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        ("JORDAN SPIETH T22", "JORDAN SPlETH T22", True),
        ("TO HOLE: 64 YARDS", "TO HOLE: 12 YARDS", False),
        ("Good morning", "Good evening", False),
    ],
)
def test_readings_of_the_same_words(one: str, other: str, is_so: bool) -> None:
    assert is_nearly(one, other) == is_so


def test_what_counts_and_what_runs() -> None:
    assert counts_on("12:59", "13:00") and not counts_on("Chapter one", "Chapter two")
    assert counts_on("9 of 10", "10 of 10")
    assert runs_on("the council meets on monday", "meets on monday to discuss the harbour")
    assert not runs_on("to discuss the harbour again", "again to discuss the harbour")


def test_rows_of_a_banner_are_one_line_and_others_are_not() -> None:
    screen = Screen()
    upper = Box(0.1, 0.74, 0.9, 0.80)
    far = Box(0.1, 0.2, 0.9, 0.26)
    for _ in range(3):
        screen.look(("THE PRESIDENT STANDS", upper), ("FIRMLY WITH US", TITLE), ("LIVE", far))
    assert screen.told() == [(0, 6, "LIVE"), (0, 6, "THE PRESIDENT STANDS FIRMLY WITH US")]


def test_rows_below_one_another_at_other_times_are_two_lines() -> None:
    screen = Screen()
    upper = Box(0.1, 0.74, 0.9, 0.80)
    for _ in range(10):
        screen.look(("CHANNEL FIVE", upper))
    screen.look(("CHANNEL FIVE", upper), ("Weather next", TITLE))
    assert screen.told() == [(0, 22, "CHANNEL FIVE"), (20, 22, "Weather next")]


def test_parts_of_a_row_are_one_row_and_a_smaller_neighbour_is_not() -> None:
    parts = [
        Row("right now", 0.8, Box(0.52, 0.5, 0.8, 0.56)),
        Row("Breaking", 1.0, Box(0.2, 0.5, 0.5, 0.56)),
        Row("small", 1.0, Box(0.82, 0.52, 0.9, 0.55)),
    ]
    rows = rows_of(parts)
    assert [row.text for row in rows] == ["Breaking right now", "small"]
    assert 0.8 < rows[0].confidence < 1.0 and rows[0].box == Box(0.2, 0.5, 0.8, 0.56)


@pytest.mark.parametrize(
    ("text", "confidence", "is_kept"),
    [
        *(("EXIT 12", 0.85, True), ("EXIT 12", 0.7, False), ("D", 1.0, False)),
        *(("14", 0.97, True), ("14", 0.9, False), ("----- a -----", 0.99, False)),
        ("北京", 0.98, True),
    ],
)
def test_what_was_read_unsurely_is_left_out(text: str, confidence: float, is_kept: bool) -> None:
    assert is_worth_keeping(Row(text, confidence, TITLE)) == is_kept


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "[[1], 0, 0, 0, 0]", '[[{"row": {}}], 0, 0, 0, 0]']
)
def test_notes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="notes"):
        Notes.of(text)
