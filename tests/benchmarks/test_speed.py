"""The benchmarks of speed measure what they say they measure."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from videos import make_video, motion

from benchmarks import kernels, stages
from benchmarks.stages import Stopwatch
from tempo_edge.proof import bandwidth
from tempo_edge.proof.bandwidth import Pool, System


def _busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_stage_within_a_stage_counts_for_itself_only() -> None:
    watch = Stopwatch()
    with watch.time("decode"):
        _busy(0.02)
        with watch.time("demux"):
            _busy(0.05)
        with watch.time("demux"):
            _busy(0.05)
    assert watch.seconds["demux"] == pytest.approx(0.10, abs=0.02)
    assert watch.seconds["decode"] == pytest.approx(0.02, abs=0.01)


def test_what_takes_a_generators_steps_does_not_count() -> None:
    watch = Stopwatch()
    for _step in watch.along("decode", lambda: (_busy(0.01) for _ in range(3)))():
        _busy(0.05)
    assert watch.seconds["decode"] == pytest.approx(0.03, abs=0.01)


def test_every_stage_of_indexing_is_seen(tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.mp4", shots=[(motion(1), 2), (motion(2), 2)]).path
    row = stages.measure(film, rounds=1)
    assert list(row) == list(stages.STAGES)
    assert all(row[stage] > 0 for stage in stages.STAGES)
    assert "| film |" in stages.table({"film": row})


def test_no_plane_is_in_two_pairs_and_every_pair_is_taken() -> None:
    pool = Pool.of(1080, 1920, 8)
    planes = [plane for pair in pool.pairs for plane in pair]
    assert sum(plane.nbytes for plane in planes) > 200e6
    assert len({plane.ctypes.data for plane in planes}) == len(planes)
    taken: list[int] = []
    pool.seconds(System("count", lambda one, two: taken.append(one.ctypes.data)), 2)
    assert sorted(taken) == sorted(one.ctypes.data for one, _ in pool.pairs)


def test_time_is_that_of_a_pair_whatever_the_threads() -> None:
    pool = Pool([(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))] * 8)
    sleeping = System("sleep", lambda one, two: time.sleep(0.05))
    alone, together = pool.seconds(sleeping, 1), pool.seconds(sleeping, 2)
    # However long it was kept waiting, it can't have been quicker than it slept.
    assert alone >= 0.05 and 0.025 <= together < 0.9 * alone


def test_rows_are_held_against_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "_POOL_BYTES", 200_000)
    monkeypatch.setitem(bandwidth.SIZES, "1080p", (40, 64, 8))
    rows = kernels.measure("1080p", 2, True, rounds=1)
    names = [row.system for row in rows]
    assert names[0] == "copy" and {"numpy", "numba-cpu"} <= set(names)
    assert rows[0].share == 1.0
    for row in rows:
        assert row.share == pytest.approx(row.bytes_a_second / rows[0].bytes_a_second)
    assert kernels.table(rows).count("\n") == len(rows) + 1
