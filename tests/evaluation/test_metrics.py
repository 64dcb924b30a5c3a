"""The field's metrics: cases counted by hand, slow exact counts beside them, and properties."""

from __future__ import annotations

import copy
import gzip
import json
import math
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import queries
from hypothesis import given, settings
from hypothesis import strategies as st

from tempo_edge.evaluation.metrics import (
    LADDER,
    Interval,
    Refusals,
    ScoredInterval,
    auroc,
    average_precision,
    best_tiou,
    calibration_error,
    clip_average_precision,
    of_length,
    qvhighlights,
    read_activitynet,
    read_charades,
    score_grounding,
    score_highlights,
    score_precision,
    score_refusals,
    tiou,
)
from tempo_edge.evaluation.metrics.lines import read_json_lines

relaxed = settings(max_examples=80)
exactly = pytest.approx

whole_spans = st.tuples(st.integers(0, 30), st.integers(1, 12)).map(
    lambda pair: (float(pair[0]), float(pair[0] + pair[1]))
)
truths = st.lists(whole_spans, min_size=1, max_size=4)
scored = st.tuples(whole_spans, st.integers(0, 4)).map(lambda p: (*p[0], float(p[1])))
answers = st.lists(scored, max_size=10)


def _exact_iou(a: Interval, b: Interval) -> Fraction:
    """By counting whole seconds."""
    seconds = [set(range(int(start), int(end))) for start, end in (a, b)]
    return Fraction(len(seconds[0] & seconds[1]), len(seconds[0] | seconds[1]))


def _exact_precision(
    predicted: list[ScoredInterval], true: list[Interval], percent: int
) -> Fraction:
    """For each number of true spans to find: the best precision of a list long enough for it."""
    left = dict(enumerate(true))
    hits, precisions = 0, []
    for rank, (start, end, _) in enumerate(sorted(predicted, key=lambda p: -p[2]), start=1):
        ious = {at: _exact_iou((start, end), span) for at, span in left.items()}
        fit = [at for at, iou in ious.items() if iou >= Fraction(percent, 100)]
        if fit:
            hits += 1
            del left[max(fit, key=lambda at: (ious[at], at))]
        precisions.append((hits, Fraction(hits, rank)))
    best = [max((p for h, p in precisions if h >= k), default=0) for k in range(1, len(true) + 1)]
    return Fraction(sum(best), len(true))


def _exact_clips(scores: list[float], positive: list[bool]) -> Fraction:
    """For each number of highlights that some cut of the scores finds: the best precision."""
    cuts = [[p for s, p in zip(scores, positive, strict=True) if s >= cut] for cut in set(scores)]
    found = {sum(cut) for cut in cuts} - {0}
    best = [max(Fraction(sum(cut), len(cut)) for cut in cuts if sum(cut) >= k) for k in found]
    return Fraction(sum(best), len(best)) if best else Fraction(0)


# Spans


@relaxed
@given(whole_spans, whole_spans)
def test_tiou_is_symmetric_and_the_share_of_seconds(a: Interval, b: Interval) -> None:
    assert tiou(a, b) == tiou(b, a) == float(_exact_iou(a, b))


def test_the_best_overlap_of_nothing_is_none() -> None:
    assert best_tiou((0, 1), []) == 0.0
    assert best_tiou((0, 4), [(4, 8), (0, 3), (1, 2)]) == 0.75


# Grounding


def test_first_spans_counted_by_hand() -> None:
    found = score_grounding(
        [[(0, 3), (0, 10)], [(20, 25)], [], [(2, 9)]],
        [[(0, 10)], [(0, 4), (20, 30)], [(0, 1)], [(2, 12)]],
    )
    # tIoU 0.3, 0.5, a miss, 0.7
    assert found.r1 == {0.3: 75.0, 0.5: 50.0, 0.7: 25.0}
    assert (found.queries, found.mean_iou) == (4, exactly(37.5))


@relaxed
@given(st.lists(truths, min_size=1, max_size=6))
def test_perfect_answers_are_a_hundred(truth: list[list[Interval]]) -> None:
    grounding = score_grounding([spans[::-1] for spans in truth], truth, LADDER)
    assert grounding.mean_iou == 100.0 and set(grounding.r1.values()) == {100.0}
    perfect = [[(*span, 1.0) for span in spans] for spans in truth]
    precision = score_precision(perfect, truth)
    assert precision.average == exactly(100.0)
    assert list(precision.at.values()) == exactly([100.0] * len(LADDER))


@relaxed
@given(st.lists(st.tuples(answers, truths), min_size=1, max_size=8), st.integers())
def test_the_order_of_queries_does_not_matter_and_all_is_in_bounds(
    pairs: list[tuple[list[ScoredInterval], list[Interval]]], seed: int
) -> None:
    def both(some: list[tuple[list[ScoredInterval], list[Interval]]]) -> list[float]:
        truth = [true for _, true in some]
        first = score_grounding([[p[:2] for p in found] for found, _ in some], truth, LADDER)
        ranked = score_precision([found for found, _ in some], truth)
        return [first.mean_iou, ranked.average, *first.r1.values(), *ranked.at.values()]

    shuffled = random.Random(seed).sample(pairs, len(pairs))
    assert both(pairs) == exactly(both(shuffled))
    assert all(0 <= figure <= 100 + 1e-9 for figure in both(pairs))


@pytest.mark.parametrize(
    ("predictions", "truth", "thresholds", "said"),
    [
        ([[(0, 1)]], [], (0.5,), "1 predictions for 0 queries"),
        ([[(5, 2)]], [[(0, 1)]], (0.5,), r"predictions\[0\] \[5, 2\] must be finite"),
        ([[(0, math.nan)]], [[(0, 1)]], (0.5,), r"predictions\[0\] \[0, nan\] must be finite"),
        ([[(0, 1)]], [[(2, 2)]], (0.5,), r"truth\[0\] \[2, 2\] must be finite and end after"),
        ([[(0, 1)]], [[]], (0.5,), r"truth\[0\] \[\] must hold at least one span"),
        ([[(0, 1)]], [[(0, 1)]], (0.0,), r"threshold 0.0 must be within \(0, 1\]"),
        ([[(0, 1)]], [[(0, 1)]], (), r"thresholds \(\) must hold at least one"),
    ],
)
def test_what_is_no_grounding_is_refused(
    predictions: list[list[Interval]],
    truth: list[list[Interval]],
    thresholds: tuple[float],
    said: str,
) -> None:
    with pytest.raises(ValueError, match=said):
        score_grounding(predictions, truth, thresholds)


def test_no_queries_have_no_figures() -> None:
    assert math.isnan(score_grounding([], []).mean_iou)
    assert math.isnan(score_precision([], []).average)
    assert math.isnan(score_highlights([], [], 2).hit1)


# Average precision


def test_a_repeated_find_is_a_false_one() -> None:
    true = [(0.0, 10.0), (12.0, 22.0)]
    predicted = [(0.0, 10.0, 0.9), (0.0, 10.0, 0.8), (12.0, 22.0, 0.7)]
    # Right, wrong, right: precision 1 at half the recall, 2/3 at all of it.
    assert average_precision(predicted, true, [0.5]) == exactly([5 / 6])


def test_a_later_and_better_precision_counts_for_earlier_recall() -> None:
    true = [(0.0, 1.0), (2.0, 3.0), (4.0, 5.0)]
    predicted = [(9.0, 10.0, 0.9), (0.0, 1.0, 0.8), (2.0, 3.0, 0.7), (4.0, 5.0, 0.6)]
    # Precisions 0, 1/2, 2/3, 3/4: at every recall the best still to come is 3/4.
    assert average_precision(predicted, true, [0.5]) == exactly([0.75])


def test_equal_scores_keep_their_order() -> None:
    right, wrong = (0.0, 1.0, 0.5), (5.0, 6.0, 0.5)
    assert average_precision([right, wrong], [(0.0, 1.0)], [0.5]) == exactly([1.0])
    assert average_precision([wrong, right], [(0.0, 1.0)], [0.5]) == exactly([0.5])


@relaxed
@given(answers, truths)
def test_average_precision_is_that_of_exact_counting(
    predicted: list[ScoredInterval], true: list[Interval]
) -> None:
    slow = [float(_exact_precision(predicted, true, round(100 * at))) for at in LADDER]
    assert average_precision(predicted, true).tolist() == exactly(slow)


@relaxed
@given(st.lists(whole_spans, unique=True, max_size=8), truths, st.integers())
def test_the_order_of_different_scores_does_not_matter(
    spans: list[Interval], true: list[Interval], seed: int
) -> None:
    predicted = [(*span, at / 10) for at, span in enumerate(spans)]
    shuffled = random.Random(seed).sample(predicted, len(predicted))
    assert average_precision(predicted, true).tolist() == average_precision(shuffled, true).tolist()


def test_only_so_many_predictions_count() -> None:
    wrong, right = (5.0, 6.0, 0.9), (0.0, 1.0, 0.1)
    predictions, truth = [[wrong] * 10 + [right]], [[(0.0, 1.0)]]
    assert score_precision(predictions, truth).average == 0.0
    tenth = [[wrong] * 9 + [right]]
    assert score_precision(tenth, truth).average == exactly(100 / 10), "ten, as the field counts"
    everything = score_precision(predictions, truth, max_predictions=None)
    assert everything.average == exactly(100 / 11)
    with pytest.raises(ValueError, match="max_predictions 0 must be at least 1"):
        score_precision(predictions, truth, max_predictions=0)


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"predictions\[0\] \[0, 1, inf\] must be finite"):
        score_precision([[(0, 1, math.inf)]], [[(0, 1)]])


def test_a_length_is_above_the_lower_bound_and_up_to_the_upper() -> None:
    spans = [(0.0, 10.0), (0.0, 10.5), (5.0, 35.0), (0.0, 31.0)]
    assert of_length(spans, 10, 30) == [(0.0, 10.5), (5.0, 35.0)]


# Highlights


def test_clips_of_one_score_are_taken_together() -> None:
    scores = np.array([0.9, 0.9, 0.1, -1.0])
    # Cuts find 1 of 2, 1 of 3 and 2 of 4: precision 1/2 at both recalls.
    assert clip_average_precision(scores, np.array([1, 0, 0, 1], bool)) == exactly(0.5)
    # One cut finds both of 2 and nothing is left to find: 1, not an average over two steps.
    assert clip_average_precision(scores, np.array([1, 1, 0, 0], bool)) == 1.0


@relaxed
@given(st.lists(st.tuples(st.integers(-2, 3), st.booleans()), min_size=1, max_size=20))
def test_clip_precision_is_that_of_exact_counting(clips: list[tuple[int, bool]]) -> None:
    scores, positive = [float(s) for s, _ in clips], [p for _, p in clips]
    found = clip_average_precision(np.array(scores), np.array(positive))
    assert found == exactly(float(_exact_clips(scores, positive)))


def test_highlights_counted_by_hand() -> None:
    values = np.array([[4, 0, 2], [0, 0, 3]])
    found = score_highlights([[0.8, 0.2]], [values], 3)
    # The first annotator's only clip is first, the second has none, the third's is second.
    assert (found.mean_ap, found.hit1) == (exactly(100 * (1 + 0 + 0.5) / 3), 100.0)


def test_missing_scores_are_zero_and_those_past_the_end_are_dropped() -> None:
    short = score_highlights([[-0.5]], [np.array([[4], [0]])], 2)
    assert (short.mean_ap, short.hit1) == (exactly(50.0), 100.0)
    long = score_highlights([[0.1, 0.9]], [np.array([[4]])], 2)
    assert (long.mean_ap, long.hit1) == (100.0, 0.0)


@relaxed
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=9),
    st.sampled_from([2, 3, 4]),
)
def test_perfect_clips_are_a_hundred_where_annotators_agree(
    rows: list[list[int]], minimum: int
) -> None:
    values = np.repeat(np.array(rows)[:, :1], 3, axis=1)
    found = score_highlights([values[:, 0].tolist()], [values], minimum)
    wanted = 100.0 if (values >= minimum).any() else 0.0
    assert (found.mean_ap, found.hit1) == (exactly(wanted), wanted)


@pytest.mark.parametrize(
    ("scores", "values", "minimum", "said"),
    [
        ([[0.5]], np.zeros((1, 3), int), 5, "minimum 5 must be within 1 to 4"),
        ([[]], np.zeros((1, 3), int), 2, r"predictions\[0\] \[\] must hold at least one score"),
        ([[0.1, math.inf]], np.zeros((2, 3), int), 2, r"predictions\[0\] score inf must be finite"),
        ([[0.5]], np.zeros(3, int), 2, r"saliency\[0\] of shape \(3,\) must be"),
        ([], np.zeros((1, 3), int), 2, "0 predictions for 1 queries"),
    ],
)
def test_what_are_no_highlights_is_refused(
    scores: list[list[float]], values: np.ndarray, minimum: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        score_highlights(scores, [values], minimum)


# Refusal


def test_refusals_counted_by_hand() -> None:
    confidences, present = [0.9, 0.8, 0.3, 0.4, 0.1], [True, True, True, False, False]
    found = score_refusals(confidences, present, threshold=0.35, bins=2)
    # One of two absent ones is answered; of two refusals one is right; 5 of 6 pairs in order.
    assert (found.false_alarm_rate, found.reject_f1) == (50.0, 50.0)
    assert found.auroc == exactly(100 * 5 / 6)
    # By width: 0.1, 0.3 and 0.4 say 0.8 of 1; 0.8 and 0.9 say 1.7 of 2. (0.2 + 0.3) / 5.
    assert found.ece_width == exactly(10.0)
    # By mass: 0.1 and 0.3 say 0.4 of 1; 0.4, 0.8 and 0.9 say 2.1 of 2. (0.6 + 0.1) / 5.
    assert found.ece_mass == exactly(14.0)


def test_a_confidence_at_the_threshold_is_an_answer() -> None:
    assert score_refusals([0.5], [False]).false_alarm_rate == 100.0


def test_counts_with_nothing_to_count_are_nan() -> None:
    none = Refusals(present=0, absent=0, missed=0, rejected=0)
    assert math.isnan(none.false_alarm_rate) and math.isnan(none.f1)
    assert math.isnan(none.precision) and math.isnan(none.recall)
    assert math.isnan(none.answered_present) and math.isnan(calibration_error([], []))


stated = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1)


@relaxed
@given(stated, st.integers(1, 12), st.integers())
def test_calibration_is_a_share_whatever_the_order(
    pairs: list[tuple[float, bool]], bins: int, seed: int
) -> None:
    shuffled = random.Random(seed).sample(pairs, len(pairs))
    for binning in ("mass", "width"):
        errors = [
            calibration_error(
                [c for c, _ in some], [o for _, o in some], bins=bins, binning=binning
            )
            for some in (pairs, shuffled)
        ]
        assert errors[0] == exactly(errors[1], abs=1e-12)
        assert 0 <= errors[0] <= 1


@relaxed
@given(st.lists(st.integers(0, 100), unique=True, min_size=1, max_size=40), st.integers(1, 8))
def test_bins_of_equal_mass_are_an_even_cut(numbers: list[int], bins: int) -> None:
    """For different values: slices of the sorted ones, whose sizes differ by no more than one."""
    ranked = sorted(n / 100 for n in numbers)
    outcomes = [n % 3 == 0 for n in sorted(numbers)]
    groups: dict[int, list[float]] = {}
    for at, (value, outcome) in enumerate(zip(ranked, outcomes, strict=True)):
        # The middle of this rank, as a share of all ranks.
        place = math.floor(Fraction(2 * at + 1, 2 * len(ranked)) * bins)
        groups.setdefault(place, []).append(value - outcome)
    slow = sum(abs(sum(gaps)) for gaps in groups.values()) / len(ranked)
    assert calibration_error(ranked, outcomes, bins=bins) == exactly(slow, abs=1e-12)
    sizes = [len(groups.get(place, [])) for place in range(bins)]
    assert max(sizes) - min(sizes) <= 1


@relaxed
@given(st.lists(st.booleans(), min_size=1, max_size=30).filter(lambda p: len(set(p)) == 2))
def test_certain_and_right_is_perfect(present: list[bool]) -> None:
    found = score_refusals([float(p) for p in present], present)
    assert (found.false_alarm_rate, found.reject_f1, found.auroc) == (0.0, 100.0, 100.0)
    assert found.ece_mass == found.ece_width == 0.0


def test_a_side_that_is_empty_has_no_auroc() -> None:
    assert math.isnan(auroc([], [0.5]))


def test_what_is_no_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confidences\[1\] 1.2 must be within \[0, 1\]"):
        score_refusals([0.5, 1.2], [True, False])
    with pytest.raises(ValueError, match=r"confidences\[0\] nan must be within"):
        calibration_error([math.nan], [True])
    with pytest.raises(ValueError, match="2 confidences for 1 outcomes"):
        score_refusals([0.5, 0.2], [True])
    with pytest.raises(ValueError, match="bins 0 must be at least 1"):
        calibration_error([0.5], [True], bins=0)
    with pytest.raises(ValueError, match=r"threshold 2 must be within \[0, 1\]"):
        score_refusals([0.5], [True], threshold=2)
    with pytest.raises(ValueError, match="missed 3 must be within 0 to 2"):
        Refusals(present=2, absent=1, missed=3, rejected=0)


# The files of the field


def test_charades_lines(tmp_path: Path) -> None:
    path = tmp_path / "sta.txt.gz"
    with gzip.open(path, "wt") as file:
        file.write("AB12C 1.5 7.0##a person pours tea. \n\nAB12C 9.0 4.0##they leave.\n")
    found = read_charades(path)
    assert [(s.video, s.text, s.span) for s in found.kept] == [
        ("AB12C", "a person pours tea.", (1.5, 7.0))
    ]
    assert found.skipped == ("AB12C: span [9.0, 4.0] must be finite and end after it starts",)
    path = tmp_path / "bad.txt"
    path.write_text("AB12C 1.5##a person\n")
    with pytest.raises(ValueError, match=r"bad.txt:1: 'AB12C 1.5' must be 'ID start end'"):
        read_charades(path)
    path.write_text("AB12C 1.5 7.0 a person\n")
    with pytest.raises(ValueError, match=r"bad.txt:1: 'AB12C 1.5 7.0 a person' must be"):
        read_charades(path)


def test_activitynet_videos(tmp_path: Path) -> None:
    path = tmp_path / "captions.json"
    video = {"duration": 12.5, "timestamps": [[0, 5], [5, 5]], "sentences": [" Up.", "Down."]}
    path.write_text(json.dumps({"v_1": video}))
    found = read_activitynet(path)
    assert [(s.video, s.text, s.span, s.duration_seconds) for s in found.kept] == [
        ("v_1", "Up.", (0.0, 5.0), 12.5)
    ]
    assert len(found.skipped) == 1
    for change, said in (
        ({"sentences": ["Up."]}, "v_1: 2 timestamps for 1 sentences"),
        ({"timestamps": [[0], [1, 2]]}, r"v_1: timestamps \[0\] must be a list of 2 numbers"),
        ({"duration": "12"}, "v_1: duration 12 must be a number"),
    ):
        path.write_text(json.dumps({"v_1": {**video, **change}}))
        with pytest.raises(ValueError, match=said):
            read_activitynet(path)
    path.write_text(json.dumps({"v_1": {"duration": 1}}))
    with pytest.raises(ValueError, match="v_1: field 'timestamps' is missing"):
        read_activitynet(path)
    for text in ("[]", "{"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"captions.json: "):
            read_activitynet(path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(ValueError, match=r"rows.jsonl.gz: Not a gzipped file"):
        read_json_lines(path, dict)
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 99)[:-12])
    with pytest.raises(ValueError, match=r"rows.jsonl.gz: "):
        read_json_lines(path, dict)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n[2]\n')
    with pytest.raises(ValueError, match=r"rows.jsonl:2: \[2\] must be a JSON object"):
        read_json_lines(path, dict)
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(ValueError, match=r"rows.jsonl: .*utf-8"):
        read_json_lines(path, dict)


# QVHighlights, on eight invented queries


@pytest.fixture
def found(tmp_path: Path) -> dict[str, float]:
    return _figures(tmp_path)


def _figures(
    folder: Path,
    labels: list[queries.Row] = queries.LABELS,
    answers: list[queries.Row] = queries.ANSWERS,
) -> dict[str, float]:
    queries.write(folder, labels, answers)
    return qvhighlights.figures(
        qvhighlights.read_answers(folder / "qvhighlights_scorer/sample_val_preds.jsonl.gz"),
        qvhighlights.read_labels(folder / "text/qvhighlights_val_release.jsonl.gz"),
    )


def test_all_windows_counted_by_hand(found: dict[str, float]) -> None:
    # First answers: tIoU 1, 0.8, 0.5, 0, none, 1, 0.75, 0.
    assert found["full/MR-mIoU"] == exactly(100 * 4.05 / 8)
    assert [found[f"full/MR-R1/{at}"] for at in LADDER] == exactly(
        [62.5] + 5 * [50.0] + [37.5] + 3 * [25.0]
    )
    # Precisions: 1; 1, above 0.8 1/4; 1, above 0.5 1/2; 1/2, above 0.75 0; 0; 5/6; 1; 0.
    by_hand = [16 / 3] + 5 * [29 / 6] + [13 / 3] + 3 * [43 / 12]
    assert [found[f"full/MR-mAP/{at}"] for at in LADDER] == exactly([100 * x / 8 for x in by_hand])
    assert found["full/MR-mAP/average"] == exactly(10 * sum(by_hand) / 8)


def test_windows_by_length_counted_by_hand(found: dict[str, float]) -> None:
    # Short: queries 1, 2 (its first window), 4 and 6; precisions 1, 1/2, 1/2, 5/6.
    assert found["short/MR-mAP/0.5"] == exactly(100 * (17 / 6) / 4)
    assert found["short/MR-R1/0.5"] == 50.0
    # Middle: 2 (its second window), 5 and 7, the last two of just 30 s.
    assert found["middle/MR-mAP/0.5"] == exactly(200 / 3)
    assert [found[f"middle/MR-R1/{at}"] for at in (0.75, 0.8)] == exactly([200 / 3, 100 / 3])
    # Long: 3 and 8; the first finds its window first at 0.5 and second above.
    assert found["long/MR-mAP/average"] == exactly((50 + 9 * 25) / 10)


def test_highlights_by_exact_counting(found: dict[str, float]) -> None:
    for name, minimum in (("Fair", 2), ("Good", 3), ("VeryGood", 4)):
        precisions, hits = [], []
        for label, answer in zip(queries.LABELS, queries.ANSWERS, strict=True):
            clips = label["duration"] // 2
            given = dict(zip(label["relevant_clip_ids"], label["saliency_scores"], strict=True))
            rows = [[value >= minimum for value in given.get(c, [0] * 3)] for c in range(clips)]
            scores = answer["pred_saliency_scores"]
            full = (scores + [0.0] * clips)[:clips]
            precisions += [_exact_clips(full, [row[worker] for row in rows]) for worker in range(3)]
            highest = scores.index(max(scores))
            hits.append(highest < clips and any(rows[highest]))
        assert found[f"HL-min-{name}/HL-mAP"] == exactly(100 * float(sum(precisions)) / 24)
        assert found[f"HL-min-{name}/HL-Hit1"] == exactly(100 * sum(hits) / 8)


def test_the_brief_repeats(found: dict[str, float]) -> None:
    assert len(found) == 4 * 21 + 6 + 14 + 1
    assert found["brief/MR-short-mAP"] == found["short/MR-mAP/average"]
    assert found["brief/HL-min-Good-Hit1"] == found["HL-min-Good/HL-Hit1"]
    assert all(0 <= figure <= 100 for figure in found.values())


def test_labels_may_come_in_another_order(found: dict[str, float], tmp_path: Path) -> None:
    assert _figures(tmp_path, queries.LABELS[::-1]) == exactly(found)


def test_a_length_that_is_not_there_has_no_figures(tmp_path: Path) -> None:
    found = _figures(tmp_path, queries.LABELS[:1], queries.ANSWERS[:1])
    assert found["short/MR-R1/0.5"] == 100.0
    assert math.isnan(found["long/MR-mAP/average"])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("relevant_windows", [[9, 2]], r":1: relevant_windows \[9.0, 2.0\] must be finite"),
        ("relevant_windows", [], r":1: relevant_windows \[\] must hold at least one"),
        ("relevant_windows", [[1]], r":1: relevant_windows \[1\] must be a list of 2 numbers"),
        ("relevant_clip_ids", [20, 6, 7, 8, 9], ":1: relevant_clip_ids 20 must be within 0 to 19"),
        ("relevant_clip_ids", [5], ":1: 5 saliency_scores for 1 relevant_clip_ids"),
        ("saliency_scores", [[5, 0, 0]] * 5, r":1: saliency_scores \[5, 0, 0\] must be within"),
        ("saliency_scores", [[0, 0]] * 5, r":1: saliency_scores \[0, 0\] must be a list of 3"),
        ("saliency_scores", 3, ":1: saliency_scores 3 must be a list"),
        ("duration", "long", ":1: duration long must be a number"),
        ("duration", 1, ":1: duration 1 must hold a clip of 2 s"),
        ("qid", "1", ":1: qid 1 must be a whole number"),
        ("qid", 2, "qid 2 occurs more than once in the labels"),
        ("qid", 99, r"qid 1 is missing from the labels \(2 differ in all\)"),
    ],
)
def test_a_bad_label_is_refused(tmp_path: Path, field: str, value: object, said: str) -> None:
    labels = copy.deepcopy(queries.LABELS)
    labels[0][field] = value
    with pytest.raises(ValueError, match=said):
        _figures(tmp_path, labels)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("pred_relevant_windows", [[0, 1]], r":2: pred_relevant_windows \[0, 1\] must be a list"),
        ("pred_relevant_windows", [[3, 1, 0]], r":2: pred_relevant_windows \[3.0, 1.0, 0.0\] must"),
        ("pred_saliency_scores", [], r":2: pred_saliency_scores \[\] must be finite, at least one"),
        ("pred_saliency_scores", [math.inf], r":2: pred_saliency_scores \[inf\] must be finite"),
        ("pred_saliency_scores", ["x"], ":2: pred_saliency_scores x must be a number"),
        ("qid", 1, "qid 1 occurs more than once in the answers"),
    ],
)
def test_a_bad_answer_is_refused(tmp_path: Path, field: str, value: object, said: str) -> None:
    answers = copy.deepcopy(queries.ANSWERS)
    answers[1][field] = value
    with pytest.raises(ValueError, match=said):
        _figures(tmp_path, answers=answers)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    answers = [{"qid": 1, "pred_relevant_windows": []}]
    with pytest.raises(ValueError, match=":1: field 'pred_saliency_scores' is missing"):
        _figures(tmp_path, answers=answers)


def test_the_metrics_need_nothing_but_numpy() -> None:
    program = (
        "import sys, tempo_edge.evaluation.metrics.qvhighlights\n"
        "print([n for n in ('torch', 'onnxruntime', 'av', 'faiss', 'PIL') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
