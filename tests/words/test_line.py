"""A line checks itself."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tempo_edge.words.line import KINDS, MOST_LETTERS, Line, LineError

GOOD = {"start_seconds": 1.0, "end_seconds": 2.0, "kind": "subtitle", "text": "a word"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"start_seconds": -0.1}, "span"),
        ({"end_seconds": 1.0}, "span"),
        ({"end_seconds": math.inf}, "span"),
        ({"start_seconds": math.nan}, "span"),
        ({"kind": "sung"}, "kind 'sung' must be one of subtitle, speech, screen, chapter, name"),
        ({"text": ""}, "text of 0 letters"),
        ({"text": "x" * (MOST_LETTERS + 1)}, f"1 to {MOST_LETTERS}"),
        ({"confidence": 1.5}, "confidence 1.5"),
        ({"confidence": math.nan}, "confidence"),
    ],
)
def test_a_value_that_no_line_has_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(LineError, match=said):
        Line(**{**GOOD, **wrong})


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_five_kinds(kind: str) -> None:
    assert Line(0.0, 1.0, kind, "x").confidence == 1.0
