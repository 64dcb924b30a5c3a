"""What `find --said` and `index --words` do and say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from subtitled import srt

Tempo = Callable[..., Said]

SAID = [(0.5, 1.5, "I'm so sorry about the dog."), (61.0, 62.0, "too late")]


@pytest.fixture
def spoken(tempo: Tempo, footage: Path) -> Path:
    """The footage, indexed, with something said in beach.mp4."""
    (footage / "beach.en.srt").write_text(srt(SAID), encoding="utf-8")
    said = tempo("index", "-q", footage)
    path = footage / "beach.mp4"
    remark = f"remark on {path}: beach.en.srt: 1 of 2 lines lie outside the film\n"
    assert (said.status, said.err) == (0, remark)
    return footage


def test_a_line_with_its_file_and_its_span(tempo: Tempo, spoken: Path) -> None:
    line = f"{spoken / 'beach.mp4'}  00:00.5–00:01.5  I'm so sorry about the dog.\n"
    assert tempo("find", "--said", "sorry", "dog") == Said(0, line, "")
    assert tempo("find", "--said", '"SO sorry"') == Said(0, line, "")


def test_as_json_and_as_paths(tempo: Tempo, spoken: Path) -> None:
    assert json.loads(tempo("find", "--said", "--json", "sorry").out) == {
        "path": str(spoken / "beach.mp4"),
        "start_seconds": 0.5,
        "end_seconds": 1.5,
        "kind": "subtitle",
        "text": "I'm so sorry about the dog.",
        "language": "en",
        "source": "beach.en.srt",
        "share": 1.0,
        "offline": False,
    }
    assert tempo("find", "--said", "-0", "dog").out == f"{spoken / 'beach.mp4'}\0"


def test_nothing_matches(tempo: Tempo, spoken: Path) -> None:
    nothing = Said(1, "", "nothing matches\n")
    assert tempo("find", "--said", "a horse") == nothing
    assert tempo("find", "--said", '"sorry so"') == nothing
    assert tempo("find", "--said", "garden") == nothing, "a name is not said"
    assert tempo("find", "--said", "dog", "--in", spoken / "garden.mp4") == nothing


@pytest.mark.parametrize(
    "option",
    [
        *(["--refine"], ["--parts"], ["--play"], ["--play-all"], ["--explain", "a.html"]),
        *(["--clip", "clips"], ["--export", "edl"], ["--grounder", "curve"]),
        *(["--min-confidence", "0"], ["--profile", "nano"]),
    ],
)
def test_what_is_for_pictures_is_refused(tempo: Tempo, spoken: Path, option: list[str]) -> None:
    said = tempo("find", "--said", "dog", *option)
    assert said.error == f"--said and {option[0]} exclude each other: choose one"


def test_words_are_left_out_and_read_later(tempo: Tempo, footage: Path) -> None:
    (footage / "beach.srt").write_text(srt(SAID[:1]), encoding="utf-8")
    tempo("index", "-q", "--words", "none", footage)
    assert tempo("find", "--said", "sorry").status == 1
    assert "\nwords " not in tempo("status").out
    said = tempo("index", footage)
    assert said.err == "0 indexed, 3 with new words, 3 unchanged\n"
    assert tempo("index", footage).err == "0 indexed, 3 unchanged\n"
    assert tempo("find", "--said", "sorry").status == 0
    assert "\nwords     1 line of subtitles, 9 names\n" in tempo("status").out


def test_words_that_there_are_none_of(tempo: Tempo, footage: Path) -> None:
    said = tempo("index", "--words", "sung", footage)
    assert said.error == "words 'sung' must be one of subtitles, none"


def test_what_is_broken_is_a_remark(tempo: Tempo, footage: Path) -> None:
    (footage / "garden.srt").write_text("\x1b[31mred", encoding="utf-8")
    said = tempo("index", "-q", footage)
    remark = f"{footage / 'garden.mp4'}: garden.srt: holds no line with a time\n"
    assert said.err == f"remark on {remark}"
    assert f"remark    {remark}" in tempo("status").out
    facts = json.loads(tempo("status", "--json", footage / "garden.mp4").out)
    assert [each["remark"] for each in facts["remarks"]] == [
        "garden.srt: holds no line with a time"
    ]
    assert json.loads(tempo("status", "--json", footage / "beach.mp4").out)["remarks"] == []
