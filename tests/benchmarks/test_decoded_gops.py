"""What each kind of decoded picture buys is told of films that are small enough to know it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import decoded_gops
from benchmarks.composites import CompositeSet, build_composites
from benchmarks.decoded_gops import PLANS, Outcome, PartialSampling, measure, table
from tempo_edge.models.registry import load_profile
from tempo_edge.saa import Reason


@pytest.fixture(scope="module")
def films(data: Path, tmp_path_factory: pytest.TempPathFactory) -> CompositeSet:
    return build_composites(
        data,
        tmp_path_factory.mktemp("set") / "films",
        split="dev",
        videos=2,
        seed=1,
        clips=False,
        queries_per_video=2,
        shots=(3, 4),
        shot_seconds=(1.0, 2.0),
        workers=1,
    )


def test_less_is_decoded_and_every_boundary_is_held_against_the_truth(
    films: CompositeSet, tmp_path: Path
) -> None:
    profile = load_profile("nano")
    whole = measure(films, PartialSampling(), tmp_path / "whole.db", 2, profile)
    barely = PartialSampling(left_out=frozenset(Reason))  # the first picture of each
    alone = measure(films, barely, tmp_path / "barely.db", 2, profile)
    boundaries = sum(len(video["shots"]) - 1 for video in films.manifest["videos"])
    for outcome in (whole, alone):
        assert sum(map(len, outcome.errors.values())) == boundaries
        assert len(outcome.hits) == len(outcome.alone) == 4
        assert outcome.cpu_seconds > 0 and outcome.frames > 0
        assert all(0 <= error < 8 for errors in outcome.errors.values() for error in errors)
    assert alone.decoded == alone.frames == 2 < whole.decoded
    assert whole.errors == {"cut, free GOPs": [0.0] * boundaries}
    only_one = measure(films, barely, tmp_path / "one.db", 1, profile)
    assert only_one.decoded == 1 and len(only_one.hits) == 2


def test_every_reason_of_a_plan_is_left_out_once() -> None:
    once = [left_out for left_out in PLANS.values() if len(left_out) == 1]
    assert sorted(r.name for left_out in once for r in left_out) == sorted(
        r.name for r in Reason if r is not Reason.DISTANCE
    )
    assert next(iter(PLANS.values())) == frozenset()


def test_a_budget_of_large_pictures_is_scaled() -> None:
    assert decoded_gops._size("1920x1080") == (1920, 1080)
    assert decoded_gops._size("own") is None
    with pytest.raises(Exception, match="must be own or a size such as 1920x1080"):
        decoded_gops._size("large")


def test_differences_are_paired() -> None:
    whole = Outcome(9, 1.0, 5, [0.9, 0.2], [0.8, 0.6], {"cut, free GOPs": [0.0, 0.1]})
    part = Outcome(4, 0.5, 5, [0.9, 0.6], [0.8, 0.6], {"cut, free GOPs": [0.5, 0.6]})
    told = table({"whole plan": whole, "part": part})
    assert "| whole plan | 9 | 1.0 | 5 | 50.0 | 50.0 | 100.0 | 50.0 | 0.050, 0.09 |" in told
    last = told.splitlines()[-1]
    assert last.startswith("| part | +50.00 (+0.00 to +100.00) | +0.00 (+0.00 to +0.00)")
    assert "+0.50 (+0.50 to +0.50)" in last and last.endswith("| n/a | n/a |")


def test_the_command_prints_a_table_for_each_budget(
    films: CompositeSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "figures.json"
    decoded_gops.main(
        [
            *("--films", str(films.folder), "--videos", "1", "--as-large", "own", "1920x1080"),
            *("--plans", "whole plan", "--try", "calm=0.2,spike=0.5", "--json", str(kept)),
        ]
    )
    told = capsys.readouterr().out
    assert re.findall(r"Pixel budget (.*):", told) == ["own size", "as 1920x1080"]
    assert told.count("| calm=0.2,spike=0.5 |") == 4
    assert len(json.loads(kept.read_text())["results"]["own size"]) == 2
    with pytest.raises(SystemExit):
        decoded_gops.main(["--films", str(films.folder), "--try", "speed=2"])
    assert "'speed' must be one of max_gap_seconds, " in capsys.readouterr().err
