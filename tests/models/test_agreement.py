"""What a provider gives, held against what the CPU gives, and what is remembered of it."""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tempo_edge.models.agreement import TOLERANCE, ComparedSession, Verdict, difference

VECTOR = np.eye(4, dtype=np.float32)[:1]


@dataclass
class Answering:
    """A session that gives always the same, by a counter of its runs."""

    given: NDArray[np.float32] | Exception
    runs: list[Any] = field(default_factory=list)
    providers: tuple[str, ...] = ("CPUExecutionProvider",)

    def run(self, outputs: Any, inputs: Any, options: Any = None) -> list[Any]:
        self.runs.append((outputs, inputs, options))
        if isinstance(self.given, Exception):
            raise self.given
        return [self.given]

    def get_providers(self) -> list[str]:
        return list(self.providers)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "text.onnx"
    path.write_bytes(b"a model")
    return path


def verdict(model: Path, version: str = "1.8.1", device: str = "GPU Arc") -> Verdict:
    return Verdict.of("WebGpuExecutionProvider", version, device, "1.32.0", model)


Compare = Callable[..., tuple[ComparedSession, Answering, Answering]]


@pytest.fixture
def compare(model: Path) -> Compare:
    def made(given: Any) -> tuple[ComparedSession, Answering, Answering]:
        plugged, on_cpu = Answering(given, providers=("Web", "CPU")), Answering(VECTOR)
        return ComparedSession(plugged, lambda: on_cpu, verdict(model)), plugged, on_cpu

    return made


@pytest.mark.parametrize(
    ("found", "wanted", "far"),
    [
        ([], [], 0.0),
        ([[0.5, 0.25]], [[0.5, 0.5]], 0.25),
        ([[0.5], [0.5]], [[0.5], [0.375]], 0.125),
        ([[100.0, 8.0]], [[100.0, 10.0]], 0.02),
        ([[3, 4]], [[3, 4]], 0.0),
        ([[]], [[]], 0.0),
        ([[0.5]], [[0.5, 0.5]], float("inf")),
        ([[float("nan")]], [[0.5]], float("inf")),
        ([[float("inf")]], [[0.5]], float("inf")),
    ],
)
def test_how_far_outputs_are_apart(found: Any, wanted: Any, far: float) -> None:
    arrays = [[np.asarray(each, np.float32) for each in outputs] for outputs in (found, wanted)]
    assert difference(*arrays) == pytest.approx(far)


def test_what_agrees_is_compared_once(compare: Compare, model: Path) -> None:
    near = VECTOR + np.float32(TOLERANCE / 2)
    session, plugged, on_cpu = compare(near)
    assert session.run(["vectors"], {"x": 1}, "options") == [near]
    assert plugged.runs == on_cpu.runs == [(["vectors"], {"x": 1}, "options")]
    assert session.run(None, {"x": 2}) == [near]
    assert (len(plugged.runs), len(on_cpu.runs)) == (2, 1)
    assert session.get_providers() == ["Web", "CPU"]
    again, plugged, on_cpu = compare(near)
    assert again.run(None, {}) == [near]
    assert on_cpu.runs == [], "that is remembered"


def test_what_differs_is_left_for_the_cpu(compare: Compare, model: Path) -> None:
    session, plugged, on_cpu = compare(VECTOR + np.float32(0.01))
    told = (
        "^text.onnx runs without WebGpuExecutionProvider: its numbers differ from the CPU's by "
        "1.0e-02, and at most 5e-03 is allowed$"
    )
    with pytest.warns(RuntimeWarning, match=told):
        assert session.run(None, {}) == [VECTOR], "the very first answer is right already"
    assert session.run(None, {}) == [VECTOR]
    assert (len(plugged.runs), len(on_cpu.runs)) == (1, 2)
    assert session.get_providers() == ["CPUExecutionProvider"]
    far = verdict(model).read()
    assert far is not None and far > TOLERANCE


def test_what_fails_at_once_is_left_for_the_cpu(compare: Compare, model: Path) -> None:
    session, _, _ = compare(RuntimeError("no\nmemory"))
    with pytest.warns(RuntimeWarning, match="^text.onnx runs without Web.*: no memory$"):
        assert session.run(None, {}) == [VECTOR]
    assert verdict(model).read() is None, "the next process tries again"


def test_what_fails_later_is_left_for_the_cpu(compare: Compare) -> None:
    session, plugged, _ = compare(VECTOR)
    session.run(None, {})
    plugged.given = RuntimeError("device lost")
    with pytest.warns(RuntimeWarning, match=": device lost$"):
        assert session.run(None, {}) == [VECTOR]
    assert session.run(None, {}) == [VECTOR]
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_what_the_cpu_cannot_run_either_is_an_error(compare: Compare) -> None:
    session, plugged, on_cpu = compare(VECTOR)
    on_cpu.given = ValueError("no such input")
    with pytest.raises(ValueError, match="no such input"):
        session.run(None, {})
    on_cpu.given = VECTOR
    assert session.run(None, {}) == [VECTOR], "and nothing is settled by it"
    plugged.given = on_cpu.given = ValueError("no such output")
    with pytest.warns(RuntimeWarning), pytest.raises(ValueError, match="no such output"):
        session.run(["nonesuch"], {})
    with pytest.raises(ValueError, match="no such output"), warnings.catch_warnings():
        warnings.simplefilter("error")
        session.run(["nonesuch"], {})


def test_threads_that_begin_together_compare_once(compare: Compare) -> None:
    session, plugged, on_cpu = compare(VECTOR)
    together = threading.Barrier(4)

    def ask() -> None:
        together.wait()
        session.run(None, {})

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(plugged.runs), len(on_cpu.runs)) == (4, 1)


def test_a_verdict_is_one_on_what_was_compared(model: Path) -> None:
    verdict(model).keep(1e-6)
    assert verdict(model).read() == 1e-6
    assert verdict(model, version="1.9").read() is None
    assert verdict(model, device="GPU Iris").read() is None
    model.with_name("text.onnx.data").write_bytes(b"weights")
    assert verdict(model).read() is None
    verdict(model).keep(2e-6)
    model.write_bytes(b"another")
    os.utime(model, ns=(1, 1))
    assert verdict(model).read() is None


def test_an_older_verdict_makes_room(model: Path, tmp_path: Path) -> None:
    other = model.with_name("image.onnx")
    other.write_bytes(b"another")
    verdict(other).keep(1.0)
    verdict(model, version="1.8").keep(1.0)
    verdict(model, version="1.9").keep(2.0)
    kept = json.loads((tmp_path / "cache" / "tempo-edge" / "providers.json").read_text())
    told = [(Path(each["model"]).name, each["version"]) for each in kept.values()]
    assert told == [("image.onnx", "1.8.1"), ("text.onnx", "1.9")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"KEY": 1}', '{"KEY": {"difference": "x"}}'])
def test_what_is_no_memory_is_none(model: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "cache" / "tempo-edge" / "providers.json"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("KEY", verdict(model).key))
    assert verdict(model).read() is None
    verdict(model).keep(0.5)
    assert verdict(model).read() == 0.5


def test_without_a_place_for_it_nothing_is_remembered(model: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    verdict(model).keep(0.5)
    assert verdict(model).read() is None


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nonesuch"):
        verdict(tmp_path / "nonesuch.onnx")
