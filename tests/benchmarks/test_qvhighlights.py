"""The command that compares our figures with published ones, on eight invented queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import queries

from benchmarks import qvhighlights

# Counted by hand, see tests/evaluation/test_metrics.py.
PUBLISHED: dict[str, Any] = {
    "brief": {"MR-full-mAP": 55.73},
    "full": {"MR-R1": {"0.5": 62.5, "0.8": 37.5}, "MR-mAP": {"0.5": 66.67}},
    "short": {"MR-mAP": {"0.5": 70.83}},
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    queries.write(tmp_path)
    _publish(tmp_path, PUBLISHED)
    return tmp_path


def _publish(data: Path, report: object) -> None:
    (data / "qvhighlights_scorer/sample_val_preds_metrics.json").write_text(json.dumps(report))


def test_equal_figures_are_a_success(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert qvhighlights.main(["--data", str(data)]) == 0
    printed = capsys.readouterr().out
    assert "| full/MR-R1/0.5 | 62.50 | 62.50 | yes |" in printed
    assert printed.endswith("equal: 5 of 5\n")


@pytest.mark.parametrize("change", [{"0.5": 62.51}, {"0.45": 62.5}])
def test_a_differing_or_unknown_figure_is_a_failure(
    data: Path, capsys: pytest.CaptureFixture[str], change: dict[str, float]
) -> None:
    _publish(data, {**PUBLISHED, "full": {"MR-R1": change}})
    assert qvhighlights.main(["--data", str(data)]) == 1
    printed = capsys.readouterr().out
    assert "**no**" in printed and "equal: 2 of 3" in printed


def test_json_holds_every_comparison(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert qvhighlights.main(["--data", str(data), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0] == {
        "figure": "brief/MR-full-mAP",
        "ours": 55.73,
        "published": 55.73,
        "equal": True,
    }
    assert len(rows) == 5


@pytest.mark.parametrize(
    "name",
    [
        "text/qvhighlights_val_release.jsonl.gz",
        "qvhighlights_scorer/sample_val_preds.jsonl.gz",
        "qvhighlights_scorer/sample_val_preds_metrics.json",
    ],
)
def test_a_missing_file_is_one_line(
    data: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (data / name).unlink()
    assert qvhighlights.main(["--data", str(data)]) == 2
    said = capsys.readouterr().err
    assert said == f"error: {data / name}: No such file or directory\n"


def test_a_report_of_something_else_is_one_line(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for report, reason in (
        ({"full": {"MR-R1": "high"}}, "full/MR-R1 high must be a number"),
        ([1], "the report [1] must be a number"),
        ({}, "the report holds no figures"),
    ):
        _publish(data, report)
        assert qvhighlights.main(["--data", str(data)]) == 2
        said = capsys.readouterr().err
        assert said.endswith(f"sample_val_preds_metrics.json: {reason}\n")
