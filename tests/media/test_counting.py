"""Streams without time stamps: the pictures are counted, and each is where its number says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import make_video, numbered, read_number

from tempo_edge.clips import cut
from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, open_video
from tempo_edge.media._counting import counted
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span

OPEN = {"x265-params": "log-level=none:pools=1:open-gop=1:keyint=12:bframes=3"}


CLOSED = {"flags": "+cgop", "sc_threshold": "1000000000"}


@pytest.mark.parametrize("rate", [25, 50])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.h264", {"bframes": 2}),
        ("a.hevc", {"codec": "libx265", "bframes": 2}),
        ("open.hevc", {"codec": "libx265", "options": OPEN}),
        ("a.m2v", {"codec": "mpeg2video", "bframes": 0}),
        ("open.m2v", {"codec": "mpeg2video", "bframes": 2}),
        ("closed.m2v", {"codec": "mpeg2video", "bframes": 2, "options": CLOSED}),
        ("fields.m2v", {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme"}}),
        ("a.m1v", {"codec": "mpeg1video", "bframes": 2}),
    ],
)
def test_pictures_are_counted_at_the_rate_that_is_written(
    tmp_path: Path, name: str, options: dict[str, object], rate: int
) -> None:
    make_video(
        tmp_path / name,
        shots=[(numbered(), Fraction(60, rate))],
        size=(192, 112),
        rate=Fraction(rate),
        gop=12,
        scenecut=False,
        **options,  # type: ignore[arg-type]
    )
    with PyAVVideo(tmp_path / name) as video:
        info, table = video.info, video.packets()
        assert info.rate == rate
        assert [info.time_of(int(pts)) for pts in table.pts] == [
            Fraction(n, rate) for n in range(60)
        ]
        assert table.end is not None
        assert info.time_of(table.end) == Fraction(60, rate)
        assert info.remarks == (
            f"holds no time stamps: times are counted at {rate} pictures a second",
        )
        assert table.keys.sum() > 1 or "hevc" in name
        for first in np.flatnonzero(table.keys)[::-1]:
            last = min(59, int(first) + 15)
            run = DecodeRange(int(table.pts[first]), int(table.pts[last]))
            numbers = [read_number(frame.luma()) for frame in video.frames(run)]
            assert numbers == list(range(first, last + 1))
    clip = cut(tmp_path / name, Span(20 / rate, 30 / rate), tmp_path)
    with av.open(str(clip)) as container:
        seen = [
            read_number(frame.reformat(format="gray").to_ndarray())
            for frame in container.decode(video=0)
        ]
    assert seen == list(range(20, 30))


def test_an_open_gop_is_counted_from_where_it_is_the_first_alone(tmp_path: Path) -> None:
    options = {"codec": "libx265", "bframes": 2, "options": OPEN}
    make_video(tmp_path / "a.hevc", shots=[(numbered(), 2)], size=(192, 112), **options)  # type: ignore[arg-type]
    for number, is_key in ((0, True), (12, False)):
        with av.open(str(tmp_path / "a.hevc")) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        opened = [packet for packet in packets if packet.is_keyframe][1:]
        assert opened, "key frames that pictures shown before them lean on"
        assert next(counted(opened, number, 1)).is_keyframe == is_key


def test_what_holds_no_picture_is_no_instant(tmp_path: Path) -> None:
    make_video(tmp_path / "a.h264", shots=[(numbered(), 1)], size=(192, 108))
    with av.open(str(tmp_path / "a.h264")) as container:
        for content in (b"", b"\0\0\1", b"\xff\xff\x65\x65", b"\0\0\1\x67\x65"):
            packet = av.Packet(content)
            packet.stream = container.streams.video[0]
            packet.is_keyframe = True
            assert [each.is_keyframe for each in counted([packet], 7, 1)] == [False][: len(content)]


def test_decord_does_not_count(tmp_path: Path) -> None:
    pytest.importorskip("decord")
    make_video(tmp_path / "a.h264", shots=[(numbered(), 1)], size=(192, 108))
    with (
        open_video(tmp_path / "a.h264", "decord") as video,
        pytest.raises(MediaError, match="no time stamps: use pyav"),
    ):
        list(video.frames(DecodeRange(0, 0)))
