"""The shape of a span is fitted on films of short shots and of long events together."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tempo_edge.evaluation import shape
from tempo_edge.evaluation.shape import Occurrence, fit
from tempo_edge.models import load_profile
from tempo_edge.moment import Span
from tempo_edge.quantization import quantize, unit
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.similarity import CurveSettings
from tempo_edge.search.window import Window
from tempo_edge.store.rows import VideoRow

NULL = NullDistribution(0.0, 0.1, 0.0, 0.1, 1000, centre=np.zeros(8, np.float32))


def occurrence(shown: list[tuple[int, float]], start: float, end: float) -> Occurrence:
    """Looks of two seconds, each of a subject and its similarity; the true span in seconds."""
    vectors = np.zeros((len(shown), 8), np.float32)
    for row, (subject, similarity) in zip(vectors, shown, strict=True):
        row[0], row[1 + subject] = similarity, np.sqrt(1 - similarity**2)
    packed, count = quantize(vectors), len(shown)
    window = Window(
        1,
        VideoRow("h264", 64, 48, 2.0 * count, None, Fraction(1, 1000), Fraction(0)),
        np.arange(count, dtype=np.int64) * 2000,
        np.arange(count + 1) * 2.0,
        np.ones(count, np.bool_),
        unit(packed.astype(np.float32))[:, 0],
        packed,
    )
    return Occurrence((Span(start, end),), (window,), NULL)


# Shots side by side that the towers see about as well; and an event that they see badly at times.
SHORT = [
    occurrence([(1, 0.1), (0, 0.5), (0, 0.48), (2, 0.25), (3, 0.2)], 2.0, 6.0),
    occurrence([(1, 0.28), (2, 0.25), (0, 0.5), (3, 0.25), (4, 0.1)], 4.0, 6.0),
]
EVENTS = [
    occurrence([(0, 0.5), (0, 0.2), (0, 0.22), (0, 0.2), (0, 0.48), (1, 0.2)], 0.0, 10.0),
    occurrence([(0, 0.25), (0, 0.2), (0, 0.5), (0, 0.2), (0, 0.25)], 0.0, 10.0),
]


def test_short_shots_alone_ask_for_no_joining() -> None:
    tried = fit([SHORT])
    assert tried.rate == 1.0
    assert (tried.settings.likeness, tried.settings.noise) == (0.0, 0.0)


def test_long_events_are_joined_and_short_shots_stay_apart() -> None:
    tried = fit([SHORT, EVENTS])
    assert tried.rate == 1.0
    assert tried.settings.likeness > 0.0
    assert fit([SHORT, EVENTS * 9]).rate == tried.rate


def test_each_set_counts_as_much_as_any_other() -> None:
    """Nothing can find the second one's: it lies where no look is."""
    lost = [occurrence([(0, 0.5), (1, 0.1)], 90.0, 99.0)]
    assert fit([SHORT, lost]).rate == fit([SHORT, lost * 7]).rate == 0.5


def test_a_query_whose_video_has_no_window_is_not_found() -> None:
    assert fit([[Occurrence((Span(0.0, 1.0),), (), NULL)]]).rate == 0.0


def test_a_shape_is_written_and_the_confidence_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(load_profile("nano").folder, tmp_path / "nano")
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(tmp_path))
    monkeypatch.setattr(shape, "_seen", lambda folder, options: EVENTS)
    before = json.loads((tmp_path / "nano" / "calibration.json").read_text())
    assert shape.main(["--videos", "a", "--videos", "b", "--dry-run"]) == 0
    assert json.loads((tmp_path / "nano" / "calibration.json").read_text()) == before
    assert shape.main(["--videos", "a", "--videos", "b"]) == 0
    assert '"likeness"' in capsys.readouterr().out
    after = json.loads((tmp_path / "nano" / "calibration.json").read_text())
    assert {**after, "curve": None} == {**before, "curve": None}
    written, pieces = CurveSettings.of(load_profile("nano")), CurveSettings(**before["curve"])
    assert written == fit([EVENTS, EVENTS], pieces).settings
    assert replace(written, likeness=0, noise=0) == replace(pieces, likeness=0, noise=0)


def test_what_can_not_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shape.main(["--videos", str(tmp_path), "--dry-run"]) == 2
    assert "truth.jsonl can't be read" in capsys.readouterr().err
    assert shape.main(["--videos", "a/dev", "--videos", "b/dev"]) == 2
    assert "two folders are named 'dev'" in capsys.readouterr().err
