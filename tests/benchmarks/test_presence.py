"""The table of what tells present questions from absent ones."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")


from benchmarks.presence import table
from tempo_edge.train.grounder.held_out_windows import told_apart

KINDS = np.array(["present", "present", "swap", "lookalike", "easy"])


def test_present_questions_are_held_against_absent_ones_of_each_kind() -> None:
    scores = np.array([3.0, 1.0, 2.0, 0.0, -1.0])
    assert told_apart(scores, KINDS, ("swap",)) == 50.0
    assert told_apart(scores, KINDS, ("lookalike", "easy")) == 100.0
    scores[1] = np.nan  # nothing is known of it: it does not count
    assert told_apart(scores, KINDS, ("swap",)) == 100.0


def test_a_row_tells_seeing_and_blind() -> None:
    seen, blind = np.array([3.0, 1.0, 2.0, 0.0, -1.0]), np.zeros(5)
    assert table({"height": (seen, blind)}, KINDS) == [
        "| evidence | hard | blind | easy | blind | lookalike | blind | swap | blind |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        "| height | 75.0 | 50.0 | 100.0 | 50.0 | 100.0 | 50.0 | 50.0 | 50.0 |",
    ]
