"""Plans of composite sets: what is dealt where, before anything is drawn."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import asdict
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._captions import choose_caption, content_words, is_entailed
from benchmarks._plan import SetPlan, plan_set
from benchmarks._shapes import EventShape, Shape
from benchmarks._sources import SPLITS, CompositeError, Item, in_partition, photographs, tidy
from benchmarks._takes import LitTake

PHOTOS = [Item("photo", f"dev/{i}.jpg", (f"word{i} one", f"word{i} two")) for i in range(90)]
CLIPS = [Item("clip", f"{i}.mp4", (f"clip{i}",), 3.0 + i) for i in range(8)]


def _plan(videos: int, seed: int) -> SetPlan:
    return plan_set(PHOTOS, CLIPS, Shape(videos), seed)


plans = st.builds(_plan, st.integers(1, 10), st.integers(0, 1000))


@settings(max_examples=30)
@given(plans)
def test_what_is_asked_for_is_where_it_should_be(plan: SetPlan) -> None:
    shown = {video.file: {shot.key for shot in video.shots} for video in plan.videos}
    for query in plan.queries:
        where = [file for file, keys in shown.items() if (query.source, query.item) in keys]
        assert where == ([] if query.video is None else [query.video])
    assert len({(query.source, query.item) for query in plan.queries}) == len(plan.queries)


@settings(max_examples=30)
@given(plans)
def test_shots_follow_each_other(plan: SetPlan) -> None:
    for video in plan.videos:
        rate = Fraction(video.rate)
        assert 4 <= len(video.shots) <= 20
        assert video.shots[0].start_frame == 0
        assert video.shots[0].transition == "start"
        for before, after in pairwise(video.shots):
            assert before.end_frame == after.start_frame
            assert before.key != after.key
            length = min(s.end_frame - s.start_frame for s in (before, after))
            assert after.half_frames <= length / 2
            assert (after.transition == "cut") == (after.half_frames == 0)
        for shot in video.shots:
            assert 2 - 1 / rate <= (shot.end_frame - shot.start_frame) / rate <= 9
            starts = [take.start_frame for take in shot.takes]
            assert starts == sorted(starts)
            assert all(shot.start_frame <= start < shot.end_frame for start in starts)


@settings(max_examples=30)
@given(plans)
def test_clips_have_room_for_their_part(plan: SetPlan) -> None:
    lengths = {clip.file: clip.seconds for clip in CLIPS}
    for video in plan.videos:
        for shot in video.shots:
            if shot.source == "clip":
                seconds = float((shot.end_frame - shot.start_frame) / Fraction(video.rate))
                assert shot.clip_start_seconds + seconds <= lengths[shot.file]


@settings(max_examples=30)
@given(plans)
def test_dropping_frames_keeps_every_boundary(plan: SetPlan) -> None:
    for video in plan.videos:
        kept = video.kept_frames()
        assert kept == sorted(set(kept)) == video.kept_frames()
        assert {0, video.frames - 1, *(shot.start_frame for shot in video.shots)} <= set(kept)
        assert video.drop_share > 0 or len(kept) == video.frames


def test_a_set_has_three_queries_a_video_and_almost_as_many_absent_ones() -> None:
    plan = _plan(8, 0)
    absent = [query for query in plan.queries if query.video is None]
    assert (len(plan.queries) - len(absent), len(absent)) == (24, 20)
    assert {query.source for query in absent} == {"photo", "clip"}


def test_the_seed_decides() -> None:
    assert _plan(5, 3) == _plan(5, 3)
    assert _plan(5, 3) != _plan(5, 4)


def test_a_large_set_has_every_kind_of_video_and_transition() -> None:
    photos = [Item("photo", f"{i}", (f"w{i}",)) for i in range(300)]
    videos = plan_set(photos, [], Shape(40), 0).videos
    shots = [shot for video in videos for shot in video.shots]
    fixed = [video for video in videos if video.gop_seconds is not None]
    assert 8 <= len(fixed) <= 12
    assert {Fraction(v.rate) for v in videos} == {25, 30, 24, Fraction(30000, 1001)}
    assert {v.file[-3:] for v in videos} == {"mp4", "mkv"}
    assert any(v.offset_frames for v in videos) and any(v.drop_share for v in videos)
    cuts = sum(shot.transition == "cut" for shot in shots) / len(shots)
    assert 0.55 < cuts < 0.75
    assert {shot.transition for shot in shots} == {"start", "cut", "crossfade", "black"}
    repeated = sum(len(v.shots) - len({shot.key for shot in v.shots}) for v in videos)
    assert 0.04 < repeated / len(shots) < 0.15
    assert any(len(shot.takes) == 2 for shot in shots)


def test_too_few_photographs_are_named() -> None:
    with pytest.raises(CompositeError, match="90 photographs are too few: 120 to ask for"):
        plan_set(PHOTOS, [], Shape(40), 0)


@pytest.mark.parametrize(
    "bad", [{"videos": 0}, {"shots": (2, 9)}, {"shots": (9, 4)}, {"shot_seconds": (0.1, 2)}]
)
def test_impossible_shapes_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(CompositeError):
        Shape(**{"videos": 1, **bad})


@given(st.text(), st.integers(1, 9))
def test_each_file_is_in_one_partition(file: str, parts: int) -> None:
    assert sum(in_partition(file, (k, parts)) for k in range(1, parts + 1)) == 1


def test_only_photographs_of_the_split_are_found(data: Path) -> None:
    for split in SPLITS:
        files = [photo.file for photo in photographs(data, split, (1, 1))]
        assert len(files) == 16
        assert all(file.startswith(f"{split}/") for file in files)
    with pytest.raises(CompositeError, match="dev, test"):
        photographs(data, "train", (1, 1))  # type: ignore[arg-type]


def test_captions_are_tidied() -> None:
    assert tidy("A dog  jumps .") == "A dog jumps"


def test_a_caption_that_another_picture_makes_true_is_passed_over() -> None:
    other = content_words("A brown dog is running on the grass")
    assert is_entailed(content_words("The dog runs"), [other])
    assert not is_entailed(content_words("A white dog runs"), [other])
    captions = ["The dog runs", "Dogs running", "A white dog runs"]
    for seed in range(9):
        assert choose_caption(random.Random(seed), captions, [other]) == "A white dog runs"


def test_where_all_captions_are_entailed_the_most_specific_stays() -> None:
    other = content_words("A brown dog is running on the grass")
    chosen = choose_caption(random.Random(0), ["a dog", "a dog runs", "grass"], [other])
    assert chosen == "a dog runs"


# -- long events -----------------------------------------------------------------------------------


def _events(videos: int, seed: int) -> SetPlan:
    return plan_set(PHOTOS, CLIPS, EventShape(videos), seed)


@settings(max_examples=30)
@given(st.integers(1, 10), st.integers(0, 1000))
def test_long_events_are_one_shot_each_whatever_the_takes(videos: int, seed: int) -> None:
    for video in _events(videos, seed).videos:
        rate = Fraction(video.rate)
        assert 1 <= len(video.shots) <= 6
        for before, after in pairwise(video.shots):
            assert before.end_frame == after.start_frame and before.key != after.key
        for shot in video.shots:
            seconds = (shot.end_frame - shot.start_frame) / rate
            assert 2 - 1 / rate <= seconds <= 40
            starts = [take.start_frame for take in shot.takes]
            assert starts == sorted(set(starts)) and all(
                shot.start_frame <= start < shot.end_frame for start in starts
            )
            if shot.source == "photo":
                assert starts[0] == shot.start_frame
                is_long = seconds >= 10 - 1 / rate
                assert all(isinstance(take, LitTake) == is_long for take in shot.takes)


def test_long_events_come_with_jump_cuts_and_without() -> None:
    plan = plan_set([Item("photo", f"{i}", (f"w{i}",)) for i in range(300)], [], EventShape(40), 0)
    shots = [shot for video in plan.videos for shot in video.shots]
    seconds = [(s.end_frame - s.start_frame) / 25 for s in shots]
    long = [shot for shot in shots if isinstance(shot.takes[0], LitTake)]
    assert 0.45 < len(long) / len(shots) < 0.75 and max(seconds) > 30
    assert {len(shot.takes) for shot in long} >= {1, 2, 3, 4}
    assert 0.15 < sum(len(shot.takes) == 1 for shot in long) / len(long) < 0.45
    assert any(len(video.shots) == 1 for video in plan.videos)
    asked = {video.file: 0 for video in plan.videos}
    for query in plan.queries:
        if query.video is not None:
            asked[query.video] += 1
    for video in plan.videos:
        assert asked[video.file] == min(3, len({shot.key for shot in video.shots}))


def test_sets_without_long_events_are_planned_as_they_always_were() -> None:
    """Or a set that was built before could not be built again, nor gone on with."""
    plan = asdict(_plan(6, 11))
    digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
    assert digest == "c48ecd9279eab54f619487c3007fa1d3e21da2e5a09e5fe7e5dde637effc6479"


def test_long_events_are_longer_than_short_shots() -> None:
    with pytest.raises(CompositeError, match="event_seconds must be a range from the longest"):
        EventShape(1, event_seconds=(8.0, 20.0))
    with pytest.raises(CompositeError, match="shots must be a range from 1 up"):
        EventShape(1, shots=(0, 3))
