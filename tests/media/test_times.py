"""Times come from the container, exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from videos import RED, Truth, make_video, numbered, read_number

from tempo_edge.media import DecodeRange, VideoInfo, open_video
from tempo_edge.media.pyav import PyAVVideo

Gallery = Callable[[str], Truth]

# Containers that hold every time stamp; Matroska rounds to the millisecond.
EXACT = (
    *("plain.mp4", "ntsc.mp4", "film.mov", "variable.mp4", "late.mp4", "open.mp4", "open.ts"),
    *("closed.ts", "interlaced.ts", "hevc.mp4", "high10.mp4", "intra.avi", "intra.mov"),
)


def times(path: Path) -> tuple[Fraction, ...]:
    with open_video(path) as video:
        return tuple(video.info.time_of(int(pts)) for pts in video.packets().pts)


@pytest.mark.parametrize("name", EXACT)
def test_every_picture_has_the_time_it_was_given(gallery: Gallery, name: str) -> None:
    truth = gallery(name)
    assert times(truth.path) == truth.times


@pytest.mark.parametrize("name", ["variable.mkv", "late.mkv", "vp9.webm"])
def test_matroska_rounds_to_its_millisecond(gallery: Gallery, name: str) -> None:
    truth = gallery(name)
    found = times(truth.path)
    assert len(found) == len(truth.times)
    assert max(abs(a - b) for a, b in zip(found, truth.times, strict=True)) <= Fraction(1, 2000)


def test_times_count_from_the_sound_where_it_begins_first(gallery: Gallery) -> None:
    with open_video(gallery("late.mp4").path) as video:
        info = video.info
        assert info.time_of(int(video.packets().pts[0])) == 3
        assert info.start_time == 0


def test_a_transport_stream_begins_at_zero_wherever_its_clock_stands(gallery: Gallery) -> None:
    with open_video(gallery("closed.ts").path) as video:
        info = video.info
        assert info.start_time == 50
        assert info.time_of(int(video.packets().pts[0])) == 0


def test_what_an_edit_list_hides_is_no_picture(gallery: Gallery) -> None:
    truth = gallery("trimmed.mp4")
    shown = tuple(time - truth.times[20] for time in truth.times[20:])
    assert times(truth.path) == shown


def test_the_first_picture_after_a_hidden_key_frame_can_be_decoded_from(gallery: Gallery) -> None:
    with open_video(gallery("trimmed.mp4").path) as video:
        table = video.packets()
    # Pictures 12 to 19 are hidden and 12 was the key frame; 24, 36, 48 are the next ones.
    assert np.flatnonzero(table.keys).tolist() == [0, 4, 16, 28]


def test_the_table_rises_and_tells_key_frames_and_bytes(gallery: Gallery) -> None:
    with open_video(gallery("open.mp4").path) as video:
        table = video.packets()
    assert (np.diff(table.pts) > 0).all()
    assert np.flatnonzero(table.keys).tolist() == [0, 12, 24, 36, 48]
    assert (table.sizes > 0).all()
    assert table.sizes[table.keys].min() > np.median(table.sizes)


def test_packets_can_be_asked_for_twice_and_after_decoding(gallery: Gallery) -> None:
    with open_video(gallery("closed.ts").path) as video:
        first = video.packets()
        list(video.frames(DecodeRange(int(first.pts[24]), int(first.pts[30]))))
        again = video.packets()
    np.testing.assert_array_equal(first.pts, again.pts)


@pytest.mark.parametrize("early", [0.5, 3])
def test_subtitles_begin_a_film_as_players_have_it(tmp_path: Path, early: float) -> None:
    """mpv 0.35 shows the first picture of these at this time."""
    truth = make_video(tmp_path / "a.mkv", shots=[(RED, 1)], start_seconds=early)
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,200\nhello\n", encoding="utf-8")
    path = tmp_path / "b.mkv"
    with (
        av.open(str(truth.path)) as old,
        av.open(str(tmp_path / "a.srt")) as words,
        av.open(str(path), "w") as new,
    ):
        tracks = [
            (words, new.add_stream_from_template(words.streams[0])),
            (old, new.add_stream_from_template(old.streams.video[0])),
        ]
        for source, track in tracks:
            for packet in source.demux():
                if packet.size:
                    packet.stream = track
                    new.mux(packet)
    assert float(times(path)[0]) == pytest.approx(early, abs=0.001)


def test_the_start_is_there_where_seeking_to_it_fails(tmp_path: Path) -> None:
    """Sound begins first; FLV's seek fails before the first picture, and loses what was read."""
    truth = make_video(
        tmp_path / "a.flv", shots=[(RED, 2)], codec="flv", start_seconds=0.04, audio=True
    )
    found = times(truth.path)
    assert len(found) == len(truth.times) == 50
    assert max(abs(a - b) for a, b in zip(found, truth.times, strict=True)) < Fraction(1, 40)
    with open_video(truth.path) as video:
        table = video.packets()
        np.testing.assert_array_equal(video.packets().pts, table.pts)
        assert len(list(video.frames(DecodeRange(int(table.pts[0]), int(table.pts[-1]))))) == 50


@pytest.mark.parametrize(("suffix", "codec"), [("flv", "flv"), ("flv", "libx264"), ("wmv", "wmv2")])
def test_a_film_begins_with_its_picture_not_with_the_lead_in_of_its_sound(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    truth = make_video(tmp_path / f"a.{suffix}", shots=[(RED, 2)], codec=codec, audio=True)
    found = times(truth.path)
    assert found[0] == 0
    assert len(found) == 50
    assert max(abs(a - b) for a, b in zip(found, truth.times, strict=True)) <= Fraction(1, 1000)


def test_info_says_what_was_encoded(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    shots = [(RED, 2 * 1001 / 1000)]
    truth = make_video(tmp_path / "a.mp4", shots=shots, rate=rate, size=(320, 180), audio=True)
    with open_video(truth.path) as video:
        info = video.info
    assert (info.codec, info.width, info.height, info.bit_depth) == ("h264", 320, 180, 8)
    assert info.rate == rate
    assert abs(info.duration - truth.end) < Fraction(1, 1000)
    assert info.duration_seconds == float(info.duration)


def test_a_name_with_a_colon_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video(tmp_path / "file:12:30.mp4", shots=[(RED, 0.2)])
    monkeypatch.chdir(tmp_path)
    assert len(times(Path("file:12:30.mp4"))) == 5


def test_info_refuses_nonsense() -> None:
    good = {
        "codec": "h264",
        "width": 2,
        "height": 2,
        "time_base": Fraction(1, 25),
        "start_time": Fraction(0),
        "duration": Fraction(1),
        "rate": None,
        "bit_depth": 8,
    }
    VideoInfo(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size 0x2"):
        VideoInfo(**{**good, "width": 0})  # type: ignore[arg-type]
    assert VideoInfo(**{**good, "width": 1, "height": 1}).height == 1  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="time_base 0"):
        VideoInfo(**{**good, "time_base": Fraction(0)})  # type: ignore[arg-type]


def test_anamorphic_samples_are_known(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(RED, 0.2)], aspect=Fraction(16, 11))
    with PyAVVideo(truth.path) as video:
        assert video.pixel_aspect == Fraction(16, 11)


def test_pictures_before_the_start_are_left_out_and_told(tmp_path: Path) -> None:
    """No player can seek to a time below zero: such a moment would be nowhere."""
    path = tmp_path / "exchanged.mkv"
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuvj420p"
        packets = []
        for index in range(20):
            frame = VideoFrame.from_ndarray(numbered()(96, 72, index), format="rgb24")
            frame = frame.reformat(format="yuvj420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        # The second half of the film lies before the first.
        for number, packet in enumerate([*packets[10:], *packets[:10]]):
            packet.stream, packet.dts = stream, number - len(packets)
            out.mux_one(packet)
    with open_video(path) as video:
        table = video.packets()
        assert [float(video.info.time_of(int(pts))) for pts in table.pts] == pytest.approx(
            [index / 25 for index in range(10)]
        )
        assert table.remarks == ("10 pictures lie before its start, where nothing can be sought",)
        shown = [
            read_number(frame.luma())
            for frame in video.frames(DecodeRange(int(table.pts[0]), int(table.pts[-1])))
        ]
    assert shown == list(range(10, 20))
