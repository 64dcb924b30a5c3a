"""How long the last picture stays: as its packet, the sound or the container says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from videos import make_cut_short

from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.media import DecodeRange, open_video
from tempo_edge.media._ending import Sound
from tempo_edge.models import load_profile

# A screen that changes for a second, and once more after four; in hundredths of a second.
SHOWN = [*range(0, 100, 10), 400]


def screen(
    path: Path, *, sound: float = 0.0, last: int = 4, options: dict[str, str] | None = None
) -> Path:
    """A recording whose last picture lasts ``last`` hundredths, with as much sound as told."""
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream("mpeg4", rate=100)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = 5
        tone = out.add_stream("aac", rate=48_000, layout="mono") if sound else None
        packets = []
        for index, _ in enumerate(SHOWN):
            picture = np.full((48, 64, 3), index * 20, np.uint8)
            frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            packets += stream.encode(frame)
        packets = [packet for packet in packets + stream.encode(None) if packet.size]
        for packet, time in zip(packets, SHOWN, strict=True):
            packet.pts = packet.dts = time
            packet.time_base, packet.stream = Fraction(1, 100), stream
            packet.duration = last if time == SHOWN[-1] else 10
            out.mux(packet)
        if tone is not None:
            for start in range(0, int(sound * 48_000), 1024):
                silence = np.zeros((1, 1024), np.float32)
                frame = AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 48_000, start
                out.mux(tone.encode(frame))
            out.mux(tone.encode(None))
    return path


def length(path: Path) -> float:
    """Seconds of a file as it is indexed."""
    reader = FootageReader(load_profile("nano"), Sampling())
    try:
        video = reader.read(path).video
    finally:
        reader.close()
    assert video.holes == ()
    assert video.end_seconds == video.duration_seconds
    return video.duration_seconds


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_last_picture_stays_while_there_is_sound(tmp_path: Path, suffix: str) -> None:
    path = screen(tmp_path / f"a{suffix}", sound=20)
    assert length(path) == pytest.approx(20, abs=0.1)


def test_sound_whose_packets_tell_no_length_is_over_where_the_last_of_them_begins(
    tmp_path: Path,
) -> None:
    with av.open(str(screen(tmp_path / "a.mp4", sound=2))) as container:
        pictures, tone = container.streams.video[0], container.streams.audio[0]
        sound = Sound(pictures)
        assert (sound.bytes, sound.last_byte, sound.end) == (0, 0, None)
        packets = [packet for packet in container.demux() if packet.size]
        heard = [packet for packet in packets if packet.stream is tone]
        for packet in heard:
            packet.duration = None
        assert len(list(sound.without(packets))) == len(SHOWN) == len(packets) - len(heard)
        last = heard[-1]
        assert last.pts is not None and last.pos is not None
        assert sound.end == last.pts * tone.time_base
        assert sound.bytes == sum(packet.size for packet in heard)
        assert sound.last_byte == last.pos + last.size


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_last_picture_lasts_as_long_as_the_file_says(tmp_path: Path, suffix: str) -> None:
    path = screen(tmp_path / f"a{suffix}", last=1600)
    assert length(path) == pytest.approx(20, abs=0.1)


def test_a_file_that_broke_off_ends_where_it_breaks_off(tmp_path: Path) -> None:
    whole = screen(tmp_path / "a.mkv", last=1600)
    data = whole.read_bytes()
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    share = (places[8] + 4) / len(data)
    path = make_cut_short(whole, tmp_path / "b.mkv", share)
    with open_video(path) as video:
        table = video.packets()
        assert table.end is not None
        assert float(video.info.time_of(table.end)) < 1.2


def test_a_recording_that_was_never_finished_is_known_to_its_end(tmp_path: Path) -> None:
    """A browser writes neither a length nor cues."""
    path = screen(tmp_path / "a.mkv", options={"live": "1"})
    with open_video(path) as video:
        assert video.info.duration == 0
    assert length(path) == pytest.approx(4.04, abs=0.1)
    with open_video(path) as video:
        table = video.packets()
        for key in table.pts[table.keys][::-1]:  # sought without an index, backwards as well
            assert [frame.pts for frame in video.frames(DecodeRange(int(key), int(key)))] == [key]
