"""What is said of a run once it is over."""

from __future__ import annotations

import dataclasses

import pytest

from tempo_edge._console.progress import Progress
from tempo_edge.indexing.indexer import IndexReport


@pytest.mark.parametrize(
    ("elapsed", "pace"), [(1.54, "in 1.5 s"), (19.9, "in 19.9 s"), (60.0, "at 63x real time")]
)
def test_a_rate_is_told_only_of_a_run_that_has_one(
    capsys: pytest.CaptureFixture[str], elapsed: float, pace: str
) -> None:
    """Of a few clips most of the time is start-up: what they give is no figure to go by."""
    report = dataclasses.replace(
        IndexReport(), indexed=3, footage_seconds=3780.0, elapsed_seconds=elapsed
    )
    Progress(quiet=False).summary(report)
    assert capsys.readouterr().err == f"3 indexed (1:03:00 of footage {pace})\n"
