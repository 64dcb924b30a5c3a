"""What only a film's first packet says of its encoder is known wherever decoding begins."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray
from videos import Painter, Picture, make_video, motion

from tempo_edge.clips import cut_or_copy
from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, _listing, open_video
from tempo_edge.media.instant import picture_at, pictures_at
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span

GOP, RATE = 8, 25

#: Before a name in MPEG-4.
SAID = b"\0\0\1\xb2"


def noise() -> Painter:
    """Another picture each time, soft enough for a decoder to go on after a wrong coefficient."""

    def paint(width: int, height: int, index: int) -> Picture:
        drawn = 128 + 30 * np.random.default_rng(index).standard_normal((height, width, 3))
        return drawn.clip(0, 255).astype(np.uint8)

    return paint


def of_x264(path: Path, build: int) -> Path:
    """A film of 4:4:4 pictures that says it is of another x264 than it is."""
    drawn = path.with_suffix(".mkv")
    options = {"x264-params": "partitions=none:8x8dct=1:crf=34"}
    coding = {"gop": GOP, "scenecut": False, "pixel_format": "yuv444p", "options": options}
    make_video(drawn, shots=[(noise(), 0.96)], size=(32, 32), rate=Fraction(RATE), **coding)
    data, count = re.subn(rb"(?<=x264 - core )\d{3}", b"%03d" % build, drawn.read_bytes())
    assert count == 1
    drawn.write_bytes(data)
    if path != drawn:
        rewritten(drawn, path)
    return path


def of_mpeg4(path: Path, name: bytes) -> Path:
    """A film of MPEG-4 with quarter pixels whose encoder is named in the first packet alone."""
    drawn = path.with_name("drawn.mkv")
    coding = {"gop": GOP, "codec": "mpeg4", "options": {"flags": "+qpel+mv4"}}
    make_video(drawn, shots=[(motion(3), 0.96)], size=(96, 64), rate=Fraction(RATE), **coding)
    rewritten(drawn, path, SAID + name, lambda record: record[: record.index(SAID)])
    return path


def rewritten(
    source: Path,
    path: Path,
    opening: bytes = b"",
    record: Callable[[bytes], bytes] = bytes,
) -> None:
    """Write a film into another file, with something before its first packet."""
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(film.streams.video[0], opaque=True)
        stream.codec_context.extradata = record(stream.codec_context.extradata or b"")
        for index, old in enumerate(p for p in film.demux(video=0) if p.size):
            packet = Packet((b"" if index else opening) + bytes(old))
            packet.pts, packet.dts, packet.time_base = old.pts, old.dts, old.time_base
            packet.duration, packet.is_keyframe, packet.stream = 40, old.is_keyframe, stream
            out.mux(packet)


FILMS: dict[str, Callable[[Path], Path]] = {
    "x264.mp4": lambda path: of_x264(path, 142),
    "x264.mkv": lambda path: of_x264(path, 142),
    "x264.ts": lambda path: of_x264(path, 142),
    "x264.h264": lambda path: of_x264(path, 142),
    "xvid.mp4": lambda path: of_mpeg4(path, b"XviD0001"),
    "xvid.mkv": lambda path: of_mpeg4(path, b"XviD0001"),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("signed")
    return {name: make(folder / name) for name, make in FILMS.items()}


def straight(path: Path) -> dict[int, NDArray[np.uint8]]:
    """All pictures of a film by their times, decoded from the first to the last."""
    with PyAVVideo(path, fast=False) as video:
        table = video.packets()
        return {
            frame.pts: frame.to_ndarray()
            for frame in video.pictures(int(table.pts[0]), int(table.pts[-1]))
            if frame.pts is not None
        }


def keys_of(path: Path) -> list[int]:
    with PyAVVideo(path) as video:
        table = video.packets()
        return [int(key) for key in table.pts[table.keys]]


@pytest.mark.parametrize("name", FILMS)
def test_such_films_are_decoded_otherwise_without_their_first_packet(
    films: dict[str, Path], name: str
) -> None:
    expected = list(straight(films[name]).values())
    with av.open(str(films[name])) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
        second = [packet.is_keyframe for packet in packets].index(True, 1)
        decoder = film.streams.video[0].codec_context
        pictures = [frame for packet in packets[second:] for frame in decoder.decode(packet)]
        pictures += decoder.decode(None)
    pairs = zip(pictures, expected[second:], strict=True)
    assert any((picture.to_ndarray() != other).any() for picture, other in pairs)


@pytest.mark.parametrize("way", ["listed", "by index", "known"])
@pytest.mark.parametrize("name", FILMS)
def test_pictures_are_the_same_wherever_decoding_begins(
    films: dict[str, Path], name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_listing, "_SMALL", 0)
    expected = straight(films[name])
    with PyAVVideo(films[name]) as video:
        table = video.packets()
    for key, after in pairwise([*keys_of(films[name]), int(table.pts[-1]) + 1]):
        known = table if way == "known" else None
        with PyAVVideo(
            films[name], fast=False, table=known, whole=way == "listed", unseen=True
        ) as video:
            if way != "known":
                video.packets()
            found = {frame.pts: frame.to_ndarray() for frame in video.pictures(key, after - 1)}
            assert not video.damaged
        assert list(found) == [stamp for stamp in expected if key <= stamp < after]
        for stamp, picture in found.items():
            assert stamp is not None
            np.testing.assert_array_equal(picture, expected[stamp])


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_every_decoder_sees_the_same_pictures(films: dict[str, Path], decoder: str) -> None:
    if decoder == "decord":
        pytest.importorskip("decord")
    path = films["x264.mp4"]
    key = keys_of(path)[-1]
    seen = []
    for first in (keys_of(path)[0], key):
        with open_video(path, decoder) as video:
            try:
                video.check()
            except MediaError as refused:  # decord2 misreads so short rows, and says so
                pytest.skip(str(refused))
            run = DecodeRange(first, int(video.packets().pts[-1]))
            frames = (frame for frame in video.frames(run) if frame.pts >= key)
            seen.append([frame.thumbnail(32) for frame in frames])
    np.testing.assert_array_equal(*seen)


def test_a_picture_at_a_time_is_that_of_the_film(films: dict[str, Path]) -> None:
    path = films["x264.mkv"]
    with PyAVVideo(path) as video:
        times = [float(video.info.time_of(stamp)) for stamp in straight(path)]
    from_start = pictures_at(path, times, 32)
    alone = [picture_at(path, time, 32) for time in times]
    np.testing.assert_array_equal(alone, from_start)


def test_a_clip_that_would_begin_without_its_signature_is_encoded(
    films: dict[str, Path], tmp_path: Path
) -> None:
    path = films["x264.mp4"]
    with PyAVVideo(path) as video:
        first, *_, last = (float(video.info.time_of(key)) for key in keys_of(path))
    assert cut_or_copy(path, Span(first, last), tmp_path).copied
    assert not cut_or_copy(path, Span(last, 0.96), tmp_path).copied
