"""Footage that is kept for several terms is what reading it for each of them gives."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tempo_edge import Library
from tempo_edge.quantization import quantize
from tempo_edge.search.reels import Reels
from tempo_edge.search.window import Looks, Stretch
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

# Looks from zero on, in milliseconds: near to each other, with a long pause and with a hole.
PTS = (*range(0, 9000, 700), *range(60_000, 66_000, 900), *range(90_000, 99_000, 1100))
HOLE = (61_000, 62_400)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reels") / "library.db"
    with Library.open(path) as opened:
        profile = opened.profile
    rng = np.random.default_rng(3)
    nothing = np.zeros(0, np.uint8), np.zeros((0, profile.dim), np.int8)
    rows = [
        FrameRow(pts, 0.5, bool(rng.integers(2)), quantize(rng.normal(size=profile.dim)), *nothing)
        for pts in PTS
    ]
    video = VideoRow("h264", 64, 48, 100.0, None, Fraction(1, 1000), Fraction(1, 3), (HOLE,))
    with open_store(path).writer() as writer, writer.transaction():
        writer.set_meta("profile", profile.fingerprint)
        for number in (1, 2):
            length = replace(video, duration_seconds=100.0 * number)
            put = writer.put_video(bytes([number]), length, rows, np.zeros((0, 2), np.float32))
            writer.put_file(FileRow(f"/films/{number}.mp4", "", 1, 1, "indexed", "", put))
    return path


def same(one: Looks, other: Looks, query: np.ndarray) -> None:
    """Hold two looks, and the windows of a query over them, against each other, to the bit."""
    for name in ("pts", "times", "cuts", "packed", "units"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.video_id, one.video) == (other.video_id, other.video)
    if len(one.pts):
        assert one.next_pts == other.next_pts
        windows = [Stretch(query, each).widest for each in (one, other)]
        np.testing.assert_array_equal(windows[0].similarities, windows[1].similarities)
        np.testing.assert_array_equal(windows[0].edges, windows[1].edges)


@pytest.mark.parametrize("along", [0.0, 4.0, 200.0])
def test_any_stretches_in_any_order_are_as_the_store_has_them(library: Path, along: float) -> None:
    rng = np.random.default_rng(int(along))
    with Library.open(library) as opened, opened.catalogue.snapshot():
        catalogue, query = opened.catalogue, rng.normal(size=opened.profile.dim)
        reels = Reels(catalogue, along)
        for _ in range(60):
            video = int(rng.integers(1, 3))
            low, high = sorted(rng.integers(-5000, 105_000, 2).tolist())
            if rng.random() < 0.5:
                high = min(high, low + 3000)
            read = Looks.read(catalogue, video, catalogue.video(video), low, high)
            same(reels.looks(video, low, high), read, query.astype(np.float32))


def test_what_was_read_is_not_read_again(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(library) as opened, opened.catalogue.snapshot():
        spans: list[tuple[int, int]] = []
        between = type(opened.catalogue).frames_between

        def noted(self: Catalogue, video: int, low: int, high: int) -> object:
            spans.append((low, high))
            return between(self, video, low, high)

        monkeypatch.setattr(type(opened.catalogue), "frames_between", noted)
        reels = Reels(opened.catalogue, 2.0)
        reels.looks(1, 4000, 5000)
        assert spans == [(2000, 7000)]
        reels.looks(1, 2500, 6500)
        reels.looks(1, 4000, 5000)
        assert len(spans) == 1
        reels.looks(1, 3000, 20_000)
        assert spans[1:] == [(7001, 20_000)]
        reels.looks(1, 40_000, 41_000)
        reels.looks(1, 10_000, 50_000)
        assert spans[2:] == [(38_000, 43_000), (20_001, 37_999), (43_001, 50_000)]
        reels.looks(1, 2000, 50_000)
        assert len(spans) == 5
