"""What a busy machine does to the tests: it makes them slower, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parent


def test_examples_may_take_their_time() -> None:
    @settings(max_examples=5)
    @given(st.integers())
    def held(number: int) -> None:
        assert isinstance(number, int)

    for chosen in (settings(), settings(max_examples=5), held._hypothesis_internal_use_settings):  # type: ignore[attr-defined]
        assert chosen.deadline is None
        assert HealthCheck.too_slow in chosen.suppress_health_check


def test_one_place_says_so() -> None:
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and path.name != "conftest.py":
                assert not any(word.arg == "deadline" for word in node.keywords), path
