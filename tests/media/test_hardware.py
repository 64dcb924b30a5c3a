"""Devices that decode: used where they are faster and right, and plainly off everywhere else.

No machine that runs these tests has such a device: what one would give is played by the processor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from videos import Truth, make_video, motion

from tempo_edge.errors import MediaError
from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.media import DecodeRange, _reader, devices, hardware, open_video
from tempo_edge.media.devices import DEVICES, Trial, Trials
from tempo_edge.media.hardware import HardwareVideo
from tempo_edge.media.likeness import alike
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.models import load_profile

Decoded = tuple[list[np.ndarray[Any, Any]], float]


@pytest.fixture
def afresh() -> Iterator[None]:
    """Trials are made anew, and forgotten afterwards."""
    devices.trials.cache_clear()
    yield
    devices.trials.cache_clear()


@pytest.fixture
def film(tmp_path: Path) -> Truth:
    return make_video(tmp_path / "film.mp4", shots=[(motion(1), 1), (motion(2), 1)], gop=10)


def played(
    monkeypatch: pytest.MonkeyPatch, outcome: Callable[[Decoded], Decoded], name: str = "cuda"
) -> None:
    """Let the processor play a device: what it decodes is what ``outcome`` makes of it."""
    decoded = devices._decoded

    def either(path: Path, device: str | None) -> Decoded:
        return decoded(path, None) if device is None else outcome(decoded(path, None))

    monkeypatch.setattr(devices, "_decoded", either)
    monkeypatch.setattr(devices, "offered", lambda: [name])


def test_every_device_is_tried_and_what_is_in_its_way_is_told(afresh: None) -> None:
    found = devices.trials()
    assert found.software_rate > 0
    assert tuple(trial.device for trial in found.devices) == DEVICES
    for trial in found.devices:
        assert bool(trial.trouble) != bool(trial.rate)
        assert "\n" not in trial.trouble
        if trial.device not in devices.offered():
            assert trial.trouble == "is not in this FFmpeg"


@pytest.mark.usefixtures("afresh")
def test_a_device_that_cannot_be_opened_leaves_the_processor(
    monkeypatch: pytest.MonkeyPatch, film: Truth
) -> None:
    def refuse(_: Decoded) -> Decoded:
        raise av.error.PermissionError(1, "Operation not permitted")

    played(monkeypatch, refuse)
    assert devices.faster_device() is None
    why = devices.why_off()
    assert why.startswith("cuda can't be opened: operation not permitted, vaapi is not in this")
    with open_video(film.path, "hardware") as video:
        video.check()
        assert len(list(video.frames(DecodeRange(0, int(video.packets().pts[-1]))))) == 50


@pytest.mark.usefixtures("afresh")
def test_a_device_is_used_where_it_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, lambda decoded: (decoded[0], 1e6))
    assert devices.faster_device() == "cuda"
    assert devices.why_off() == ""


@pytest.mark.usefixtures("afresh")
def test_a_device_is_off_where_the_cores_are_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, lambda decoded: (decoded[0], 1.0))
    assert devices.faster_device() is None
    assert devices.why_off().startswith("cuda decodes 1 pictures a second, ")


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("wrong", ["grey", "fewer", "other size"])
def test_a_device_that_decodes_other_pictures_is_off(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def spoilt(decoded: Decoded) -> Decoded:
        planes, _ = decoded
        if wrong == "fewer":
            return planes[1:], 1e6
        if wrong == "grey":
            return [np.full_like(plane, 128) for plane in planes], 1e6
        return [plane[:-8] for plane in planes], 1e6

    played(monkeypatch, spoilt)
    assert devices.faster_device() is None
    assert "cuda decodes other pictures" in devices.why_off()


def test_of_several_devices_the_fastest_is_taken() -> None:
    found = Trials(100.0, (Trial("cuda", "", 300.0), Trial("vaapi", "", 500.0)))
    assert found.best is not None and found.best.device == "vaapi"
    assert Trials(600.0, found.devices).best is None


def test_planes_of_ten_bits_are_held_against_those_of_eight() -> None:
    eight = np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8)
    sixteen = eight.astype(np.uint16) * 257
    assert alike(eight, sixteen)
    assert not alike(eight, sixteen // 2)
    assert not alike(eight, eight[:, :32])


class Elsewhere(HardwareVideo):
    """Plays a video on a device that gives the last key frame for the first."""

    is_on_device = True

    def _accel(self) -> None:
        return None

    def _both(self, plain: PyAVVideo, run: DecodeRange) -> Any:
        table = self.packets()
        last = int(table.pts[table.keys][-1])
        return super()._both(plain, run)[0], plain.frames(DecodeRange(last, last))


def test_a_file_that_a_device_decodes_otherwise_goes_to_pyav(
    film: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "HardwareVideo", Elsewhere)
    monkeypatch.setattr(hardware, "faster_device", lambda: "cuda")
    with open_video(film.path, "hardware") as video, pytest.raises(MediaError) as refused:
        video.check()
    assert str(refused.value) == "is decoded otherwise by cuda: use pyav"
    reader = FootageReader(load_profile("nano"), Sampling(), "hardware")
    try:
        footage = reader.read(film.path)
    finally:
        reader.close()
    assert footage.remarks == ("is decoded otherwise by cuda: pyav was used",)
    assert footage.frames


def test_a_file_that_a_device_decodes_alike_is_decoded_by_it(
    film: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "HardwareVideo", Elsewhere)
    monkeypatch.setattr(Elsewhere, "_both", HardwareVideo._both)
    with open_video(film.path, "hardware") as video:
        video.check()
        last = int(video.packets().pts[-1])
        assert len(list(video.frames(DecodeRange(0, last)))) == 50
        assert isinstance(video, Elsewhere)


def test_a_device_that_has_no_room_left_leaves_a_file_to_the_processor(
    film: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, asked = _reader.open_container, []

    def full(path: Path, *rest: Any, **named: Any) -> Any:
        asked.append(rest[-1])
        if rest[-1] is not None:
            raise av.error.MemoryError(12, "Cannot allocate memory")
        return opened(path, *rest, **named)

    monkeypatch.setattr(_reader, "open_container", full)
    monkeypatch.setattr(hardware, "faster_device", lambda: "cuda")
    with open_video(film.path, "hardware") as video:
        video.check()
        assert len(list(video.frames(DecodeRange(0, int(video.packets().pts[-1]))))) == 50
    assert [accel is None for accel in asked[:2]] == [False, True]
    (film.path.parent / "bad.mp4").write_bytes(b"bad")
    with pytest.raises(MediaError, match="can't be opened"):
        open_video(film.path.parent / "bad.mp4", "hardware")


@pytest.mark.usefixtures("afresh")
def test_where_nothing_can_be_written_no_device_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(devices, "_write", full)
    assert devices.faster_device() is None
    assert devices.why_off().startswith("cuda can't be tried: no space left on device, vaapi ")
