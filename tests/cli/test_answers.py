"""How moments are printed with the words that they were found by: on terminals, and in pipes."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tempo_edge._console.text import columns
from tempo_edge.answer import Answer
from tempo_edge.cli import answers
from tempo_edge.moment import Moment

LONG = "word " * 99 + "end"


def answer(*texts: str, offline: bool = False) -> Answer:
    """A moment of each of these lines, in films of names of different lengths."""
    moments = [
        Moment(Path(f"/v/{'a' * n}.mp4"), 1.0, 2.5, 0.0, 0.9, "nano", offline, text=text)
        for n, text in enumerate(texts, start=1)
    ]
    return Answer(tuple(moments), (), 0, "curve")


class Terminal(io.StringIO):
    """Text that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, told: Answer, width: int | None) -> list[str]:
    """The lines of an answer on a terminal of some columns, or in a pipe."""
    out = io.StringIO() if width is None else Terminal()
    monkeypatch.setenv("COLUMNS", str(width or 80))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", out)
    answers.show(told, False, False)
    monkeypatch.undo()
    return out.getvalue().splitlines()


def test_words_stand_last(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, answer("I'm so sorry.", "", offline=True), 100)
    assert lines == [
        "/v/a.mp4   00:01.0–00:02.5  0.90  (offline)  I'm so sorry.",
        "/v/aa.mp4  00:01.0–00:02.5  0.90  (offline)",
    ]


@pytest.mark.parametrize("width", [58, 80, 200])
def test_a_long_line_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    (line,) = shown(monkeypatch, answer(LONG), width)
    assert line.startswith("/v/a.mp4  00:01.0–00:02.5  0.90  word word") and line.endswith("…")
    assert width - 6 < columns(line) <= width


def test_in_a_narrow_terminal_words_stand_below(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, answer("short", LONG), 40)
    assert [columns(line) <= 40 for line in lines] == [True] * 4
    assert lines[1] == "  short"
    assert lines[3].startswith("  word word") and lines[3].endswith("…")


def test_a_pipe_is_told_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = shown(monkeypatch, answer(LONG), None)
    assert line.endswith("word end")


@pytest.mark.parametrize("width", [60, None])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\x1b[2Jb\x07", r"a\x1b[2Jb\x07"),
        ("two\nlines\u2028", r"two\nlines\u2028"),
        ("\u202eevil", r"\u202eevil"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u200c\u0631\u0648\u0645"),
    ],
    ids=ascii,
)
def test_nothing_in_a_line_leaves_it(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str, width: int | None
) -> None:
    (line,) = shown(monkeypatch, answer(text), width)
    assert line == f"/v/a.mp4  00:01.0–00:02.5  0.90  {said}"


def test_wide_letters_take_two_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = shown(monkeypatch, answer("\u4eca" * 100), 60)
    assert 58 <= columns(line) <= 60 and line.endswith("\u4eca…")
