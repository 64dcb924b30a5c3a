"""An MP4 is opened without decoding what its codec's record says; the first picture is compared."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from av.container import InputContainer
from videos import make_video, motion, put_together

from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.media import DecodeRange, _listing, _reader, open_video
from tempo_edge.media import packet_digest as digests
from tempo_edge.media.container import open_container
from tempo_edge.media.packet_digest import packet_digest
from tempo_edge.media.pyav import PyAVVideo


@pytest.fixture(autouse=True)
def small_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is not read as a whole because it is small: all of these are."""
    monkeypatch.setattr(_listing, "_SMALL", 0)


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether FFmpeg found out how pictures are stored, of each container that was opened."""
    found: list[bool] = []

    def opening(*args: Any, **options: Any) -> InputContainer:
        container = open_container(*args, **options)
        found.append(container.streams.video[0].codec_context.pix_fmt is not None)
        return container

    monkeypatch.setattr(_reader, "open_container", opening)
    monkeypatch.setattr(digests, "open_container", opening)
    return found


def film(path: Path, codec: str = "libx264", pixels: str = "yuv420p", **more: Any) -> Path:
    shots = [(motion(1), 2)]
    coding = {"gop": 10, "codec": codec, "pixel_format": pixels, **more}
    return make_video(path, shots=shots, size=(192, 112), **coding).path


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("libx264", "yuv420p"), ("libx265", "yuv420p"), ("libx265", "yuv420p10le")],
)
def test_a_phone_s_film_is_opened_without_decoding(
    tmp_path: Path, decoding: list[bool], codec: str, pixels: str
) -> None:
    path = film(tmp_path / "a.mp4", codec, pixels)
    with open_video(path, unseen=True) as video:
        info, table = video.info, video.packets()
        run = DecodeRange(int(table.pts[0]), int(table.pts[-1]))
        lumas = [frame.luma().copy() for frame in video.frames(run)]
        assert not video.contradicted
    with open_video(path, table=table, unseen=True) as video:
        assert video.info == info
    assert decoding == [False, False], "nor is it by a second decoder"
    with open_video(path, whole=True) as video:
        assert video.info == info
        assert decoding[2:] == [True]
        np.testing.assert_array_equal([frame.luma() for frame in video.frames(run)], lumas)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv422p"),
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mp4", "libx265", "yuv422p10le"),
        ("a.mp4", "mpeg4", "yuv420p"),
        ("a.mkv", "libx264", "yuv420p"),
    ],
)
def test_what_a_record_leaves_open_is_found_out_by_decoding(
    tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    path = film(tmp_path / name, codec, pixels)
    with open_video(path, unseen=True) as video, open_video(path, whole=True) as whole:
        assert video.info == whole.info


def test_of_two_films_the_one_that_moves_is_read(tmp_path: Path) -> None:
    one, two = film(tmp_path / "1.mp4"), film(tmp_path / "2.mp4", rate=Fraction(12))
    path = tmp_path / "both.mp4"
    put_together(path, [one, two])
    with open_video(path, unseen=True) as video, open_video(path, whole=True) as whole:
        assert video.info == whole.info


def test_whoever_shows_pictures_to_people_knows_all_about_them(
    tmp_path: Path, decoding: list[bool]
) -> None:
    with PyAVVideo(film(tmp_path / "a.mp4", aspect=Fraction(4, 3))) as video:
        assert video.pixel_aspect == Fraction(4, 3)
    assert decoding == [True]


def test_a_digest_of_packets_decodes_none(tmp_path: Path, decoding: list[bool]) -> None:
    for name in ("a.mp4", "a.mkv", "a.avi"):
        codec = "mpeg4" if name.endswith("avi") else "libx264"
        assert packet_digest(film(tmp_path / name, codec)) is not None
    assert decoding == [False] * 3


def resized(path: Path, width: int) -> Path:
    """A film whose container says another width than its codec does."""
    content = bytearray(path.read_bytes())
    at = content.index(b"avc1", content.index(b"stsd")) + 4 + 24
    assert int.from_bytes(content[at : at + 2], "big") == 192
    content[at : at + 2] = width.to_bytes(2, "big")
    path.write_bytes(content)
    return path


class Tower:
    """Vectors that tell nothing."""

    def encode(self, pictures: Any) -> tuple[Any, Any]:
        count = len(pictures)
        return np.full((count, 4), 0.5, np.float32), np.full((count, 9, 4), 0.5, np.float32)


def test_a_size_that_is_another_one_is_that_of_the_pictures(tmp_path: Path) -> None:
    path = resized(film(tmp_path / "a.mp4"), 320)
    with open_video(path, unseen=True) as video:
        assert video.info.width == 320, "nothing was decoded yet"
        first = int(video.packets().pts[0])
        assert len(list(video.frames(DecodeRange(first, first)))) == 1
        assert video.contradicted
    profile: Any = SimpleNamespace(
        image_size=32, interpolation="AREA", crop=False, tokens_per_frame=9, image_tower=Tower()
    )
    reader = FootageReader(profile, Sampling(), workers=2)
    try:
        footage = reader.read(path)
    finally:
        reader.close()
    assert (footage.video.width, footage.video.height) == (192, 112)
    assert footage.remarks == ()
