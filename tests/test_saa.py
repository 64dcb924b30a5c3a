"""Attention goes where the picture changes: the plan over packets, and the shares of tokens."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from videos import Shot, Truth, make_video, motion, texture

from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.media import DecodeRange, PacketTable, VideoInfo, open_video
from tempo_edge.saa import Reason, SamplingBudget, SamplingPlan, allocate, plan, uniform_plan
from tempo_edge.store.rows import FrameRow

INFO = VideoInfo("h264", 640, 360, Fraction(1, 1000), Fraction(0), Fraction(60), None, 8)
POLICY = SamplingBudget()
GAP = POLICY.max_gap_seconds * 1000  # in the ticks of these tables


def table(
    gops: list[int], *, sizes: list[int] | None = None, steps: list[int] | None = None
) -> PacketTable:
    """A packet table of groups of ``gops`` pictures, ``steps`` milliseconds apart."""
    count = sum(gops)
    keys = np.zeros(count, np.bool_)
    keys[np.cumsum([0, *gops[:-1]])] = True
    pts = np.cumsum([0, *(steps or [40] * (count - 1))])
    coded = np.asarray(sizes or np.where(keys, 20_000, 500))
    return PacketTable(pts.astype(np.int64), coded.astype(np.int64), keys)


@st.composite
def tables(draw: st.DrawFn) -> PacketTable:
    """Films of any rhythm: steady, cut, intra-only, with holes; key frames of any size."""
    gops = draw(st.lists(st.one_of(st.integers(1, 60), st.just(25)), min_size=1, max_size=12))
    count = sum(gops)
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    holes = draw(st.sampled_from([40, 400, 3000, 30_000]))
    steps = np.where(rng.random(count - 1) < 0.1, rng.integers(1, holes, count - 1), 40)
    keys = table(gops).keys
    sizes = np.where(keys, rng.integers(200, 60_000, count), rng.integers(1, 9_000, count))
    sizes = np.where(rng.random(count) < 0.05, sizes * 10, sizes)
    return table(gops, sizes=sizes.tolist(), steps=steps.tolist())


policies = st.builds(
    SamplingBudget,
    max_gap_seconds=st.floats(0.5, 10),
    min_gap_seconds=st.floats(0, 2),
    dense_pixels_per_second=st.floats(0, 1e7),
    spike=st.floats(0.1, 1),
    refresh=st.floats(0.1, 2),
    refresh_pixels=st.floats(0, 1e8),
)


# -- the plan ----------------------------------------------------------------------------------


@settings(max_examples=200)
@given(tables(), policies)
def test_runs_are_in_order_and_do_not_overlap(packets: PacketTable, policy: SamplingBudget) -> None:
    chosen = plan(packets, INFO, policy)
    assert all(before.last < after.key for before, after in pairwise(chosen.runs))
    keys = set(packets.pts[packets.keys].tolist())
    assert all(run.key in keys for run in chosen.runs)


@settings(max_examples=200)
@given(tables(), policies)
def test_every_look_lies_in_a_run(packets: PacketTable, policy: SamplingBudget) -> None:
    chosen = plan(packets, INFO, policy)
    assert (np.diff(chosen.wanted) > 0).all()
    assert set(chosen.wanted.tolist()) <= set(packets.pts.tolist())
    for pts in chosen.wanted:
        assert sum(run.key <= pts <= run.last for run in chosen.runs) == 1
    for run in chosen.runs:  # nothing is decoded for nothing
        assert run.key in chosen.wanted and run.last in chosen.wanted


@settings(max_examples=300)
@given(tables(), policies)
@example(table([1, 1, 1], steps=[7900, 8100]), SamplingBudget(max_gap_seconds=8))
@example(table([3], steps=[7900, 200]), SamplingBudget(max_gap_seconds=8))
@example(table([4], steps=[7900, 200, 7900]), SamplingBudget(max_gap_seconds=8))
@example(table([500]), SamplingBudget(dense_pixels_per_second=0))
def test_no_gap_is_longer_than_allowed(packets: PacketTable, policy: SamplingBudget) -> None:
    """Where two looks lie further apart, the file holds nothing to speak of in between."""
    gap = policy.max_gap_seconds * 1000 + 1e-3
    largest = packets.sizes[packets.keys].max()
    for calm in (policy.calm, 0.0):
        chosen = plan(packets, INFO, replace(policy, calm=calm))
        for before, after in pairwise([*chosen.wanted.tolist(), int(packets.pts[-1])]):
            between = (packets.pts > before) & (packets.pts < after)
            news = packets.sizes[between & ~packets.keys].sum() / largest
            # Shares that are added up one by one may come out a little less.
            assert after - before <= gap or not between.any() or news < calm + 1e-9


@settings(max_examples=200)
@given(tables(), policies)
def test_pixels_decoded_keep_to_the_budget(packets: PacketTable, policy: SamplingBudget) -> None:
    """Beyond key frames and the gap rule, which come first."""

    def decoded(chosen: SamplingPlan) -> int:
        """Pictures of all runs but the key frames that they begin with."""
        ends = np.searchsorted(packets.pts, [run.last for run in chosen.runs])
        starts = np.searchsorted(packets.pts, [run.key for run in chosen.runs])
        return int((ends - starts).sum())

    thrifty = SamplingBudget(
        max_gap_seconds=policy.max_gap_seconds,
        min_gap_seconds=policy.min_gap_seconds,
        dense_pixels_per_second=0,
    )
    needed = decoded(plan(packets, INFO, thrifty))
    first = packets.pts[packets.keys][0]
    seconds = (packets.pts[-1] - first) / 1000
    paid = max(seconds, len(packets) / 30)  # of faster footage more may be decoded
    budget = policy.dense_pixels_per_second * paid / (INFO.width * INFO.height)
    assert decoded(plan(packets, INFO, policy)) <= max(needed, budget + 1e-6)


def test_events_within_what_is_decoded_anyway_are_free() -> None:
    """A spike before the last picture that the gap rule asks for costs no decoding."""
    sizes = [20_000, *[300] * 499]
    sizes[30] = 15_000
    chosen = plan(table([500], sizes=sizes), INFO, SamplingBudget(dense_pixels_per_second=0))
    assert 30 * 40 in chosen.wanted.tolist()


def test_a_cut_inside_a_group_of_pictures_is_looked_at() -> None:
    sizes = [20_000, *[300] * 249]
    sizes[131] = 18_000
    chosen = plan(table([250], sizes=sizes), INFO, POLICY)
    assert 131 * 40 in chosen.wanted.tolist()


def test_a_cut_to_something_hectic_is_looked_at() -> None:
    """Every picture after it is as large, so that it stands out from those before it only."""
    sizes = [20_000, *[300] * 60, *[12_000] * 189]
    chosen = plan(table([250], sizes=sizes), INFO, SamplingBudget(refresh_pixels=0))
    assert chosen.wanted.tolist() == [0, 61 * 40]


def test_steady_motion_is_looked_at_again_where_that_is_cheap() -> None:
    """A key frame's worth of bytes comes in 34 pictures: 8 million pixels here, 70 in 1080p."""
    packets = table([250, 250], sizes=[20_000, *[600] * 249] * 2)
    small = plan(packets, INFO, POLICY)
    found = small.wanted[[why is Reason.REFRESH for why in small.reasons]]
    # The budget pays for all but the last two.
    every = [40 * (250 * gop + 34 * n) for gop in (0, 1) for n in range(1, 8)]
    assert found.tolist() == every[:-2]
    for size in ((1920, 1080), (1280, 720)):
        large = plan(packets, replace(INFO, width=size[0], height=size[1]), POLICY)
        assert large.wanted.tolist() == [0, 10_000]
    dear = replace(POLICY, refresh_pixels=1e9)
    assert len(plan(packets, replace(INFO, width=1920, height=1080), dear).wanted) == 3


def test_what_is_too_dear_stands_in_nobodys_way() -> None:
    """A cut that comes after a refresh which is not bought."""
    sizes = [20_000, *[300] * 249]
    sizes[120] = 18_000
    chosen = plan(table([250], sizes=sizes), INFO, SamplingBudget(refresh_pixels=1e6))
    assert chosen.wanted.tolist() == [0, 120 * 40]


def test_a_key_frame_that_shows_what_is_new_is_looked_at_and_not_the_picture_after_it() -> None:
    """Key frames 0.96 s apart, each second one passed over, and a refresh due after a second."""
    packets = table([24] * 10, sizes=[20_000, *[1_000] * 23] * 10)
    chosen = plan(packets, INFO, POLICY)
    assert chosen.wanted.tolist() == packets.pts[packets.keys].tolist()
    assert all(run.key == run.last for run in chosen.runs)
    # Where most of it came after the key frame, that shows it no more.
    packets = table([24, 250], sizes=[20_000, *[100] * 23, 20_000, *[600] * 249])
    assert plan(packets, INFO, POLICY).wanted.tolist()[:3] == [0, 24 * 40, (24 + 34) * 40]


def test_large_pictures_right_after_a_key_frame_are_no_cut() -> None:
    """An encoder that begins with a rate too high, or footage that is hectic as ever."""
    large = replace(INFO, width=1920, height=1080)
    sizes = [20_000, 8_000, 9_000, 8_000, 11_000, *[400] * 20, *[20_000, *[600] * 24] * 3]
    packets = table([25] * 4, sizes=sizes)
    keys = packets.pts[packets.keys].tolist()
    assert plan(packets, large, POLICY).wanted.tolist() == keys
    packets.sizes[1:5] = 18_000, 400, 400, 400
    assert 40 in plan(packets, large, POLICY).wanted, "a cut right after the key frame"
    packets.sizes[1:10] = [7_000] * 8 + [30_000]
    assert 9 * 40 in plan(packets, large, POLICY).wanted, "a cut in what is hectic"


def test_what_every_group_holds_at_the_same_place_is_no_cut() -> None:
    """After three that lean on two others each comes the first that leans on the key frame."""
    large = replace(INFO, width=1920, height=1080)
    group = [20_000, 300, 600, 300, 8_000, *[300] * 43]
    packets = table([48] * 6, sizes=group * 6)
    keys = packets.pts[packets.keys].tolist()
    assert plan(packets, large, POLICY).wanted.tolist() == keys
    packets.sizes[3 * 48 + 4] = 19_000
    wanted = plan(packets, large, POLICY).wanted.tolist()
    assert wanted == sorted([*keys, (3 * 48 + 4) * 40]), "a cut there is looked at"
    packets = table([48] * 3, sizes=group * 3)
    assert 4 * 40 in plan(packets, large, POLICY).wanted, "few groups tell nothing"


def test_a_steady_shot_costs_key_frames_only() -> None:
    sizes = [20_000, *[100] * 49] * 20
    chosen = plan(table([50] * 20, sizes=sizes), INFO, POLICY)
    assert all(run.key == run.last for run in chosen.runs)
    assert chosen.wanted.tolist() == [run.key for run in chosen.runs]


def test_intra_only_footage_is_thinned() -> None:
    """Where every picture is a key frame, one a second is enough of them."""
    sizes = (20_000 + np.random.default_rng(1).integers(-3000, 3000, 500)).tolist()
    chosen = plan(table([1] * 500, sizes=sizes), INFO, POLICY)
    assert len(chosen.wanted) <= 21
    assert np.diff(chosen.wanted).min() >= 1000


UHD = replace(INFO, codec="prores", width=3840, height=2160)


@pytest.mark.parametrize(("info", "most"), [(INFO, 60), (UHD, 36)], ids=["small", "4K"])
@pytest.mark.parametrize("jitter", [0, 3000])
def test_intra_only_footage_is_sampled_evenly_within_the_budget(
    info: VideoInfo, most: int, jitter: int
) -> None:
    """A minute of it, of which the budget pays for 1,302 small pictures, or for 36 large ones."""
    sizes = 20_000 + np.random.default_rng(1).integers(-jitter, jitter + 1, 1500)
    chosen = plan(table([1] * 1500, sizes=sizes.tolist()), info, POLICY)
    assert most - 1 <= len(chosen.wanted) <= most
    gaps = np.diff(chosen.wanted)
    assert gaps.max() - gaps.min() <= 40 and gaps.min() >= 1000 and gaps.max() <= GAP
    assert set(chosen.reasons) == {Reason.DISTANCE}
    assert all(run.key == run.last for run in chosen.runs)


@settings(max_examples=100)
@given(
    st.integers(3, 2000),
    st.sampled_from([4, 20, 40, 400]),
    st.integers(1, 40),
    st.floats(0, 1e8),
    st.integers(0, 10**6),
)
def test_intra_only_footage_keeps_to_the_budget_whatever_its_size_and_rate(
    count: int, step: int, hundreds: int, pixels: float, seed: int
) -> None:
    info = replace(INFO, width=100 * hundreds, height=100 * hundreds)
    policy = SamplingBudget(dense_pixels_per_second=pixels)
    sizes = np.random.default_rng(seed).integers(10_000, 40_000, count).tolist()
    chosen = plan(table([1] * count, sizes=sizes, steps=[step] * (count - 1)), info, policy)
    seconds = (count - 1) * step / 1000
    affordable = seconds * pixels / (info.width * info.height)
    assert len(chosen.wanted) <= max(1 + affordable, 2 + seconds / 10)
    assert np.diff([*chosen.wanted, (count - 1) * step]).max() <= GAP


def test_where_sizes_of_intra_only_footage_step_is_a_cut() -> None:
    sizes = np.concatenate([np.full(337, 20_000), np.full(400, 31_000)])
    sizes += np.random.default_rng(2).integers(-200, 200, len(sizes))
    chosen = plan(table([1] * len(sizes), sizes=sizes.tolist()), INFO, POLICY)
    assert chosen.scene_keys == {337 * 40}
    assert 337 * 40 in chosen.wanted


def test_an_intra_only_film_may_have_holes() -> None:
    steps = [*[40] * 200, 60_000, *[40] * 200]
    chosen = plan(table([1] * 402, steps=steps), INFO, POLICY)
    assert {200 * 40, 200 * 40 + 60_000} <= set(chosen.wanted.tolist())


def test_short_groups_of_pictures_are_no_news() -> None:
    """Tapeless cameras begin a group every half second: what is skipped of them adds up to none."""
    sizes = np.where(table([12] * 60).keys, 100_000, 1_000)
    chosen = plan(table([12] * 60, sizes=sizes.tolist()), INFO, POLICY)
    assert all(run.key == run.last for run in chosen.runs)
    sizes[12 * 31 + 7] = 80_000  # a cut, in a group that would not have been decoded
    chosen = plan(table([12] * 60, sizes=sizes.tolist()), INFO, POLICY)
    assert DecodeRange(12 * 31 * 40, (12 * 31 + 7) * 40) in chosen.runs


def still(hours: float, gop: int, sizes: tuple[int, int] = (60_000, 12)) -> PacketTable:
    """A screen that nothing happens on, at 25 pictures a second."""
    count = round(hours * 90_000)
    keys = np.arange(count) % gop == 0
    coded = np.where(keys, *sizes)
    return PacketTable(np.arange(count) * 40, coded, keys)


@pytest.mark.parametrize("gop", [12, 25, 50, 250, 251, 10**6])
@pytest.mark.parametrize("info", [INFO, UHD], ids=["small", "4K"])
def test_an_hour_of_a_still_screen_costs_key_frames_at_most(gop: int, info: VideoInfo) -> None:
    packets = still(1, gop)
    chosen = plan(packets, info, POLICY)
    assert all(run.key == run.last for run in chosen.runs)
    assert len(chosen.wanted) <= min(packets.keys.sum(), 3600 / 9.5 + 2)


@settings(max_examples=60)
@given(
    st.sampled_from([12, 25, 50, 250, 251, 10**6]),
    st.integers(1, 10_000),
    st.floats(0.12, 1.3),
    st.sampled_from([INFO, UHD]),
)
def test_a_slide_that_changes_is_looked_at_soon(
    gop: int, at: int, share: float, info: VideoInfo
) -> None:
    """Whatever share of a key frame it takes, and though there is no budget left."""
    packets = still(0.12, gop)
    packets.sizes[at] = share * 60_000
    for policy in (POLICY, SamplingBudget(dense_pixels_per_second=0)):
        chosen = plan(packets, info, policy)
        later = chosen.wanted[chosen.wanted >= at * 40]
        assert (len(later) and later[0] - at * 40 <= GAP) or at * 40 > packets.pts[-1] - GAP


def test_a_slide_that_changes_is_a_cut() -> None:
    packets = still(0.5, 250)
    packets.sizes[20_100] = 30_000
    assert 20_100 * 40 in plan(packets, INFO, POLICY).wanted


def test_the_same_bytes_in_more_pictures_are_looked_at_alike() -> None:
    """30 and 240 pictures a second: the same film, of which each packet holds an eighth."""
    rng = np.random.default_rng(4)
    news = rng.integers(100, 900, 3000) + 2500 * (rng.random(3000) < 0.02)
    slow_keys = np.arange(3000) % 60 == 0
    cuts = [317, 1044, 2011]
    news[cuts] = 19_000
    slow = PacketTable(np.arange(3000) * 32, np.where(slow_keys, 20_000, news), slow_keys)
    fast_keys = np.repeat(slow_keys, 8) & (np.arange(24_000) % 8 == 0)
    eighths = np.repeat(news // 8, 8)
    eighths[np.multiply(cuts, 8)] = 19_000
    fast = PacketTable(np.arange(24_000) * 4, np.where(fast_keys, 20_000, eighths), fast_keys)
    for info in (INFO, replace(INFO, width=1920, height=1080)):
        few, many = plan(slow, info, POLICY), plan(fast, info, POLICY)
        assert {at * 32 for at in cuts} <= set(few.wanted.tolist()) & set(many.wanted.tolist())
        assert len(many.wanted) == pytest.approx(len(few.wanted), rel=0.1)
        far = [np.abs(few.wanted - at).min() for at in many.wanted]
        assert np.quantile(far, 0.9) <= 500


def test_key_frames_out_of_rhythm_are_kept_though_they_come_close() -> None:
    chosen = plan(table([50, 50, 12, 50, 50, 50]), INFO, POLICY)
    assert {4000, 4480} <= set(chosen.wanted.tolist())
    assert 4480 in chosen.scene_keys


def test_a_cut_to_the_same_shot_lengths_twice_is_no_rhythm() -> None:
    """A length that comes again now and then is a scene's; a rhythm is most of a film."""
    chosen = plan(table([50, 50, 12, 50, 50, 50, 12, 50, 50, 50]), INFO, POLICY)
    assert chosen.scene_keys == {(50 + 50 + 12) * 40, (50 + 50 + 12 + 150 + 12) * 40}
    # From about a third on it is one of the encoder's own.
    both = plan(table([50, 12, 50, 50, 12, 50, 50, 12, 50]), INFO, POLICY)
    assert both.scene_keys == frozenset()
    # What comes once is none, however short the film.
    once = plan(table([50, 12, 50, 50]), INFO, POLICY)
    assert once.scene_keys == {(50 + 12) * 40}


def test_a_black_key_frame_makes_no_news_of_what_follows() -> None:
    """Its bytes are so few that every picture after it seems to be new."""
    steady = [20_000, *[50] * 249]
    black = [100, *[50] * 249]
    sizes = [*steady, *black, *steady]
    chosen = plan(table([250] * 3, sizes=sizes), INFO, SamplingBudget(max_gap_seconds=20))
    assert chosen.wanted.tolist() == [0, 10_000, 20_000]
    assert all(run.key == run.last for run in chosen.runs)
    assert chosen.calm_keys == {10_000, 20_000}


def test_a_key_frame_is_not_measured_by_less_than_it_takes() -> None:
    """One that is larger than the others is the measure of its own group of pictures."""
    sizes = [*[20_000, *[50] * 249] * 2, 200_000, *[50] * 249]
    sizes[600] = 15_000  # a cut elsewhere, not after 200,000 bytes
    chosen = plan(table([250] * 3, sizes=sizes), INFO, POLICY)
    assert chosen.wanted.tolist() == [0, 10_000, 20_000]


reasons_left_out = st.sets(st.sampled_from([r for r in Reason if r is not Reason.DISTANCE]))


def test_a_plan_says_why_it_looks() -> None:
    sizes = np.where(table([250, 250, 33, 300]).keys, 20_000, 150)
    sizes[[100, 250 + 250 + 33 + 60]] = 18_000  # two cuts
    packets = table([250, 250, 33, 300], sizes=sizes.tolist())
    chosen = plan(packets, INFO, POLICY)
    told = dict(zip((chosen.wanted // 40).tolist(), chosen.reasons, strict=True))
    assert told == {
        0: Reason.KEY,
        100: Reason.SPIKE,
        250: Reason.KEY,
        500: Reason.KEY,
        533: Reason.SCENE,  # 12 seconds before the end, which is too far
        570: Reason.GAP,
        593: Reason.SPIKE,
    }


@settings(max_examples=200)
@given(tables(), policies, reasons_left_out)
def test_what_is_looked_at_for_a_reason_can_be_left_out(
    packets: PacketTable, policy: SamplingBudget, reasons: set[Reason]
) -> None:
    whole = plan(packets, INFO, policy)
    part = whole.without(reasons)
    assert part.wanted.tolist() == [
        pts
        for at, (pts, why) in enumerate(zip(whole.wanted.tolist(), whole.reasons, strict=True))
        if not at or why not in reasons
    ]
    assert not set(part.reasons[1:]) & reasons
    assert [run.key for run in part.runs] == sorted({run.key for run in part.runs})
    assert {run.last for run in part.runs} <= set(part.wanted.tolist())
    for pts in part.wanted:
        assert sum(run.key <= pts <= run.last for run in part.runs) == 1
    assert part.finds_cuts == (Reason.PASSED not in reasons)


def test_reasons_are_one_a_look() -> None:
    chosen = plan(table([50, 50]), INFO, POLICY)
    with pytest.raises(ValueError, match=r"reasons must be one a look: 1 for \d"):
        replace(chosen, reasons=(Reason.KEY,))


def test_pictures_before_the_first_key_frame_are_left_alone() -> None:
    packets = table([20, 30])
    packets.keys[0] = False
    for chosen in (plan(packets, INFO, POLICY), uniform_plan(packets, INFO, 5)):
        assert chosen.wanted[0] == 800
        assert chosen.runs[0].key == 800


@pytest.mark.parametrize("gops", [[1], [2], [1, 1]])
def test_the_shortest_films(gops: list[int]) -> None:
    chosen = plan(table(gops), INFO, POLICY)
    assert chosen.wanted[0] == 0


def test_a_gap_of_fifty_years_costs_the_uniform_plan_nothing() -> None:
    years = 50 * 31_536_000_000
    packets = table([6], steps=[1000, 1000, years, 1000, 1000])
    tracemalloc.start()
    chosen = uniform_plan(packets, INFO, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert chosen.wanted.tolist() == packets.pts.tolist()
    assert most < 1e6


@settings(max_examples=100)
@given(tables(), st.integers(1, 150).map(lambda fifths: fifths / 5))
def test_the_uniform_plan_looks_at_equal_distances(packets: PacketTable, rate: float) -> None:
    chosen = uniform_plan(packets, INFO, rate)
    assert not chosen.measured
    assert chosen.runs[0].key == packets.pts[0]
    assert chosen.runs[-1].last == packets.pts[-1]
    for at in np.arange(packets.pts[0], packets.pts[-1], 1000 / rate):
        nearest = packets.pts[packets.pts >= at - 1e-3][0]
        assert nearest in chosen.wanted


def test_plans_need_a_key_frame() -> None:
    packets = table([10])
    packets.keys[:] = False
    with pytest.raises(ValueError, match="holds no key frame"):
        plan(packets, INFO, POLICY)
    with pytest.raises(ValueError, match="holds no key frame"):
        uniform_plan(packets, INFO, 1)
    with pytest.raises(ValueError, match="frames_per_second 0 must be positive"):
        uniform_plan(table([10]), INFO, 0)


def test_policies_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="max_gap_seconds 0 must be positive"):
        SamplingBudget(max_gap_seconds=0)
    with pytest.raises(ValueError, match=r"token_floor 4 must be within \[0, 3\]"):
        SamplingBudget(token_floor=4, token_ceiling=3)


# -- shares of tokens --------------------------------------------------------------------------

variations = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.004, 0.2, 0.5, 1.0])), max_size=60
).map(lambda values: np.asarray(values, np.float64))
limits = st.tuples(st.integers(0, 4), st.integers(0, 12)).map(lambda t: (t[0], t[0] + t[1]))


@settings(max_examples=400)
@given(variations, st.integers(0, 400), limits, st.floats(0.001, 1))
def test_the_budget_is_spent_exactly_within_floor_and_ceiling(
    variation: NDArray[np.float64], budget: int, limit: tuple[int, int], epsilon: float
) -> None:
    floor, ceiling = limit
    policy = SamplingBudget(token_floor=floor, token_ceiling=ceiling, epsilon=epsilon)
    tokens = allocate(variation, budget, policy)
    changed = variation > policy.still
    assert tokens.dtype == np.int64 and tokens.shape == variation.shape
    assert (tokens[~changed] == 0).all()
    if floor * changed.sum() > budget:  # too little for all: the most changed get the floor
        assert set(tokens.tolist()) <= {0, floor}
        assert tokens.sum() == budget - budget % floor
    else:
        assert tokens.sum() == min(budget, ceiling * changed.sum()) * bool(changed.any())
        assert ((tokens[changed] >= floor) & (tokens[changed] <= ceiling)).all()


@settings(max_examples=300)
@given(variations, st.integers(0, 400), limits)
def test_more_change_never_gets_fewer_tokens(
    variation: NDArray[np.float64], budget: int, limit: tuple[int, int]
) -> None:
    policy = SamplingBudget(token_floor=limit[0], token_ceiling=limit[1])
    tokens = allocate(variation, budget, policy)
    for less, more in pairwise(np.argsort(variation, kind="stable")):
        # Of two that are alike, the earlier one may get more.
        assert tokens[less] <= tokens[more] or variation[less] == variation[more]


@given(st.integers(1, 40), st.integers(0, 200), st.floats(0.01, 1))
def test_ties_go_to_the_earlier_frame(count: int, budget: int, variation: float) -> None:
    tokens = allocate(np.full(count, variation), budget)
    assert (np.diff(tokens) <= 0).all()
    assert tokens.max() - tokens.min() <= 1


@pytest.mark.parametrize("count", [3, 30, 300, 3000])
def test_ties_among_others_go_to_the_earlier_frames(count: int) -> None:
    """In films of any length, whether or not the floor can be paid for all."""
    levels = np.array([0.2, 0.5, 0.8])
    variation = levels[np.random.default_rng(3).integers(0, 3, count)]
    for budget in (count // 3, count // 2, count, 2 * count, 3 * count):
        tokens = allocate(variation, budget)
        for level in levels:
            alike = tokens[variation == level]
            assert (np.diff(alike) <= 0).all()
        assert tokens.sum() == budget


def test_shares_follow_the_variation() -> None:
    policy = SamplingBudget(token_floor=0, token_ceiling=100, epsilon=0.1)
    tokens = allocate(np.array([0.1, 0.3, 0.9]), 16, policy)  # in proportion to 2, 4, 10
    assert tokens.tolist() == [2, 4, 10]


def test_the_plainest_cases() -> None:
    assert allocate(np.array([]), 5).tolist() == []
    assert allocate(np.array([0.5]), 5).tolist() == [5]
    assert allocate(np.array([0.5]), 50).tolist() == [9]
    assert allocate(np.array([0.5, 0.5]), 0).tolist() == [0, 0]
    assert allocate(np.zeros(3), 5).tolist() == [0, 0, 0]
    assert allocate(np.array([0.2, 0.9, 0.5, 0.9]), 2).tolist() == [0, 1, 0, 1]
    assert allocate(np.array([0.9, 0.2, 0.9, 0.9]), 2).tolist() == [1, 0, 1, 0]


def test_a_long_film_is_shared_out_exactly() -> None:
    rng = np.random.default_rng(2)
    tokens = allocate(rng.random(20_000) ** 3, 61_803)
    assert tokens.sum() == 61_803


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [float("nan")], [0.5, float("inf")]])
def test_variation_outside_its_range_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match=r"variation must be within \[0, 1\]"):
        allocate(np.array(bad), 5)


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="budget -1 must not be negative"):
        allocate(np.array([0.5]), -1)


# -- real videos -------------------------------------------------------------------------------


class FakeTower:
    """Stands in for the image tower: vectors that tell nothing, at no cost."""

    def encode(self, pictures: NDArray[np.uint8]) -> tuple[Any, Any]:
        count = len(pictures)
        return np.full((count, 4), 0.5, np.float32), np.full((count, 9, 4), 0.5, np.float32)


PROFILE: Any = SimpleNamespace(
    image_size=32, interpolation="AREA", crop=False, tokens_per_frame=9, image_tower=FakeTower()
)


def look_at(path: Path, policy: SamplingBudget = POLICY, decoder: str = "pyav") -> list[FrameRow]:
    reader = FootageReader(PROFILE, Sampling(policy), decoder, workers=2)
    try:
        return reader.read(path).frames
    finally:
        reader.close()


def cuts_found(truth: Truth, decoder: str = "pyav") -> list[Fraction]:
    with open_video(truth.path) as video:
        info = video.info
    return [info.time_of(row.pts) for row in look_at(truth.path, decoder=decoder) if row.cut]


# Odd lengths, so that no cut falls into the rhythm of the key frames by chance.
SHOTS: list[Shot] = [
    (texture(1), 3.16),
    (motion(2, step=2), 2.52),
    (texture(3), 4.04),
    (motion(4, step=1), 2.88),
]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fixed.mp4", {"gop": 50, "scenecut": False}),
        ("one_gop.mp4", {"gop": 1000, "scenecut": False}),
        ("scenecut.mp4", {"gop": 250}),
        ("fixed.ts", {"gop": 50, "scenecut": False}),
        ("variable.mkv", {"gop": 50, "scenecut": False, "drop": range(5, 300, 7)}),
        ("hevc.mp4", {"gop": 50, "scenecut": False, "codec": "libx265"}),
        ("ntsc.mp4", {"gop": 60, "scenecut": False, "rate": Fraction(30000, 1001)}),
    ],
)
def test_cuts_are_found_to_the_picture(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    truth = make_video(tmp_path / name, shots=SHOTS, size=(192, 112), **options)
    found = cuts_found(truth)
    nearest = [min(found, key=lambda t: abs(t - cut), default=None) for cut in truth.cuts]
    tolerance = Fraction(1, 1000) if name.endswith(".mkv") else 0
    assert [abs(a - b) <= tolerance for a, b in zip(nearest, truth.cuts, strict=True)] == [True] * 3
    assert len(found) == 3  # and nothing else is taken for one


def test_cuts_on_the_way_are_looked_at_only_if_that_is_planned(tmp_path: Path) -> None:
    """A cut to much the same bytes: no packet stands out, so that only what is decoded tells."""
    shots: list[Shot] = [(motion(2, step=2), 3.16), (motion(4, step=1), 3)]
    truth = make_video(tmp_path / "a.mp4", shots=shots, size=(192, 112), gop=1000, scenecut=False)

    class Partial(Sampling):
        left_out = frozenset({Reason.SPIKE})

        def plan(self, table: PacketTable, info: VideoInfo) -> SamplingPlan:
            # The last picture is wanted, and the cut is on the way there.
            last = int(table.pts[-1])
            chosen = super().plan(table, info).without({Reason.SPIKE})
            chosen = replace(
                chosen,
                runs=[DecodeRange(chosen.runs[0].key, last)],
                wanted=np.array([chosen.runs[0].key, last]),
                reasons=(Reason.KEY, Reason.GAP),
            )
            return chosen.without(self.left_out)

    def found(sampling: Sampling) -> list[Fraction]:
        reader = FootageReader(PROFILE, sampling)
        try:
            rows = reader.read(truth.path).frames
        finally:
            reader.close()
        with open_video(truth.path) as video:
            return [video.info.time_of(row.pts) for row in rows if row.cut]

    sampling = Partial()
    assert found(sampling) == list(truth.cuts)
    Partial.left_out = frozenset({Reason.SPIKE, Reason.PASSED})
    assert found(sampling) == []


def test_a_cut_at_a_key_frame_in_rhythm_is_found(tmp_path: Path) -> None:
    """Cameras with a fixed GOP; here every cut falls on a key frame, so no packet stands out."""
    shots: list[Shot] = [(texture(1), 4), (texture(2), 2), (motion(3, step=1), 4)]
    truth = make_video(tmp_path / "a.mp4", shots=shots, size=(192, 112), gop=50, scenecut=False)
    assert cuts_found(truth) == list(truth.cuts)


def test_decord_finds_the_same_cuts(tmp_path: Path) -> None:
    pytest.importorskip("decord")
    options: dict[str, Any] = {"gop": 50, "scenecut": False}
    truth = make_video(tmp_path / "a.mp4", shots=SHOTS, size=(192, 112), **options)
    assert cuts_found(truth, "decord") == list(truth.cuts)


def test_a_still_film_costs_one_frame(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(texture(7), 8)], size=(192, 112), gop=25)
    assert len(look_at(truth.path)) == 1


def test_intra_only_footage_is_not_decoded_whole(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.avi",
        shots=[(motion(1), 4), (texture(2), 4)],
        size=(192, 112),
        codec="mjpeg",
        pixel_format="yuvj420p",
    )
    rows = look_at(truth.path)
    assert 2 <= len(rows) <= 12
    assert cuts_found(truth) == list(truth.cuts)  # where the sizes of its packets step


@pytest.mark.parametrize("gop", [10, 50, 1000])
def test_a_slide_show_costs_a_frame_a_slide(tmp_path: Path, gop: int) -> None:
    slides: list[Shot] = [(texture(1), 24.4), (texture(2), 11.3), (texture(3), 20)]
    truth = make_video(
        tmp_path / "a.mp4",
        shots=slides,
        size=(192, 112),
        rate=Fraction(10),
        gop=gop,
        scenecut=False,
    )
    rows = look_at(truth.path)
    assert len(rows) <= 4
    assert cuts_found(truth) == list(truth.cuts)
