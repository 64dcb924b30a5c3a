"""A proof goes on whatever its parts do, and is told the same way everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said

from benchmarks import gpu
from tempo_edge.proof import Figure, Proof, Row, process, prove, proving
from tempo_edge.proof.machine import placeless
from tempo_edge.proof.part import FAILED, NOT_RUN, PASSED
from tempo_edge.proof.telling import lines, markdown

Tempo = Callable[..., Said]

NAMES = ("raising", "dying", "hanging", "absent", "silent", "fine")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Parts that go wrong, which the processes of a proof find."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    return {name: f"proof_parts:{name.title()}" for name in NAMES}


def test_no_part_ends_the_others(made: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    del made["hanging"]
    monkeypatch.setattr(process, "_LEAST_SECONDS", 1e4)
    proof = prove(made, said.append, scale=3.0, most_seconds=1e4)
    told = [(row.part, row.what, row.result, row.why) for row in proof.rows]
    assert told == [
        ("raising", "the first", PASSED, ""),
        ("raising", "one", FAILED, "RuntimeError: no room in down.bin, says the driver"),
        ("dying", "the first", PASSED, ""),
        ("dying", "one", FAILED, "was ended by SIGKILL"),
        ("absent", "one", NOT_RUN, "there is no card"),
        ("silent", "one", FAILED, "told nothing"),
        ("fine", "one", PASSED, ""),
    ]
    assert proof.rows[-1].figures == (Figure("told", 7.0), Figure("s", 3.0))
    assert proof.rows[-1].cut_short == "1 of 2"
    assert not proof.ok
    assert said[0] == "1 of 5: raising, one against another"
    assert "  failed  one against another: was ended by SIGKILL" in said
    assert said[-1] == "  passed  one against another: cut short: 1 of 2"


def test_one_that_hangs_is_ended(made: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_LEAST_SECONDS", 1.0)
    hanging = {"hanging": made["hanging"]}
    (row,) = prove(hanging, scale=0.1, most_seconds=1e4).rows
    assert (row.result, row.why) == (FAILED, "had not ended after 1 s, and was ended")


def test_where_time_runs_out_it_is_no_failure(
    made: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {name: made[name] for name in ("hanging", "fine")}
    proof = prove(parts, most_seconds=1.6)
    assert [row.result for row in proof.rows] == [NOT_RUN] * 2
    assert proof.rows[0].why.endswith("and was ended: the proof has no more time")
    assert proof.rows[1].why == "the 2 s of a proof were over"
    assert proof.ok


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no /home/anna/a/c.so here", "no c.so here"),
        ("'/tmp/x/clip.mp4' is\n none", "'clip.mp4' is none"),
        (r"C:\Users\anna\model.onnx lacks it", "model.onnx lacks it"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("5 images/s, 3 of 4", "5 images/s, 3 of 4"),
    ],
)
def test_places_are_left_out(text: str, shown: str) -> None:
    assert placeless(text) == shown


MADE_UP = Proof(
    {
        "cpu": "16-core x86_64 CPU",
        "gpu": "NVIDIA Made Up, compute capability 9.0, driver 580.1, CUDA 13.0",
        "system": "Linux x86_64",
        "python": "3.12.1",
        "date": "2026-11-30",
        "tempo-edge": "0.1.0",
    },
    (
        Row("a kernel", "NumPy", PASSED, "", (Figure("cases", 64),), "", "kernels", 1.25),
        Row(
            *("vectors", "the CPU", FAILED, "a cosine is 0.5 | wanted 0.99"),
            (Figure("lowest", 0.5), Figure("a batch", 1234.56, "ms"), Figure("near", 0.01234, "s")),
            *("2 of 8", "provider", 20.0),
        ),
        Row("FAISS", "the CPU", NOT_RUN, "it is built for the CPU", (), "", "faiss", 0.04),
    ),
    61.6,
)

TABLE = """\
2026-11-30, 16-core x86_64 CPU, NVIDIA Made Up, compute capability 9.0, driver 580.1, CUDA 13.0, \
system Linux x86_64, python 3.12.1, tempo-edge 0.1.0. 62 s in all.

| part | what | held against | result | figures | took |
|---|---|---|---|---|---:|
| kernels | a kernel | NumPy | passed | cases 64 | 1.2 s |
| provider | vectors | the CPU | **failed**: a cosine is 0.5 \\| wanted 0.99; cut short: 2 of 8 | \
lowest 0.5, a batch 1235 ms, near 0.0123 s | 20.0 s |
| faiss | FAISS | the CPU | not run: it is built for the CPU |  | 0.0 s |
"""


def test_the_table_is_markdown() -> None:
    assert markdown(MADE_UP) == TABLE


def test_lines_are_for_people() -> None:
    *told, machine, verdict = lines(MADE_UP).splitlines()
    assert told == [
        "passed   kernels   a kernel against NumPy: cases 64",
        "FAILED   provider  vectors against the CPU: a cosine is 0.5 | wanted 0.99; lowest 0.5, "
        "a batch 1235 ms, near 0.0123 s; cut short: 2 of 8",
        "not run  faiss     FAISS against the CPU: it is built for the CPU",
    ]
    assert machine.startswith("2026-11-30, 16-core x86_64 CPU, NVIDIA Made Up")
    assert verdict == "1 passed, 1 failed, 1 not run, in 62 s"


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that was made up before."""
    monkeypatch.setattr(proving, "prove", lambda *parts, **options: MADE_UP)


@pytest.mark.usefixtures("proven")
def test_the_command_tells_it_in_each_form(tempo: Tempo, tmp_path: Path) -> None:
    said = tempo("doctor", "--prove", "--markdown", "--out", tmp_path / "proof.json")
    assert (said.status, said.out) == (1, TABLE)
    assert json.loads((tmp_path / "proof.json").read_text("utf-8")) == MADE_UP.as_dict()
    assert json.loads(tempo("doctor", "--prove", "--json").out) == MADE_UP.as_dict()
    assert tempo("doctor", "--prove").out == lines(MADE_UP)


def test_without_a_failure_the_status_is_none(
    tempo: Tempo, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Proof(MADE_UP.machine, (MADE_UP.rows[0], MADE_UP.rows[2]), 1.0)
    monkeypatch.setattr(proving, "prove", lambda *parts, **options: good)
    assert tempo("doctor", "--prove").status == 0


@pytest.mark.usefixtures("proven")
@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--markdown"], "--markdown is for --prove: add that"),
        (["--out", "x.json"], "--out is for --prove: add that"),
        (["--prove", "--json", "--markdown"], "--json and --markdown exclude each other"),
        (["--prove", "--out", "nowhere/x.json"], "nowhere is no folder: --out must be a file"),
    ],
)
def test_options_that_do_not_go_together(tempo: Tempo, options: list[str], error: str) -> None:
    said = tempo("doctor", *options)
    assert said.status == 2 and error in said.err


def test_the_benchmark_runs_the_parts_that_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def made_up(parts: dict[str, str], *rest: object, **options: object) -> Proof:
        asked.extend(parts)
        return MADE_UP

    monkeypatch.setattr(gpu, "prove", made_up)
    status = gpu.main(["--part", "faiss-gpu", "--part", "clip", "--json", str(tmp_path / "a.json")])
    assert status == 1 and asked == ["clip", "faiss-gpu"]
    assert capsys.readouterr().out.endswith(TABLE)
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == MADE_UP.as_dict()
