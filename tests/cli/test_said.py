"""What `find --said` and `index --words` do and say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said
from subtitled import srt

from tempo_edge import player

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
    line = re.escape(f"{spoken / 'beach.mp4'}  00:00.5–00:01.5  ")
    line += r"\d\.\d\d  I'm so sorry about the dog\.\n"
    for words in (["--said", "sorry", "dog"], ["--said", '"SO sorry"'], ["sorry about the dog"]):
        said = tempo("find", *words)
        assert said.status == 0 and re.match(line, said.out), said


def test_as_json_and_as_paths(tempo: Tempo, spoken: Path) -> None:
    told = json.loads(tempo("find", "--said", "--json", "sorry").out)
    span = told["start_seconds"], told["end_seconds"]
    assert (told["path"], *span) == (str(spoken / "beach.mp4"), 0.5, 1.5)
    assert told["found_by"] == ["subtitle"]
    assert told["text"] == "I'm so sorry about the dog."
    assert tempo("find", "--said", "-0", "dog").out == f"{spoken / 'beach.mp4'}\0"


def test_it_is_played_from_half_a_second_before(
    tempo: Tempo, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [(0.2, 0.8, "good morning"), (1.2, 1.9, "I'm so sorry")]
    (footage / "beach.srt").write_text(srt(said), encoding="utf-8")
    tempo("index", "-q", footage)
    given: list[str] = []

    def caught(command: list[str], *, stdin: int, **how: object) -> None:
        given.extend(each for each in command if each.startswith("--start"))
        if stdin >= 0:
            with os.fdopen(os.dup(stdin), "rb") as listed:
                given.extend(re.findall(r"start=[\d.]+,length=[\d.]+", str(listed.read())))

    with monkeypatch.context() as patch:
        patch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
        patch.setattr(player.subprocess, "Popen", caught)  # type: ignore[attr-defined]
        for asked in ("so sorry", "good morning"):
            assert tempo("find", "--said", "--play", asked).status == 0
            assert tempo("find", "--said", "--play-all", asked).status == 0
    assert given == [
        *("--start=0.700", "start=0.700000,length=1.200000"),
        *("--start=0.000", "start=0.000000,length=0.800000"),
    ]


def test_each_kind_by_itself_and_a_name_last(tempo: Tempo, spoken: Path) -> None:
    def found(*words: str) -> list[list[str]]:
        out = tempo("find", "--json", "--min-confidence", "0", *words).out
        return [json.loads(row)["found_by"] for row in out.splitlines()]

    assert set(map(tuple, found("--seen", "the dog"))) == {("picture",)}
    assert found("--shown", "the dog") == []
    both = found("--said", "--seen", "sorry about the dog")
    assert both[0][0] == "subtitle"
    assert {kind for each in both for kind in each} == {"subtitle", "picture"}
    assert any("name" in each for each in found("beach"))


def test_nothing_matches(tempo: Tempo, spoken: Path) -> None:
    def is_nothing(*words: object) -> bool:
        said = tempo("find", "--said", *words)
        return (said.status, said.out) == (1, "") and said.err.startswith("nothing matches\n")

    assert is_nothing("a horse")
    assert is_nothing('"sorry so"')
    assert is_nothing("garden"), "a name is not said"
    assert is_nothing("dog", "--in", spoken / "garden.mp4")


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
    assert said.error == "words 'sung' must be one of subtitles, speech, screen, all, none"


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
