"""The parts of a proof that a machine without a card has, run for real with little time."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray
from tempo_kernels import conformance, native

from tempo_edge.media import DecodeRange, hardware
from tempo_edge.media._frame import PyAVFrame
from tempo_edge.media.hardware import HardwareVideo
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.proof import PARTS, SCHEMA, Proof, decoding, indexing, process, prove
from tempo_edge.proof.kernels import conforming, examined
from tempo_edge.proof.machine import has_card
from tempo_edge.proof.part import FAILED, NOT_RUN, PASSED, Budget, Row
from tempo_edge.sample_clips import RATE, draw_clip, drawn_luma

# No time that any machine would take.
LONG = 1e4

TRIED = (
    *("clip", "kernels-cpu", "kernels-simulator", "kernels-cuda", "decoder-cpu", "decoder-nvdec"),
    "surfaces",
    *("provider-cpu", "provider-cuda", "faiss-gpu", "provider-tensorrt-rtx", "engines"),
)

SIZE = (160, 96)


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    """A twentieth of each budget; however slow the machine is, no part is taken to hang."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_LEAST_SECONDS", LONG)
        for name in ("HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp("home")))
        parts = {name: PARTS[name] for name in TRIED}
        yield prove(parts, scale=0.05, most_seconds=LONG)


def rows(proof: Proof, part: str) -> list[Row]:
    return [row for row in proof.rows if row.part == part]


def test_every_part_tells_at_least_a_row_and_none_fails(proof: Proof) -> None:
    assert {row.part for row in proof.rows} == set(TRIED)
    assert [row for row in proof.rows if row.result == FAILED] == []
    assert proof.ok and proof.seconds > 0


@pytest.mark.parametrize("part", ["clip", "kernels-simulator", "decoder-cpu", "provider-cpu"])
def test_what_needs_no_card_is_proven(proof: Proof, part: str) -> None:
    found = rows(proof, part)
    assert [row.result for row in found] == [PASSED] * (3 if part == "provider-cpu" else 1)
    assert all(row.figures for row in found)


def test_kernels_are_held_against_the_definition_and_the_copy(proof: Proof) -> None:
    found = {row.what: row for row in rows(proof, "kernels-cpu")}
    assert found["kernel lanes"].result == found["kernel numba-cpu"].result == PASSED
    speed = found["bytes a second at 1080p, one core"]
    figures = [figure.name for figure in speed.figures]
    assert figures[:2] == ["copy", "that is"] and {"lanes", "numba-cpu"} <= set(figures)


def test_what_is_cut_short_says_how_far_it_came(proof: Proof) -> None:
    (clip,), (decoded,) = rows(proof, "clip"), rows(proof, "decoder-cpu")
    drawn = next(figure.value for figure in clip.figures if figure.name == "pictures")
    assert bool(clip.cut_short) == (drawn < 240)
    told = {figure.name: figure.value for figure in decoded.figures}
    assert told["times exact"] == told["pictures"]
    assert bool(decoded.cut_short) == (told["pictures"] < drawn)


@pytest.mark.skipif(has_card(), reason="there is a card")
@pytest.mark.parametrize(
    "part", ["surfaces", *(name for name in TRIED if "cuda" in name or "nvdec" in name)]
)
def test_what_needs_a_card_says_why_it_is_not_run(proof: Proof, part: str) -> None:
    found = rows(proof, part)
    assert {row.result for row in found} == {NOT_RUN}
    assert all(row.why and not row.figures for row in found)


def test_its_json_is_what_the_schema_says_and_names_no_place(proof: Proof, tmp_path: Path) -> None:
    facts = json.loads(json.dumps(proof.as_dict()))
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(facts)
    text = json.dumps(facts)
    for place in (str(Path.home()), str(Path(__file__).parents[2]), "/tmp/", platform.node()):
        assert place not in text
    wrong = {**facts["rows"][0], "result": "passed", "why": "it is not"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**facts, "rows": [wrong]})


def test_a_wrong_kernel_is_seen() -> None:
    right = conformance.kernel("numpy")

    def wrong(
        pictures: NDArray[np.unsignedinteger],
        block: int,
        sums: NDArray[np.int64],
        thumbnails: NDArray[np.unsignedinteger],
    ) -> None:
        right(pictures, block, sums, thumbnails)
        if sums.size:
            sums.flat[-1] += 1

    def careless(
        pictures: NDArray[np.unsignedinteger],
        block: int,
        sums: NDArray[np.int64],
        thumbnails: NDArray[np.unsignedinteger],
    ) -> None:
        right(pictures, block, sums, np.empty((len(pictures), 0, 0), pictures.dtype))

    cases = list(conformance.cases(8, 30))
    assert examined("it", right, iter(cases), Budget(LONG)).result == PASSED
    for kernel, told in ((wrong, "1 of "), (careless, "cells of thumbnail 0 are wrong")):
        row = examined("it", kernel, iter(cases), Budget(LONG))
        assert row.result == FAILED and told in row.why and "pictures of" in row.why


def test_a_kernel_that_can_not_be_loaded_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(kernel: str = "native") -> None:
        raise native.NativeError("/opt/k/libtempo_kernels.so has interface 0: build it again")

    monkeypatch.setattr(native, "load", load)
    row = conforming("native", conformance.cases(1, 9), Budget(LONG), 1.0)
    assert row.result == FAILED
    assert row.why == "NativeError: libtempo_kernels.so has interface 0: build it again"
    assert conforming("lanes", conformance.cases(1, 9), Budget(LONG), 1.0).result == PASSED


CARD = """
from tempo_edge.proof.cuda_kernels import _LAUNCH, _STACK_BYTES, shares
launches = {"numba-cuda": _LAUNCH["numba-cuda"]}
found = shares(24, 40, launches, 2000)
assert list(found) == ["copy", "numba-cuda"], found
print("timed")
"""


def test_what_times_a_card_runs_in_the_simulator() -> None:
    """Its times are made up there, and told to nobody."""
    done = subprocess.run(
        [sys.executable, "-c", CARD],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "timed", done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch folder whose clip has small pictures."""
    scratch = tmp_path_factory.mktemp("scratch")
    assert draw_clip(scratch / "clip.mp4", 120, SIZE) == 120
    return scratch


def test_a_decoder_that_is_wrong_is_seen(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = decoding.ProcessorDecoding()
    monkeypatch.setattr(decoding, "SIZE", SIZE)
    (row,) = part.run(Budget(LONG), small)
    assert row.result == PASSED and row.figures[0].value == 120
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "drawn_luma", lambda number, size: drawn_luma(number + 60, size))
        (row,) = part.run(Budget(LONG), small)
    assert row.result == FAILED and "255ths off" in row.why
    monkeypatch.setattr(decoding, "RATE", RATE + 1)
    (row,) = part.run(Budget(LONG), small)
    assert row.why == "119 of 120 times are wrong"


def test_nvdec_is_held_against_the_processor(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor plays the card, and then one that loses the end of a film."""

    class Played(HardwareVideo):
        is_on_device = True

        def check(self) -> None:
            pass

        def frames(self, run: DecodeRange) -> Iterator[PyAVFrame]:
            yield from list(PyAVVideo.frames(self, run))[: self.most]

        most = 120

    monkeypatch.setattr(decoding, "why_no_nvidia", str)
    monkeypatch.setattr(decoding, "offered", lambda: ["cuda"])
    monkeypatch.setattr(hardware, "faster_device", lambda: None)
    monkeypatch.setattr(decoding, "_NvdecVideo", Played)
    (row,) = decoding.NvdecDecoding().run(Budget(LONG), small)
    figures = {figure.name: figure.value for figure in row.figures}
    assert row.result == PASSED and figures["times exact"] == 120
    assert figures["furthest off"] == 0 and figures["compared"] == 30
    Played.most = 100
    (row,) = decoding.NvdecDecoding().run(Budget(LONG), small)
    assert row.why == "100 of 120 pictures were decoded"


def test_indexing_is_whole_runs_of_index(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_FIRST_SECONDS", 8.0)
    monkeypatch.setattr(indexing, "_MOST_SECONDS", 16.0)
    monkeypatch.setattr(indexing, "_chosen", lambda: ("cpu", "pyav"))
    cpu, chosen = indexing.Indexing().run(Budget(LONG), small)
    figures = {figure.name: figure.value for figure in cpu.figures}
    assert cpu.result == PASSED and figures["footage"] == pytest.approx(16.0, abs=0.1)
    assert figures["frames"] > 0 and figures["that is"] > 0
    assert (chosen.result, chosen.why) == (NOT_RUN, "the CPU is what this machine would choose")
    (slow,) = indexing.Indexing().run(Budget(0.001), small)
    assert slow.result == NOT_RUN and "was not indexed within" in slow.why
