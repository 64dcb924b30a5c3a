"""What a busy machine does to the tests: it makes them slower, and nothing else."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from videos import make_video

from benchmarks._pairs import pairs, write

FOLDER = Path(__file__).parent


def test_examples_may_take_their_time() -> None:
    @settings(max_examples=5)
    @given(st.integers())
    def held(number: int) -> None:
        assert isinstance(number, int)

    for chosen in (settings(), settings(max_examples=5), held._hypothesis_internal_use_settings):  # type: ignore[attr-defined]
        assert chosen.deadline is None
        assert HealthCheck.too_slow in chosen.suppress_health_check


@pytest.mark.skipif("libsvtav1" not in av.codecs_available, reason="this FFmpeg encodes no AV1")
def test_who_encodes_takes_no_more_of_the_machine_than_before(tmp_path: Path) -> None:
    """Root could: all that is started later would be stopped by it."""
    before = os.sched_getscheduler(0)
    make_video(tmp_path / "a.mp4", size=(192, 108), codec="libsvtav1", options={"preset": "12"})
    assert os.sched_getscheduler(0) == before
    names = {(each.muxer, each.encoder): each for each in pairs("plain")}
    assert write(names["mp4", "libsvtav1"], tmp_path) is not None
    assert os.sched_getscheduler(0) == before


def test_one_place_says_so() -> None:
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path.name != "conftest.py":
                assert not any(word.arg == "deadline" for word in node.keywords), path
