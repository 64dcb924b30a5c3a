"""The scores: properties of the arithmetic, and small cases counted by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scoring import (
    Interval,
    Prediction,
    Truth,
    auroc,
    bootstrap_ci,
    file_rank,
    format_table,
    merge_spans,
    same_file,
    score,
    span_sets_iou,
    tiou,
    top_iou,
)

_seconds = st.floats(0, 1e5, allow_nan=False, width=32)
spans = st.tuples(_seconds, _seconds).map(lambda s: (min(s), max(s)))
span_lists = st.lists(spans, max_size=6)
# A busy machine is no failure of an example.
relaxed = settings(max_examples=60)


@relaxed
@given(spans, spans)
def test_tiou_is_symmetric_and_a_share(a: Interval, b: Interval) -> None:
    assert tiou(a, b) == tiou(b, a)
    assert 0 <= tiou(a, b) <= 1


@relaxed
@given(spans)
def test_tiou_with_itself_is_one_unless_empty(a: Interval) -> None:
    assert tiou(a, a) == (1.0 if a[1] > a[0] else 0.0)


@relaxed
@given(spans, st.floats(0, 1e4))
def test_spans_that_only_touch_share_nothing(a: Interval, length: float) -> None:
    assert tiou(a, (a[1], a[1] + length)) == 0.0


@relaxed
@given(span_lists)
def test_merging_is_idempotent_sorted_and_disjoint(a: list[Interval]) -> None:
    merged = merge_spans(a)
    assert merge_spans(merged) == merged
    assert all(x[1] < y[0] for x, y in pairwise(merged))


@relaxed
@given(span_lists, span_lists)
def test_set_iou_is_symmetric_and_a_share(a: list[Interval], b: list[Interval]) -> None:
    assert span_sets_iou(a, b) == pytest.approx(span_sets_iou(b, a))
    assert 0 <= span_sets_iou(a, b) <= 1


@relaxed
@given(spans, spans)
def test_set_iou_of_single_spans_is_tiou(a: Interval, b: Interval) -> None:
    assert span_sets_iou([a], [b]) == pytest.approx(tiou(a, b), abs=1e-6)


@relaxed
@given(span_lists.filter(lambda a: bool(merge_spans(a))))
def test_set_iou_ignores_order_and_overlap(a: list[Interval]) -> None:
    assert span_sets_iou(a, [*a[::-1], *merge_spans(a)]) == pytest.approx(1.0)


def test_set_iou_counts_overlapping_time_once() -> None:
    assert span_sets_iou([(0, 4), (2, 6)], [(0, 3), (5, 9)]) == pytest.approx(4 / 9)
    assert span_sets_iou([], []) == 0.0


def _truth(file: str | None = None, *pairs: Interval) -> Truth:
    return {
        "query": "q",
        "present": file is not None,
        "kind": "absent" if file is None else "present",
        "file": file,
        "spans": [list(span) for span in pairs],
    }


def _found(*moments: tuple[str, float, float], best: float | None = None) -> Prediction:
    answer: Prediction = {
        "moments": [{"file": f, "start_seconds": s, "end_seconds": e} for f, s, e in moments]
    }
    if best is not None:
        answer["best_confidence"] = best
    return answer


def test_hand_counted_scores() -> None:
    truth = [
        _truth("a.mp4", (0, 10), (20, 30)),  # hit on the second span, tIoU 0.8
        _truth("b.mp4", (0, 10)),  # right file, tIoU 0.4
        _truth("c.mp4", (0, 10)),  # right file second
        _truth("d.mp4", (0, 10)),  # refused
        _truth(),  # refused, rightly
        _truth(),  # false alarm
    ]
    answers = [
        _found(("/lib/a.mp4", 22, 30), best=0.9),
        _found(("/lib/b.mp4", 0, 4), best=0.8),
        _found(("a.mp4", 0, 10), ("c.mp4", 0, 10), best=0.7),
        _found(best=0.2),
        _found(best=0.1),
        _found(("a.mp4", 0, 1), best=0.7),
    ]
    got = score(answers, truth)
    assert (got.present, got.absent) == (4, 2)
    assert (got.r1_at_03, got.r1_at_05, got.r1_at_07) == (0.5, 0.25, 0.25)
    assert got.mean_iou == pytest.approx((0.8 + 0.4) / 4)
    assert (got.file_recall_at_1, got.file_recall_at_5) == (0.5, 0.75)
    assert (got.answered_present, got.false_alarm_rate) == (0.75, 0.5)
    assert (got.refuse_precision, got.refuse_recall, got.reject_f1) == (0.5, 0.5, 0.5)
    # Of the 8 pairs, 0.2 and 0.7 lose against the false alarm, the other 0.7 ties with it.
    assert got.auroc == pytest.approx((2 + 2 + 1.5 + 1) / 8)


moments = st.tuples(st.sampled_from(["a.mp4", "x/a.mp4", "b.mp4"]), spans).map(
    lambda m: (m[0], m[1][0], m[1][1])
)
answers = st.builds(_found, st.shared(moments, key="one")) | st.lists(moments, max_size=7).map(
    lambda found: _found(*found)
)
truths = st.one_of(
    st.just(_truth()),
    st.builds(lambda f, s: _truth(f, *s), st.sampled_from(["a.mp4", "b.mp4"]), span_lists),
)
cases = st.lists(st.tuples(answers, truths), max_size=12)


@relaxed
@given(cases)
def test_scores_are_ordered_shares(pairs: list[tuple[Prediction, Truth]]) -> None:
    got = score([p for p, _ in pairs], [t for _, t in pairs])
    if got.present:
        assert 0 <= got.r1_at_07 <= got.r1_at_05 <= got.r1_at_03 <= got.file_recall_at_1
        assert got.file_recall_at_1 <= got.file_recall_at_5 <= got.answered_present <= 1
        assert got.r1_at_07 * 0.7 <= got.mean_iou + 1e-9 and got.mean_iou <= got.file_recall_at_1
        low, high = got.r1_at_05_ci95
        assert low <= got.r1_at_05 <= high
    else:
        assert math.isnan(got.r1_at_05)
    assert got.auroc is None


@relaxed
@given(cases.filter(bool))
def test_f1_is_the_harmonic_mean(pairs: list[tuple[Prediction, Truth]]) -> None:
    got = score([p for p, _ in pairs], [t for _, t in pairs])
    p, r = got.refuse_precision, got.refuse_recall
    if not math.isnan(p) and not math.isnan(r) and p + r > 0:
        assert got.reject_f1 == pytest.approx(2 * p * r / (p + r))


@relaxed
@given(cases)
def test_the_order_of_queries_does_not_matter(pairs: list[tuple[Prediction, Truth]]) -> None:
    turned = pairs[::-1]
    a = score([p for p, _ in pairs], [t for _, t in pairs])
    b = score([p for p, _ in turned], [t for _, t in turned])
    assert a.mean_iou == pytest.approx(b.mean_iou, nan_ok=True)
    assert a.reject_f1 == pytest.approx(b.reject_f1, nan_ok=True)


@relaxed
@given(st.lists(st.tuples(st.sampled_from(["a.mp4", "b.mp4"]), spans), min_size=1, max_size=8))
def test_an_oracle_is_perfect(pairs: list[tuple[str, Interval]]) -> None:
    pairs = [(file, (s, e + 1)) for file, (s, e) in pairs]
    truth = [_truth(file, span) for file, span in pairs] + [_truth()]
    right = [_found((file, *span), best=1.0) for file, span in pairs] + [_found(best=0.0)]
    got = score(right, truth)
    assert got.r1_at_07 == got.mean_iou == got.reject_f1 == got.auroc == 1.0
    assert got.false_alarm_rate == 0.0


def test_refusing_everything_misses_everything_present() -> None:
    got = score([_found(), _found()], [_truth("a.mp4", (0, 1)), _truth()])
    assert got.r1_at_03 == got.answered_present == got.false_alarm_rate == 0.0
    assert (got.refuse_precision, got.refuse_recall) == (0.5, 1.0)


def test_answering_everything_has_no_refusal_to_be_right_about() -> None:
    got = score([_found(("a.mp4", 0, 1))], [_truth()])
    assert got.reject_f1 == 0.0
    assert math.isnan(got.refuse_precision)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 predictions for 0 queries"):
        score([_found()], [])


def test_the_threshold_itself_is_a_hit() -> None:
    assert score([_found(("a.mp4", 0, 5))], [_truth("a.mp4", (0, 10))]).r1_at_05 == 1.0


def test_only_the_first_moment_counts_for_iou() -> None:
    answer = _found(("a.mp4", 8, 9), ("a.mp4", 0, 1))
    assert top_iou(answer, _truth("a.mp4", (0, 1))) == 0.0


def test_file_rank_counts_different_files() -> None:
    answer = _found(("b.mp4", 0, 1), ("b.mp4", 2, 3), ("c.mp4", 0, 1))
    assert file_rank(answer, _truth("c.mp4", (0, 1))) == 2
    assert file_rank(answer, _truth("d.mp4", (0, 1))) == math.inf


def test_files_agree_by_whole_names() -> None:
    assert same_file("/home/me/v1.mp4", "v1.mp4")
    assert same_file("/home/me/day/v1.mp4", "day/v1.mp4")
    assert not same_file("/home/me/xv1.mp4", "v1.mp4")
    assert not same_file("v1.mp4", "day/v1.mp4")


confidences = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=20)


@relaxed
@given(confidences, confidences)
def test_auroc_is_the_share_of_pairs_in_order(a: list[float], b: list[float]) -> None:
    pairs = [1.0 if x > y else 0.5 if x == y else 0.0 for x in a for y in b]
    assert auroc(a, b) == pytest.approx(sum(pairs) / len(pairs))
    assert auroc(a, b) + auroc(b, a) == pytest.approx(1.0)


@relaxed
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=30), st.integers(0, 2**32))
def test_the_interval_is_seeded_and_holds_possible_means(values: list[float], seed: int) -> None:
    low, high = bootstrap_ci(values, seed=seed, resamples=50)
    assert (low, high) == bootstrap_ci(values, seed=seed, resamples=50)
    assert min(values) <= low <= high <= max(values)


def test_the_table_is_github_markdown() -> None:
    truth = [_truth("a.mp4", (0, 1)), _truth()]
    right = score([_found(("a.mp4", 0, 1), best=1.0), _found(best=0.0)], truth)
    table = format_table({"nano|x": right, "mute": score([_found()] * 2, truth)})
    assert table == (
        "| system | R1@0.3 | R1@0.5 | R1@0.7 | mIoU | file R@1 | file R@5 | answered "
        "| false alarms | reject-F1 | AUROC |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        "| nano\\|x | 100.0 | 100.0 (100.0 to 100.0) | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 "
        "| 0.0 | 100.0 | 100.0 |\n"
        "| mute | 0.0 | 0.0 (0.0 to 0.0) | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | 66.7 | n/a |\n"
    )
