"""Which of several video streams is the film: every reader of a file takes the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import VideoFrame

from tempo_edge.clips import cut, cut_or_copy
from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, open_video
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.moment import Span

FILM, SMALL = (96, 64), (32, 32)


@dataclass(frozen=True)
class Track:
    """A stream of one grey all over: its level, its size, how many pictures, whether default."""

    level: int
    size: tuple[int, int] = FILM
    pictures: int = 50
    default: bool = False
    codec: str = "libx264"


def mux(path: Path, tracks: Sequence[Track]) -> Path:
    """A file of several video streams at 25 pictures a second, in this order."""
    with av.open(str(path), "w") as out:
        streams = []
        for track in tracks:
            stream = out.add_stream(track.codec, rate=25)
            stream.width, stream.height = track.size
            stream.pix_fmt = "yuvj420p" if track.codec == "mjpeg" else "yuv420p"
            stream.codec_context.gop_size = 10
            if track.codec == "libx264":
                stream.options = {"preset": "ultrafast", "x264-params": "threads=1"}
            stream.disposition = Disposition.default if track.default else Disposition(0)
            streams.append(stream)
        for index in range(max(track.pictures for track in tracks)):
            for track, stream in zip(tracks, streams, strict=True):
                if index < track.pictures:
                    picture = np.full((track.size[1], track.size[0], 3), track.level, np.uint8)
                    frame = VideoFrame.from_ndarray(picture, format="rgb24")
                    frame = frame.reformat(format=stream.pix_fmt)
                    frame.pts, frame.time_base = index, Fraction(1, 25)
                    out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


def level(path: Path) -> int:
    """The grey that is seen two pictures into a file."""
    with open_video(path) as video:
        table = video.packets()
        last = int(table.pts[2])
        *_, frame = video.frames(DecodeRange(int(table.pts[0]), last))
        return round(float(frame.thumbnail(8).mean()))


GREY, WHITE = 90, 250
MEANT = {
    "the default stream": [Track(WHITE, SMALL), Track(GREY, default=True)],
    "the default one, though small": [Track(WHITE), Track(GREY, SMALL, default=True)],
    "the largest of none": [Track(WHITE, SMALL), Track(GREY)],
    "the largest of several": [Track(WHITE, SMALL, default=True), Track(GREY, default=True)],
    "the first of equals": [Track(GREY), Track(WHITE)],
    "no cover": [Track(WHITE, pictures=1, codec="mjpeg"), Track(GREY)],
    "no cover, though it is the default": [
        Track(WHITE, (128, 128), pictures=1, codec="mjpeg", default=True),
        Track(GREY, SMALL),
    ],
    "nothing that never comes": [Track(WHITE, (128, 128), pictures=0, default=True), Track(GREY)],
}


# A transport stream has no default and no cover; in MP4 one track is always the default, and those
# without a picture are not written.
ELSEWHERE = {
    ".ts": {case for case in MEANT if case.startswith("no cover") or "though" in case},
    ".mp4": {"the largest of none", "nothing that never comes"},
}


@pytest.mark.parametrize(
    ("case", "suffix"),
    [
        (case, s)
        for s in (".mkv", ".mp4", ".ts")
        for case in MEANT
        if case not in ELSEWHERE.get(s, ())
    ],
)
def test_the_film_is_chosen(tmp_path: Path, case: str, suffix: str) -> None:
    tracks = MEANT[case]
    path = mux(tmp_path / f"a{suffix}", tracks)
    assert level(path) == pytest.approx(GREY, abs=6)
    with PyAVVideo(path) as video:
        assert len(video.packets()) == 50
        assert video.video_index == next(i for i, t in enumerate(tracks) if t.level == GREY)
    clips = (cut(path, Span(0.4, 1.2), tmp_path), cut_or_copy(path, Span(0.4, 1.2), tmp_path).path)
    assert [level(clip) for clip in clips] == pytest.approx([GREY, GREY], abs=6)


def test_the_start_of_the_film_is_there_too(tmp_path: Path) -> None:
    """To tell which one moves, packets are read; none of them may be lost."""
    path = mux(tmp_path / "a.mkv", MEANT["no cover"])
    with open_video(path) as video:
        table = video.packets()
        frames = list(video.frames(DecodeRange(int(table.pts[0]), int(table.pts[-1]))))
    assert table.pts[0] == 0
    assert table.keys[0]
    assert len(frames) == 50


def test_decord_takes_no_guess(tmp_path: Path) -> None:
    pytest.importorskip("decord")
    path = mux(tmp_path / "a.mkv", MEANT["the default stream"])
    with open_video(path, "decord") as video, pytest.raises(MediaError, match="use pyav"):
        list(video.frames(DecodeRange(0, 0)))


def test_a_single_picture_is_all_there_is(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mkv", [Track(WHITE, pictures=0), Track(GREY, pictures=1)])
    with open_video(path) as video:
        assert len(video.packets()) == 1


def test_streams_without_pictures_are_told(tmp_path: Path) -> None:
    path = mux(tmp_path / "a.mkv", [Track(WHITE, pictures=0), Track(GREY, pictures=0)])
    with pytest.raises(MediaError), open_video(path) as video:
        video.packets()
