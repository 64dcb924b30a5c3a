"""What every decoder promises, over real files, for every one of the registry.

A decoder may refuse a file, by :meth:`~tempo_edge.media.Video.check` and in one line. Whatever it
does not refuse it has to get right: to the tick, to the picture, and the right way up.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from gallery import GALLERY
from numpy.typing import NDArray
from videos import MATRICES, Truth, corners, make_video, motion, read_number, shown_by

from tempo_edge.errors import MediaError
from tempo_edge.media import DECODERS, DecodeRange, Frame, PacketTable, Video, open_video
from tempo_edge.media._frame import shrink
from tempo_edge.media.pyav import PyAVVideo

Gallery = Callable[[str], Truth]

#: Shares of red, green and blue in the light of a colour (BT.601).
LIGHT = (0.299, 0.587, 0.114)


def is_taken(video: Video) -> bool:
    """Whether the decoder takes a file; where it doesn't, it says why and gives no picture."""
    try:
        video.check()
    except MediaError as refused:
        assert "\n" not in str(refused)
        start = int(video.packets().pts[0])
        with pytest.raises(MediaError):
            next(iter(video.frames(DecodeRange(start, start))))
        return False
    return True


def straight(path: Path) -> dict[int, VideoFrame]:
    """Every picture of a plain decode from the beginning to the end, by its time stamp."""
    with av.open(str(path)) as container:
        return {frame.pts: frame for frame in container.decode(video=0) if frame.pts is not None}


def number(frame: Frame) -> int:
    """The number that a picture of the gallery tells."""
    return read_number(frame.luma(), 2**frame.bit_depth - 1)


def whole(table: PacketTable) -> DecodeRange:
    return DecodeRange(int(table.pts[0]), int(table.pts[-1]))


def quarters(grid: NDArray[Any]) -> NDArray[Any]:
    """The middles of the four quarters of a picture or a grid, in the order of reading."""
    height, width = grid.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return np.stack([grid[row, column] for row in rows for column in columns])


@pytest.mark.parametrize("name", GALLERY)
def test_times_are_the_containers(gallery: Gallery, decoder: str, name: str) -> None:
    """Rising, and those that the pictures were given, where the container can hold them."""
    truth = gallery(name)
    hidden = 20 if name == "trimmed.mp4" else 0
    with open_video(truth.path, decoder) as video:
        info, table = video.info, video.packets()
    assert (info.width, info.height) == truth.size
    assert (np.diff(table.pts) > 0).all() and table.keys[0]
    assert len(table.sizes) == len(table.keys) == len(table) == len(truth.times) - hidden
    wanted = [time - truth.times[hidden] * bool(hidden) for time in truth.times[hidden:]]
    found = [info.time_of(int(pts)) for pts in table.pts]
    # Matroska rounds to the millisecond; AVI has its B-frames a picture late.
    most = 1 / truth.rate if name == "mpeg4.avi" else Fraction(1, 2000)
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= most


@pytest.mark.parametrize("name", GALLERY)
def test_a_run_is_the_pictures_that_a_straight_decode_has_at_those_times(
    gallery: Gallery, decoder: str, name: str
) -> None:
    path, rng = gallery(name).path, random.Random(name)
    meant, scaler = straight(path), VideoReformatter()
    with open_video(path, decoder) as video:
        table = video.packets()
        if not is_taken(video):
            return
        keys = np.flatnonzero(table.keys).tolist()
        for _ in range(6):  # forwards and backwards
            first = rng.choice(keys)
            last = rng.randrange(first, min(len(table), first + 20))
            found = list(video.frames(DecodeRange(int(table.pts[first]), int(table.pts[last]))))
            assert [frame.pts for frame in found] == table.pts[first : last + 1].tolist()
            for frame in found:
                picture = meant[frame.pts]
                shown = picture.reformat(format="gray").to_ndarray()
                assert number(frame) == read_number(shown)
                for how, crop in (("AREA", False), ("BICUBIC", True)):
                    small = shrink(picture, 48, scaler, how, crop=crop).astype(int)
                    thumbnail = frame.thumbnail(48, how, crop=crop)
                    assert (thumbnail.shape, thumbnail.dtype) == ((48, 48, 3), np.uint8)
                    assert np.abs(small - thumbnail).mean() < 3
        assert video.damaged == 0


def test_a_run_may_be_left_early_and_another_begun(gallery: Gallery, decoder: str) -> None:
    with open_video(gallery("plain.mp4").path, decoder) as video:
        table = video.packets()
        assert is_taken(video), "the plainest of files"
        begun = video.frames(whole(table))
        assert [number(next(begun)) for _ in range(3)] == [0, 1, 2]
        run = DecodeRange(int(table.pts[24]), int(table.pts[26]))
        assert [number(frame) for frame in video.frames(run)] == [24, 25, 26]
        assert [number(frame) for frame in video.frames(run)] == [24, 25, 26]


def test_a_table_that_is_known_is_not_made_again(gallery: Gallery, decoder: str) -> None:
    path = gallery("variable.mp4").path
    with open_video(path, decoder) as video:
        table = video.packets()
    with open_video(path, decoder, table) as video:
        assert video.packets() is table
        assert [frame.pts for frame in video.frames(whole(table))] == table.pts.tolist()


def test_luma_is_that_of_the_planes(tmp_path: Path, decoder: str) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(motion(4), 1)], size=(160, 96))
    meant = straight(truth.path)
    with open_video(truth.path, decoder) as video:
        for frame in video.frames(whole(video.packets())):
            luma = frame.luma()
            assert (luma.dtype, frame.bit_depth) == (np.uint8, 8)
            plane = meant[frame.pts].reformat(format="gray").to_ndarray()  # in full range
            assert np.abs(plane * (219 / 255) + 16 - luma).mean() < 3


@pytest.mark.parametrize("matrix", MATRICES)
def test_pictures_and_grids_over_them_stand_upright(
    tmp_path: Path, decoder: str, matrix: tuple[int, int, int, int]
) -> None:
    shots = [(corners(), 0.2)]
    path = make_video(tmp_path / "a.mp4", shots=shots, size=(160, 96), matrix=matrix).path
    meant = quarters(shown_by(matrix, corners()(160, 96, 0)))
    with open_video(path, decoder) as video:
        if not is_taken(video):
            return
        frame = next(iter(video.frames(DecodeRange(0, 0))))
        np.testing.assert_allclose(quarters(frame.thumbnail(32)), meant, atol=16)
        grid = quarters(frame.upright(frame.luma().astype(np.float32)))
        np.testing.assert_allclose((grid - 16) * (255 / 219), meant @ LIGHT, atol=12)
        luma = frame.luma().copy()
        frame.release()
        np.testing.assert_array_equal(frame.luma(), luma)


def test_damage_is_counted_or_ends_the_run_and_makes_no_noise(
    gallery: Gallery, tmp_path: Path, decoder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    source = gallery("one_gop.mp4").path
    with av.open(str(source)) as container:
        at = [packet.pos for packet in container.demux(video=0) if packet.size][20]
    assert at is not None
    data = bytearray(source.read_bytes())
    data[at : at + 4] = b"\x7f\xff\xff\xff"
    (tmp_path / "broken.mp4").write_bytes(data)
    capfd.readouterr()
    with open_video(tmp_path / "broken.mp4", decoder) as video:
        try:
            found = list(video.frames(whole(video.packets())))
        except MediaError as error:
            assert str(error).startswith("can't be decoded: ") and "\n" not in str(error)
            found = []
        assert video.damaged > 0
        assert [number(frame) for frame in found[:15]] == list(range(min(15, len(found))))
    assert capfd.readouterr() == ("", "")


class Toy(PyAVVideo):
    """A decoder of somebody else's."""


def test_a_new_decoder_is_one_line_in_the_registry(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = gallery("plain.mp4").path
    monkeypatch.setitem(DECODERS, "toy", f"{__name__}:Toy")
    with open_video(path, "toy") as video:
        assert isinstance(video, Toy)
    with pytest.raises(ValueError, match=r"decoder 'vlc' must be one of \('pyav', .*, 'toy'\)$"):
        open_video(path, "vlc")
