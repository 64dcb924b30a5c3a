"""`find --pictures`: the still of each moment, in terminals that show pictures and nowhere else."""

from __future__ import annotations

import base64
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from harness import Said, each_on_terminal
from numpy.typing import NDArray

from tempo_edge.media.instant import picture_at

pytest.importorskip("chafa")

Tempo = Callable[..., Said]

ALL = ("find", "stripes", "--min-confidence", "0", "-n", "2", "--no-service")

KITTY, ITERM, SIXEL = "\x1b_G", "\x1b]1337;File=", "\x1bP"


@pytest.fixture
def library_path(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / "library.db"))


def kittens(shown: str) -> list[NDArray[np.uint8]]:
    """The pictures ``[h, w, 3]`` that kitty would show."""
    found = []
    for begin in re.finditer(r"\x1b_Ga=T,f=32,s=(\d+),v=(\d+),[^;]*?\x1b\\", shown):
        width, height = int(begin[1]), int(begin[2])
        parts = re.compile(r"\x1b_Gm=1;([^\x1b]*)\x1b\\|\x1b_Gm=0").finditer(shown, begin.end())
        pixels = b""
        for part in parts:
            if part[1] is None:
                break
            pixels += base64.b64decode(part[1])
        found.append(np.frombuffer(pixels, np.uint8).reshape(height, width, 4)[..., :3])
    return found


def test_a_terminal_is_told_in_its_own_way(library_path: Path, environment: dict[str, str]) -> None:
    asked = (*ALL, "--library", str(library_path))
    iterm = {"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2", "TERM_PROGRAM": "iTerm.app"}
    choices: list[tuple[dict[str, str], tuple[str, ...]]] = [
        ({"TERM": "xterm-kitty"}, asked),
        (iterm, asked),
        ({"TERM": "foot"}, asked),
        ({"TERM": "xterm"}, asked),
        ({"TERM": "xterm-kitty"}, (*asked, "--pictures", "none")),
        ({"TERM": "xterm"}, (*asked, "--pictures", "sixel")),
        ({"TERM": "xterm-kitty"}, (*asked, "--json")),
    ]
    told = each_on_terminal(choices, environment)
    assert [status for status, _ in told] == [0] * len(choices)
    counts = [tuple(shown.count(way) for way in (ITERM, SIXEL)) for _, shown in told]
    assert counts == [(0, 0), (2, 0), (0, 2), (0, 0), (0, 0), (0, 2), (0, 0)]
    assert [len(kittens(shown)) for _, shown in told] == [2, 0, 0, 0, 0, 0, 0]
    assert told[6][1].count("\x1b") == 0, "programs get no pictures"


def test_a_still_is_what_the_film_shows(library_path: Path, environment: dict[str, str]) -> None:
    asked = (*ALL, "--library", str(library_path))
    kitty = {"TERM": "xterm-kitty", "NO_COLOR": "1"}
    ((_, shown),) = each_on_terminal([(kitty, asked)], environment)
    lines = re.findall(r"^(/\S+) +([\d:.]+)–([\d:.]+) ", shown, re.MULTILINE)
    stills = kittens(shown)
    assert len(lines) == len(stills) == 2
    for (path, start, _), still in zip(lines, stills, strict=True):
        minutes, seconds = start.split(":")
        film = picture_at(Path(path), 60 * int(minutes) + float(seconds) + 0.05, 480)
        rows = np.linspace(0, len(film) - 1, still.shape[0]).round().astype(int)
        columns = np.linspace(0, film.shape[1] - 1, still.shape[1]).round().astype(int)
        there = film[rows][:, columns].astype(float)
        assert abs(there.mean((0, 1)) - still.mean((0, 1))).max() < 40
        assert abs(film.shape[1] / film.shape[0] - still.shape[1] / still.shape[0]) < 0.3


def test_a_pipe_gets_none(tempo: Tempo) -> None:
    said = tempo(*ALL, "--pictures", "kitty")
    assert said.status == 0 and "\x1b" not in said.out and said.err == ""


def test_what_is_no_way(tempo: Tempo) -> None:
    said = tempo(*ALL, "--pictures", "ascii")
    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "tempo-edge: error: --pictures 'ascii' must be one of auto, kitty, iterm, sixel, none\n"
    )


def test_what_draws_is_not_installed(tempo: Tempo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chafa", None)
    said = tempo(*ALL, "--pictures", "kitty")
    assert said.status == 2 and 'pip install ".[terminal]"' in said.err
    assert tempo(*ALL).status == 0
