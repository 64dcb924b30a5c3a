"""Run by ``test_nvdec.py`` where Numba simulates a card, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import played_nvdec
import pytest
from played_nvdec import Decoder
from videos import make_video, motion, texture

from tempo_edge.errors import MediaError
from tempo_edge.indexing.looks import Look, LookTaker
from tempo_edge.media import DecodeRange, devices, hardware
from tempo_edge.media.nvdec import NVDEC, NvdecVideo
from tempo_edge.media.nvdec_session import why_none
from tempo_edge.media.orientation import Orientation
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.media.surface_frame import Showing, SurfaceFrame, together
from tempo_edge.proof.part import FAILED, PASSED, Budget
from tempo_edge.proof.surfaces import Surfaces
from tempo_edge.saa import SamplingBudget, plan

# Every thread of a launch is one of Python's: few samples, and few pictures.
SIZE, SMALL = (32, 16), 8


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    why_none.cache_clear()
    played_nvdec.play(monkeypatch)
    monkeypatch.setattr(Decoder, "wrong", "")
    yield
    why_none.cache_clear()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots with B-frames, in groups of five pictures at most."""
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    shots = [(motion(1), Fraction(7, 25)), (texture(5, 8), Fraction(3, 25))]
    return make_video(path, shots=shots, size=SIZE, gop=5, bframes=2).path


def runs(video: PyAVVideo) -> list[DecodeRange]:
    """A run for each key frame, up to the picture before the next."""
    table = video.packets()
    keys = np.flatnonzero(table.keys)
    lasts = [*(keys[1:] - 1), len(table) - 1]
    pairs = zip(table.pts[keys].tolist(), table.pts[lasts].tolist(), strict=True)
    return [DecodeRange(key, last) for key, last in pairs]


def same(found: Any, right: Any) -> None:
    """The same pictures, and thumbnails that another decoder may give."""
    assert [frame.pts for frame in found] == [frame.pts for frame in right]
    for one, two in zip(found, right, strict=True):
        assert one.luma().dtype == two.luma().dtype and one.bit_depth == two.bit_depth
        np.testing.assert_array_equal(one.luma(), two.luma())
        for how, crop in (("AREA", False), ("AREA", True), ("BICUBIC", True)):
            small, wanted = (each.thumbnail(SMALL, how, crop=crop) for each in (one, two))
            assert small.shape == wanted.shape == (SMALL, SMALL, 3)
            assert np.abs(small.astype(int) - wanted).mean() < 3, (how, crop)


def test_runs_are_decoded_on_the_card_whatever_was_left_early(film: Path) -> None:
    with NvdecVideo(film) as video, PyAVVideo(film, fast=False) as plain:
        assert video.trouble == ""
        all_runs = runs(plain)
        early = video.frames(all_runs[0])
        assert isinstance(next(early), SurfaceFrame)
        early.close()
        for run in (all_runs[1], all_runs[0]):
            found = list(video.frames(run))
            assert all(isinstance(each, SurfaceFrame) for each in found)
            same(found, list(plain.frames(run)))
        assert video.trouble == "" and not video.contradicted


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("a.ts", {"shots": [(motion(3), Fraction(8, 25))]}),
        ("a.mkv", {"codec": "libx265", "pixel_format": "yuv420p10le"}),
        ("turned.mp4", {"rotation": 90}),
        ("full.mp4", {"pixel_format": "yuvj420p"}),
    ],
)
def test_other_containers_depths_ranges_and_orientations(
    tmp_path: Path, name: str, more: dict[str, Any]
) -> None:
    more = {"shots": [(motion(3), Fraction(2, 25))], **more}
    path = make_video(tmp_path / name, size=SIZE, **more).path
    with NvdecVideo(path) as video, PyAVVideo(path, fast=False) as plain:
        run = runs(plain)[0]
        found = list(video.frames(run))
        assert video.trouble == "" and isinstance(found[0], SurfaceFrame)
        same(found, list(plain.frames(run)))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("full", "cUDA_ERROR_OUT_OF_MEMORY TROUBLE"),
        ("lost", "that is not due"),
        ("late", "not due"),
    ],
)
def test_where_the_card_goes_wrong_the_processor_goes_on(
    film: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, told: str
) -> None:
    # A card has the loop filter, which the processor leaves out unless it is told not to.
    with NvdecVideo(film, fast=False) as video, PyAVVideo(film, fast=False) as plain:
        assert video.trouble == ""
        monkeypatch.setattr(Decoder, "wrong", wrong)
        run = runs(plain)[0]
        same(list(video.frames(run)), list(plain.frames(run)))
        assert told in video.trouble


def test_a_card_that_decodes_otherwise_is_refused(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Decoder, "wrong", "other")
    with NvdecVideo(film) as video, pytest.raises(MediaError) as refused:
        video.check()
    assert str(refused.value) == "is decoded otherwise by nvdec: use pyav"


def test_what_is_not_given_to_the_card_is_decoded_by_the_processor(tmp_path: Path) -> None:
    shots = [(motion(3), Fraction(2, 25))]
    path = make_video(tmp_path / "a.mp4", shots=shots, size=SIZE, codec="mpeg4").path
    with NvdecVideo(path) as video:
        assert video.trouble == "mpeg4 is not given to NVDEC"
        assert [isinstance(each, SurfaceFrame) for each in video.frames(runs(video)[0])] == [
            False
        ] * 2


def looks(video: PyAVVideo) -> list[Look]:
    """The looks of a film, as the indexer takes them."""
    profile: Any = SimpleNamespace(
        image_size=SMALL, interpolation="AREA", crop=False, tokens_per_frame=9
    )
    policy = SamplingBudget()
    chosen = plan(video.packets(), video.info, policy)
    taker = LookTaker(profile, policy)
    found = [taker.look(video, run, chosen) for run in chosen.runs]
    reference = None
    for each in found:
        if each.looks:
            taker.tie(each, reference, chosen)
        reference = each.last or reference
    return [look for each in found for look in each.looks]


def test_a_film_is_looked_at_on_the_card(film: Path) -> None:
    """Pictures are compared and shrunk there: the same looks come of it."""
    with NvdecVideo(film) as video, PyAVVideo(film, fast=False) as plain:
        found, right = (looks(each) for each in (video, plain))
    assert [look.pts for look in found] == [look.pts for look in right]
    assert [look.cut for look in found] == [look.cut for look in right]
    for one, two in zip(found, right, strict=True):
        assert one.variation == pytest.approx(two.variation, abs=0.05)
        np.testing.assert_allclose(one.changes, two.changes, atol=0.05)
        assert not isinstance(one.thumbnail, np.ndarray)
    batch = together([look.thumbnail for look in found])
    assert not isinstance(batch, np.ndarray) and batch.shape == (len(found), SMALL, SMALL, 3)
    wanted = np.stack([two.thumbnail for two in right])
    assert np.abs(batch.copy_to_host().astype(int) - wanted).mean() < 3
    mixed = together([found[0].thumbnail, right[0].thumbnail])
    assert isinstance(mixed, np.ndarray) and mixed.shape == (2, SMALL, SMALL, 3)


def test_a_card_without_room_for_more_leaves_the_rest_to_the_host(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost_plane() -> None:
        raise RuntimeError("CUDA_ERROR\n")

    def full(*_: object) -> None:
        raise MemoryError("CUDA_ERROR_OUT_OF_MEMORY")

    with NvdecVideo(film) as video, PyAVVideo(film, fast=False) as plain:
        thumbnail = next(video.frames(runs(plain)[0])).picture(SMALL)  # type: ignore[attr-defined]
        for name in ("compare_surfaces", "rgb_thumbnail", "stacked"):
            monkeypatch.setattr(f"tempo_kernels.gpu.{name}", full)
        found, right = (looks(each) for each in (video, plain))
        assert video.trouble == ""
    assert [look.pts for look in found] == [look.pts for look in right]
    for one, two in zip(found, right, strict=True):
        assert one.variation == two.variation
        assert isinstance(one.thumbnail, np.ndarray)
        # PyAV can't say where colours lie among samples of light, which shows in pictures so small.
        assert np.abs(one.thumbnail.astype(int) - two.thumbnail).mean() < 4
    assert not isinstance(thumbnail, np.ndarray)
    assert isinstance(together([thumbnail, thumbnail]), np.ndarray)
    lost: Any = SimpleNamespace(luma=lost_plane)
    broken = SurfaceFrame(0, lost, Showing((16, 32), 8, 2, 0, "yuv420p", Orientation()))
    with pytest.raises(MediaError, match=r"^can't be read back from the card: CUDA_ERROR$"):
        broken.luma()


def test_it_is_one_of_the_devices_and_used_where_it_is_the_fastest(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planes, rate = devices._on_card(film)
    assert len(planes) == 2 and rate > 0
    monkeypatch.setattr(devices, "_decoded", lambda path, device: (planes, 1.0))
    monkeypatch.setattr(devices, "offered", lambda: [])
    monkeypatch.setattr(devices, "_on_card", lambda path: (planes, 1e6))
    devices.trials.cache_clear()
    try:
        assert devices.faster_device() == NVDEC
        with hardware.opened(film) as video:
            assert isinstance(video, NvdecVideo)
    finally:
        devices.trials.cache_clear()


def test_the_proof_holds_them_against_the_processors(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Surfaces()._decoded(film, Budget(1e4))
    figures = {figure.name: figure.value for figure in row.figures}
    assert (row.result, row.why) == (PASSED, "")
    assert figures["times exact"] == figures["pictures"] == 10 and figures["furthest off"] < 4
    checked = NvdecVideo.check

    def check(self: NvdecVideo) -> None:
        checked(self)
        monkeypatch.setattr(Decoder, "wrong", "lost")

    monkeypatch.setattr(NvdecVideo, "check", check)
    row = Surfaces()._decoded(film, Budget(1e4))
    assert row.result == FAILED and "the card was left: NVDEC gives a picture" in row.why
