"""Moments in another order: what is first then, and what that is worth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks import reranking
from benchmarks.reranking import Judged, gains, table
from tempo_edge import Library


def judged(
    present: bool, log_odds: list[float], margins: list[float], overlaps: list[float]
) -> Judged:
    files = [overlap > 0 for overlap in overlaps]
    return Judged(present, *map(np.array, (log_odds, margins, overlaps, files)))


def test_a_larger_share_lets_the_margin_say_what_is_first() -> None:
    one = judged(True, [2.0, 1.0], [-3.0, -0.5], [0.0, 0.9])
    absent = judged(False, [1.5], [-4.0], [0.0])
    assert [one.first(share)[1] for share in (0.0, 0.25, 0.5)] == [0, 0, 1]
    rows = gains([one, absent], present=2)
    assert rows[0.0] == {"R1@0.5": 0.0, "R1@0.7": 0.0, "file R@1": 0.0, "AUROC": 100.0}
    assert rows[0.5] == {"R1@0.5": 50.0, "R1@0.7": 50.0, "file R@1": 50.0, "AUROC": 100.0}
    assert table(rows).splitlines()[2] == "| 0 | 0.0 | 0.0 | 0.0 | 100.0 |"


def test_it_asks_a_library_of_composites(
    built: Path, originals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = Path(shutil.copytree(originals, tmp_path / "films"))
    with Library.open(built) as library:
        (best, *_) = library.find("a beach", min_confidence=0.0, grounder="curve").moments
    truth = [
        {
            "query": "a beach",
            "present": True,
            "kind": "present",
            "file": best.path.name,
            "spans": [[best.start_seconds, best.end_seconds]],
        },
        {"query": "two men", "present": False, "kind": "absent", "file": None, "spans": []},
    ]
    (films / "truth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in truth))
    (films / "manifest.json").write_text("{}")
    reranking.main(["--films", str(films)])
    said = capsys.readouterr().out
    assert "| 0 | 100.0 | 100.0 | 100.0 |" in said
    assert "among the first 1: 100.0 %" in said
