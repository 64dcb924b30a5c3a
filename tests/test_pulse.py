"""Long work says every half minute what it is at, where no terminal shows a bar."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said, wait_until

from tempo_edge._console import pulse as module
from tempo_edge._console.progress import Progress
from tempo_edge._console.pulse import Pulse, narrated
from tempo_edge.errors import TempoEdgeError
from tempo_edge.indexing.report import IndexEvent


@pytest.fixture(autouse=True)
def _half_a_minute_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.02)


def beat(times: int = 4) -> None:
    """Wait for some half-minutes to pass."""
    beats: list[str] = []
    with Pulse(lambda: "x", beats.append):
        wait_until(lambda: len(beats) >= times)


def test_it_speaks_as_long_as_there_is_something_to_say() -> None:
    lines: list[str] = []
    at = "reading"
    with Pulse(lambda: at, lines.append):
        wait_until(lambda: len(lines) >= 3)
        at = ""
        beat()
    assert set(lines) == {"reading"}


def test_it_is_silent_for_half_a_minute_after_anything_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 3600.0)
    lines: list[str] = []
    with Pulse(lambda: "reading", lines.append) as pulse:
        pulse.spoke()
    assert lines == []


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Pulse(lambda: "reading", lambda line: None) as pulse:
        assert pulse._thread is None


def test_narrated_work_repeats_its_last_line() -> None:
    lines: list[str] = []
    with narrated(lines.append) as say:
        wait_until(lambda: "still at work after 0:00:00" in lines)
        say("step 1")
        wait_until(lambda: "still at work after 0:00:00: step 1" in lines)
    assert lines.count("step 1") == 1


def told(progress: Progress, capsys: pytest.CaptureFixture[str], *kinds: str) -> Callable[[], str]:
    """What is on stderr after events of some kinds, each time it is asked for."""
    said: list[str] = []
    for kind in kinds:
        progress(IndexEvent(kind, "/films/a\n.mp4", "", 30.0, 120.0, 2, 3))

    def so_far() -> str:
        said.append(capsys.readouterr().err)
        return "".join(said)

    return so_far


def test_indexing_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=False) as progress:
        said = told(progress, capsys)
        wait_until(lambda: "looking for videos\n" in said())
        said = told(progress, capsys, "started", "progress")
        wait_until(lambda: "reading /films/a\\n.mp4 25% (2 of 3)\n" in said())


def test_watching_says_nothing_while_nothing_is_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=False, lines=True) as progress:
        said = told(progress, capsys, "progress")
        wait_until(lambda: "reading /films/a\\n.mp4 25% (2 of 3)\n" in said())
        said = told(progress, capsys, "indexed")
        said()
        beat()
        assert "reading" not in said().partition("indexed")[2]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as progress:
        told(progress, capsys, "started")
        beat()
    assert capsys.readouterr().err == ""


def test_index_says_so_by_itself(tempo: Callable[..., Said], long_film: Path) -> None:
    said = tempo("index", long_film)
    assert f"reading {long_film}" in said.err, said.err


def test_a_pull_says_how_much_has_come(
    tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def slow(source: Path, target: Path) -> None:
        beat()
        raise OSError("enough")

    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"{}")
    monkeypatch.setattr("shutil.copyfile", slow)
    said = tempo("models", "pull", "qwen3-vl-2b-instruct", "--from", tmp_path)
    assert "pulling qwen3-vl-2b-instruct: 0.0 of 4.3 GB\n" in said.err
    said = tempo("models", "pull", "qwen3-vl-2b-instruct", "--from", tmp_path, "--quiet")
    assert " of 4.3 GB\n" not in said.err


def test_an_export_says_what_it_is_at(
    tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tempo_export import pipeline

    def slow(request: object, progress: Callable[[str], None]) -> None:
        progress("calibrating")
        beat()
        raise TempoEdgeError("enough")

    monkeypatch.setattr(pipeline, "export", slow)
    assert "still at work after 0:00:00: calibrating\n" in tempo("export", "nano").err


def test_training_says_what_it_is_at(
    tempo: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tempo_edge.train.grounder import training

    def slow(*_: object, say: Callable[[str], None], **__: object) -> None:
        say("sft step 1/600")
        beat()
        raise TempoEdgeError("enough")

    monkeypatch.setattr(training, "sft", slow)
    folders = ("--data", tmp_path, "--work", tmp_path, "--out", tmp_path)
    said = tempo("train", "sft", *folders, "--threads", "1")
    assert "still at work after 0:00:00: [00:00] sft step 1/600\n" in said.err
