"""Questions about one video each are true where they say so, and their figures count by kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks._captions import content_words, is_entailed
from benchmarks._questions import Question, plan_questions
from benchmarks._sources import open_archive
from benchmarks.composites import CompositeSet, build_composites
from benchmarks.moments import Found, figures, format_table


@pytest.fixture(scope="module")
def composites(data: Path, tmp_path_factory: pytest.TempPathFactory) -> CompositeSet:
    out = tmp_path_factory.mktemp("questions") / "set"
    return build_composites(
        data,
        out,
        split="test",
        videos=2,
        seed=3,
        clips=False,
        shots=(4, 5),
        shot_seconds=(0.5, 1.0),
        workers=1,
    )


def test_each_picture_is_asked_about_twice(composites: CompositeSet, data: Path) -> None:
    questions = plan_questions(composites, data, pictures=2, seed=0)
    assert [q.asked for q in questions] == ["present", "easy", "present", "hard"] * 2
    assert {q.file for q in questions} == {video["file"] for video in composites.manifest["videos"]}
    assert questions == plan_questions(composites, data, pictures=2, seed=0)
    assert questions != plan_questions(composites, data, pictures=2, seed=1)


def test_only_what_is_shown_has_spans(composites: CompositeSet, data: Path) -> None:
    captions = dict(open_archive(data, "flickr8k").index)
    shown = {video["file"]: video["shots"] for video in composites.manifest["videos"]}
    for question in plan_questions(composites, data, pictures=4, seed=0):
        here = shown[question.file]
        true = [tuple(shot["span"]) for shot in here if question.query in captions[shot["item"]]]
        if question.asked == "present":
            assert true == list(question.spans) != []
        else:
            assert not true and not question.spans
            words = [content_words(c) for shot in here for c in captions[shot["item"]]]
            assert not is_entailed(content_words(question.query), words)


def test_figures_count_a_refusal_as_a_miss_and_an_answer_as_a_false_alarm() -> None:
    questions = [
        Question("v.mp4", "a", "present", ((0.0, 4.0),)),
        Question("v.mp4", "b", "present", ((4.0, 8.0),)),
        Question("v.mp4", "c", "easy", ()),
        Question("v.mp4", "d", "hard", ()),
        Question("v.mp4", "e", "hard", ()),
    ]
    found = [
        Found(((0.0, 4.0), (6.0, 7.0)), 0.9),
        Found((), 0.3),
        Found((), 0.1),
        Found(((0.0, 1.0),), 0.6),
        Found((), 0.2),
    ]
    row = figures(found, questions)
    assert row["r1_at_0.7"] == row["answered"] == row["mean_iou"] == 50.0
    assert (row["false_alarms_easy"], row["false_alarms_hard"]) == (0.0, 50.0)
    # Two of three refusals are right, and two of three absent questions were refused.
    assert row["reject_f1"] == pytest.approx(200 / 3)
    assert (row["auroc_easy"], row["auroc_hard"]) == (100.0, 75.0)
    # To answer nine of ten present ones the threshold must fall to the lower confidence.
    assert (row["false_alarms_easy_at_0.9"], row["false_alarms_hard_at_0.9"]) == (0.0, 50.0)
    assert "| x | 50.0 | 50.0 | 50.0 | 50.0 | 0.0 | 50.0 | 66.7 |" in format_table({"x": row})
