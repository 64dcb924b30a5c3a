"""Clips of footage that changes on the way: its sound, its size, its codec's name."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import numbered, read_number

from tempo_edge.clips import cut, cut_or_copy
from tempo_edge.media import open_video
from tempo_edge.moment import Span

RATE = 25


def write_part(
    path: Path,
    first: int,
    pause: float,
    size: tuple[int, int],
    sampling: int,
    layout: str,
    sound: str,
) -> bytes:
    """A second of numbered pictures from ``first`` on, as MPEG-TS, and a tone after a pause."""
    with av.open(str(path), "w", format="mpegts") as out:
        seen = out.add_stream("libx264", rate=RATE)
        seen.width, seen.height, seen.pix_fmt = *size, "yuv420p"
        seen.options = {
            "preset": "veryfast",
            "x264-params": "threads=1:bframes=0:keyint=5:scenecut=0",
        }
        heard = out.add_stream(sound, rate=sampling, layout=layout)
        for index in range(first, first + RATE):
            frame = av.VideoFrame.from_ndarray(numbered()(*size, index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            out.mux(seen.encode(frame))
        start, length = first * sampling // RATE, heard.codec_context.frame_size
        for at in range(start + int(pause * sampling), start + sampling - length + 1, length):
            phase = np.arange(at, at + length) * (2 * np.pi * 440 / sampling)
            wave = np.tile(
                (0.3 * np.sin(phase)).astype(np.float32), (2 if layout == "stereo" else 1, 1)
            )
            form = heard.codec_context.format.name
            if form == "s16":
                wave = (wave * 32767).astype(np.int16).T.reshape(1, -1)
            elif form == "s16p":
                wave = (wave * 32767).astype(np.int16)
            tone = av.AudioFrame.from_ndarray(wave, format=form, layout=layout)
            tone.sample_rate, tone.pts, tone.time_base = sampling, at, Fraction(1, sampling)
            out.mux(heard.encode(tone))
        for stream in (seen, heard):
            out.mux(stream.encode(None))
    return path.read_bytes()


Part = tuple[tuple[int, int], int, str, str]

PLAIN: Part = ((192, 108), 48_000, "stereo", "aac")

# What the second half is, after a plain first one.
CHANGES: dict[str, Part] = {
    "nothing": PLAIN,
    "sampling rate": ((192, 108), 44_100, "stereo", "aac"),
    "channels": ((192, 108), 48_000, "mono", "aac"),
    "sound codec": ((192, 108), 48_000, "stereo", "mp2"),
    "size": ((96, 54), 48_000, "stereo", "aac"),
    "larger": ((384, 216), 48_000, "stereo", "aac"),
    "shape": ((120, 120), 48_000, "stereo", "aac"),
    "all": ((96, 54), 32_000, "mono", "aac"),
}


def make_change(folder: Path, change: str, pause: float) -> Path:
    path = folder / "a.ts"
    halves = [
        write_part(folder / "part", at * RATE, at * pause, *part)
        for at, part in enumerate((PLAIN, CHANGES[change]))
    ]
    path.write_bytes(b"".join(halves))
    return path


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("may_copy", [False, True])
def test_a_clip_goes_across_a_change(tmp_path: Path, change: str, may_copy: bool) -> None:
    # What an encoder puts before its first sample overlaps the half before, or does not.
    path = make_change(tmp_path, change, 0.05 if may_copy else 0)
    with open_video(path) as video:  # sound in MPEG-TS begins a little before the pictures
        times = [float(video.info.time_of(int(pts))) for pts in video.packets().pts]
    span = Span(times[15], times[40])
    if may_copy:
        made = cut_or_copy(path, span, tmp_path / "clips")
        assert made.copied == (change == "nothing"), "an MP4 describes its streams once"
        clip = made.path
    else:
        clip = cut(path, span, tmp_path / "clips")
    with av.open(str(clip)) as container:
        pictures = list(container.decode(video=0))
    assert {(p.width, p.height) for p in pictures} == {(192, 108)}
    shown = [p.reformat(format="gray").to_ndarray() for p in pictures]
    if change == "shape":  # in the middle of the first one's, between black bars
        assert all(grey[:, :40].max() < 30 and grey[:, -40:].max() < 30 for grey in shown[10:])
        shown[10:] = [grey[:, 42:150] for grey in shown[10:]]
    assert [read_number(grey) for grey in shown] == list(range(15, 40))
    with av.open(str(clip)) as container:
        (stream,) = container.streams.audio
        wave = np.concatenate([f.to_ndarray()[0] for f in container.decode(stream)])
        sampling = stream.codec_context.sample_rate
    heard = 0.4 if change == "sound codec" else 1.0  # FFmpeg keeps to the first decoder
    assert abs(len(wave) / sampling - heard) < 0.1
    steps = wave[: len(wave) // 2400 * 2400].reshape(-1, 2400).astype(np.float64)
    loudness = np.sqrt(np.mean(steps**2, axis=1))
    # Half as strong where one channel becomes two.
    assert 0.145 < np.median(loudness) < 0.22
    assert np.sum(loudness < 0.145) <= 3, "no hole but where the two halves meet"
