"""What is said of a run once it is over."""

from __future__ import annotations

import dataclasses

import pytest

from tempo_edge._console.progress import Progress
from tempo_edge.indexing.report import IndexEvent, IndexReport


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


def test_of_a_file_that_is_verified_it_says_how_much_of_it_is_read() -> None:
    progress = Progress(quiet=False)
    half = IndexEvent("verifying", "/a.mp4", position=2, files=3, done_bytes=5, total_bytes=10)
    progress(half)
    assert progress._at == "verifying /a.mp4 50% (2 of 3)"
    progress(dataclasses.replace(half, done_bytes=0))
    assert progress._at == "verifying /a.mp4 (2 of 3)"


def test_verified_and_changed_files_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=False)
    progress(IndexEvent("changed", "/a.mp4", "it did"))
    progress(IndexEvent("verified", "/b.mp4"))
    progress.summary(IndexReport(indexed=1, unchanged=7, verified=7, changed=1))
    assert capsys.readouterr().err.splitlines() == [
        "changed /a.mp4: it did",
        "1 indexed, 7 unchanged, 7 verified, 1 changed",
    ]
