"""Where a container lies about key frames, times or palettes, and what is believed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from videos import make_video, numbered, read_number

from benchmarks._pairs import Pair, pairs, write
from tempo_edge.media import DecodeRange, PacketTable
from tempo_edge.media._decoding import Damage
from tempo_edge.media._keys import believe
from tempo_edge.media._straight import StraightDecode, by_order, rising
from tempo_edge.media.container import demux
from tempo_edge.media.pyav import PyAVVideo


def table(keys: str, sizes: list[int] | None = None) -> PacketTable:
    flags = np.asarray([letter == "K" for letter in keys])
    lengths = np.asarray(sizes or [1000] * len(keys), dtype=np.int64)
    return PacketTable(np.arange(len(keys), dtype=np.int64), lengths, flags)


def believed(keys: str, codec: str, sizes: list[int] | None = None) -> str:
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, VideoCodecContext)
    found = believe(table(keys, sizes), context)
    return "".join("K" if flag else "." for flag in found.keys)


@pytest.mark.parametrize(
    ("codec", "flags", "expected"),
    [
        ("msmpeg4", "K..K..", "K..K.."),  # as the container says
        ("msmpeg4", "KKKKKK", "K....."),  # what FFmpeg makes of an AVI without index
        ("msmpeg4", "......", "K....."),
        ("mjpeg", "......", "KKKKKK"),  # no picture leans on another
        ("mjpeg", "KKKKKK", "KKKKKK"),
        ("png", "KKKKKK", "KKKKKK"),
        ("h264", "KKKKKK", "KKKKKK"),  # FFmpeg has read the packets
        ("h264", "......", "K....."),
        ("ffv1", "KKKKKK", "KKKKKK"),  # its decoder would tell
    ],
)
def test_key_flags_are_believed_as_far_as_they_can_be(
    codec: str, flags: str, expected: str
) -> None:
    assert believed(flags, codec) == expected


def test_a_packet_of_a_few_bytes_is_no_key_frame() -> None:
    assert believed("K.KK.K", "mpeg4", [900, 50, 7, 800, 7, 6]) == "K..K.."


def test_a_table_that_is_believed_keeps_the_rest_of_what_it_says() -> None:
    context = av.CodecContext.create("mpeg4", "r")
    assert isinstance(context, VideoCodecContext)
    full = replace(table("K."), remarks=("cut",))
    assert believe(full, context).remarks == ("cut",)


def frames(stamps: list[int | None]) -> Iterator[VideoFrame]:
    for number, stamp in enumerate(stamps):
        frame = VideoFrame(16, 16, "gray")
        frame.pts = stamp
        frame.opaque = number
        yield frame


@given(st.permutations(range(40)))
def test_times_change_places_and_pictures_do_not(order: list[int]) -> None:
    """A container that knows decoding order gives each time to a picture a little way off."""
    near = sorted(range(40), key=lambda index: index + order[index] % 6)
    found = list(by_order(frames([2 * place for place in near])))
    assert [frame.opaque for frame in found] == list(range(40))
    assert [frame.pts for frame in found] == list(range(0, 80, 2))


def test_a_picture_without_a_later_time_is_left_out() -> None:
    found = [frame.pts for frame in rising(frames([0, 2, 2, None, 1, 3]))]
    assert found == [0, 2, 3]


def test_a_straight_decode_goes_on_where_it_stood() -> None:
    straight = StraightDecode(rising(frames(list(range(10)))), Damage())
    assert [frame.pts for frame in straight.between(2, 4)] == [2, 3, 4]
    assert straight.is_past(4) and not straight.is_past(5)
    assert [frame.pts for frame in straight.between(5, 5)] == [5]
    assert [frame.pts for frame in straight.between(8, 20)] == [8, 9]
    assert straight.passed == 10


def make(muxer: str, encoder: str, kind: str, folder: Path) -> Path:
    wanted: Pair = next(p for p in pairs(kind) if (p.muxer, p.encoder) == (muxer, encoder))
    path = write(wanted, folder)
    assert path is not None
    return path


class CountingVideo(PyAVVideo):
    """Counts the packets that go into decoders, those of its straight decode too."""

    fed = 0

    def _decoded(self, packets: Any, damage: Damage) -> Iterator[VideoFrame]:
        def counted() -> Iterator[Any]:
            for packet in packets:
                CountingVideo.fed += packet is not None
                yield packet

        return super()._decoded(counted(), damage)


def test_where_only_a_straight_decode_is_right_there_is_one_for_all_runs(tmp_path: Path) -> None:
    path = make("avi", "rawvideo", "paletted", tmp_path)
    with CountingVideo(path) as video:
        table = video.packets()
        assert table.keys.all()
        CountingVideo.fed = 0
        for key in table.pts[::3].tolist():
            assert [frame.pts for frame in video.frames(DecodeRange(key, key))] == [key]
        assert len(table) - 3 <= CountingVideo.fed <= len(table)
        early = int(table.pts[1])  # behind: from the beginning again
        assert [frame.pts for frame in video.frames(DecodeRange(early, early))] == [early]


def test_a_key_frame_that_is_none_is_found_out_and_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the container had flagged a picture in the middle of a GOP."""
    truth = make_video(
        tmp_path / "a.avi",
        shots=[(numbered(), 2)],
        size=(192, 108),
        codec="msmpeg4",
        gop=20,
    )
    with PyAVVideo(truth.path) as video:
        stamps = video.packets().pts
        lie = video._packets_from

        def flagged(stamp: int) -> Iterator[Any]:
            for packet in lie(stamp):
                packet.is_keyframe = True
                if packet.pts is None or packet.pts >= stamp:
                    yield packet

        monkeypatch.setattr(video, "_packets_from", flagged)
        run = DecodeRange(int(stamps[27]), int(stamps[33]))
        found = [(f.pts, read_number(f.luma())) for f in video.frames(run)]
        assert found == [(int(stamps[number]), number) for number in range(27, 34)]
        assert video.damaged == 0


def test_streams_that_appear_on_the_way_are_no_end_of_the_world() -> None:
    """PyAV looks for them in the list that it made when the file was opened."""

    packet = Packet(b"a picture")

    class Container:
        def demux(self, *streams: Any) -> Iterator[Packet[Any]]:
            yield packet
            raise IndexError("list index out of range")

    container: Any = Container()
    assert list(demux(container)) == [packet]
