"""The campaign finds what it looks for, and the program stands a small one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.campaign.bundles import _by_hand
from benchmarks.campaign.files import break_files
from benchmarks.campaign.kills import kill_runs
from benchmarks.campaign.mutations import mutate
from benchmarks.campaign.outcome import Outcome, Run, tempo_edge
from benchmarks.campaign.seeds import FORMATS, write_seeds


@given(contents=st.binary(max_size=300), seed=st.integers(0, 1000))
def test_a_seed_always_breaks_a_file_the_same_way(contents: bytes, seed: int) -> None:
    first = mutate(contents, random.Random(seed))
    assert mutate(contents, random.Random(seed)) == first


def test_twenty_formats_and_more_can_be_written(tmp_path: Path) -> None:
    seeds = write_seeds(tmp_path)
    assert len({path.suffix for path in seeds}) >= 20
    assert all(path.stat().st_size > 100 for path in seeds)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Run(-9, "", "", 1.0, [], 10.0), "status -9"),
        (Run(0, "", "Traceback (most recent call last):\nE", 1.0, [], 10.0), "a traceback, E"),
        (Run(0, "", "", 1.0, [], 2000.0), "2000 MB"),
    ],
)
def test_what_should_not_be_is_a_problem(run: Run, said: str) -> None:
    outcome = Outcome("part")
    outcome.judge(run, "it")
    assert len(outcome.problems) == 1 and said in outcome.problems[0]
    outcome.judge(Run(0, "", "skipping a: is empty", 1.0, [], 10.0), "it")
    assert len(outcome.problems) == 1


def test_a_process_that_takes_too_long_is_ended() -> None:
    run = tempo_edge("watch", "/nowhere/at/all", timeout=30)
    assert run.status == 2 and len(run.error_lines) == 1
    run = tempo_edge("--help", timeout=0.0)
    assert run.status == -9


def test_memory_is_that_of_the_process_and_not_of_who_starts_it() -> None:
    held = bytearray(b"1") * (300 << 20)
    run = tempo_edge("--version", timeout=600)
    assert run.status == 0 and 5 < run.peak_megabytes < 150
    assert len(held) > 300e6


def test_bundles_made_by_hand_are_all_different() -> None:
    made = dict(_by_hand())
    assert len(made) > 25 and len(set(made.values())) == len(made)


def test_a_small_campaign_finds_nothing(tmp_path: Path) -> None:
    few = [row for row in FORMATS if row[0] in (".mp4", ".mkv", ".avi", ".ts")]
    outcomes = [
        break_files(12, 1, tmp_path / "files", formats=few),
        kill_runs(1, 1, tmp_path / "kills", formats=few),
    ]
    assert [each.problems for each in outcomes] == [[], []]
    assert outcomes[0].facts["indexed"] + outcomes[0].facts["skipped"] == 12
    assert outcomes[0].facts["formats"] == 4
