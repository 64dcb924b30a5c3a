"""What can't be used says why, in one short line without path, number or noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from videos import (
    RED,
    corners,
    make_audio,
    make_cut_short,
    make_not_a_video,
    make_picture,
    make_video,
    motion,
)

from tempo_edge.errors import MediaError, MissingExtraError
from tempo_edge.media import DecodeRange, open_video


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def noise(folder: Path) -> Path:
    path = folder / "noise.mp4"
    path.write_bytes(bytes(range(256)) * 200)
    return path


def headless(folder: Path) -> Path:
    """An MP4 that was never closed: its index would have come last."""
    truth = make_video(folder / "whole.mp4", shots=[(motion(1), 1)])
    return make_cut_short(truth.path, folder / "headless.mp4")


def directory(folder: Path) -> Path:
    path = folder / "folder.mp4"
    path.mkdir()
    return path


def song(folder: Path) -> Path:
    """Sound with a cover, which FFmpeg counts as a video stream."""
    path = folder / "song.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        tone = out.add_stream("aac", rate=48_000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = VideoFrame.from_ndarray(corners()(64, 48, 0), format="rgb24")
        picture = picture.reformat(format="yuvj420p")
        picture.pts = 0
        out.mux([*cover.encode(picture), *cover.encode(None)])
        for index in range(20):
            silence = AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 48_000, index * 1024
            out.mux(tone.encode(silence))
        out.mux(tone.encode(None))
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda d: d / "missing.mp4", "can't be opened: no such file or directory"),
    "directory": (directory, "can't be opened: is a directory"),
    "empty": (empty, "can't be opened: invalid data found when processing input"),
    "noise": (noise, "can't be opened: invalid data found when processing input"),
    "headless": (headless, "can't be opened: invalid data found when processing input"),
    "text as mp4": (
        lambda d: make_not_a_video(d / "a.mp4"),
        "can't be opened: invalid data found when processing input",
    ),
    "text": (lambda d: make_not_a_video(d / "a.txt"), "is text, not a video"),
    "audio": (lambda d: make_audio(d / "a.m4a"), "holds no video, only audio"),
    "audio as mp4": (lambda d: make_audio(d / "a.mp4"), "holds no video, only audio"),
    "song with a cover": (song, "holds no video, only audio"),
    "wave": (lambda d: make_audio(d / "a.wav"), "holds no video, only audio"),
    "png": (lambda d: make_picture(d / "a.png"), "is a picture, not a video"),
    "png as mp4": (lambda d: make_picture(d / "a.mp4"), "is a picture, not a video"),
    "jpeg": (lambda d: make_picture(d / "a.jpg", kind="jpeg"), "is a picture, not a video"),
    "jpeg as mov": (lambda d: make_picture(d / "a.mov", kind="jpeg"), "is a picture, not a video"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_video_is_refused_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, decoder: str
) -> None:
    make, reason = REFUSED[name]
    path = make(tmp_path)
    capfd.readouterr()  # what the making said
    with pytest.raises(MediaError) as caught:
        open_video(path, decoder)
    assert str(caught.value) == reason
    assert capfd.readouterr() == ("", "")


def test_a_download_cut_short_gives_what_is_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = {"movflags": "+faststart"}
    shots = [(motion(2), 4)]
    whole = make_video(tmp_path / "a.mp4", shots=shots, gop=10, container_options=options)
    part = make_cut_short(whole.path, tmp_path / "part.mp4", 0.6)
    capfd.readouterr()
    with open_video(part) as video:
        table = video.packets()
        assert 20 < len(table) < 100
        keys = table.pts[table.keys]
        found = [
            frame.pts for frame in video.frames(DecodeRange(int(keys[-1]), int(table.pts[-1])))
        ]
        assert found
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
def test_any_part_of_a_file_is_footage_or_a_media_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, share: float
) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"
    whole = make_video(tmp_path / f"a{suffix}", shots=[(motion(2), 2)], gop=10, codec=codec)
    part = make_cut_short(whole.path, tmp_path / f"part{suffix}", share)
    capfd.readouterr()
    try:
        with open_video(part) as video:
            table = video.packets()
            for key in table.pts[table.keys]:
                list(video.frames(DecodeRange(int(key), int(key))))
    except MediaError as error:
        text = str(error)
        assert len(text) < 80
        assert "\n" not in text and "Errno" not in text and str(tmp_path) not in text
    assert capfd.readouterr() == ("", "")


def test_an_unknown_decoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"decoder 'vlc' must be one of \('pyav', 'decord'"):
        open_video(tmp_path / "a.mp4", "vlc")


def test_decord_missing_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    truth = make_video(tmp_path / "a.mp4", shots=[(RED, 0.2)])
    monkeypatch.setitem(sys.modules, "decord", None)
    with pytest.raises(MissingExtraError, match=r'pip install "\.\[decord\]"'):
        open_video(truth.path, "decord")
