"""Small whole films, one of each format that FFmpeg can write and the walk knows."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["FORMATS", "Format", "write_seeds"]

# Suffix, muxer, encoder, (width, height), options of the muxer.
Format = tuple[str, str, str, tuple[int, int], dict[str, str]]

_SMALL, _CIF, _PAL = (96, 72), (176, 144), (720, 576)

FORMATS: tuple[Format, ...] = (
    (".mp4", "mp4", "libx264", _SMALL, {}),
    (".m4v", "mp4", "libx265", _SMALL, {}),
    (".f4v", "mp4", "libx264", _SMALL, {"movflags": "frag_keyframe+empty_moov"}),
    (".mov", "mov", "mpeg4", _SMALL, {}),
    (".mkv", "matroska", "libx264", _SMALL, {}),
    (".webm", "webm", "libvpx", _SMALL, {}),
    (".avi", "avi", "mpeg4", _SMALL, {}),
    (".divx", "avi", "mjpeg", _SMALL, {}),
    (".ts", "mpegts", "libx264", _SMALL, {}),
    (".m2ts", "mpegts", "mpeg2video", _SMALL, {"mpegts_m2ts_mode": "1"}),
    (".mpg", "mpeg", "mpeg1video", _SMALL, {}),
    (".vob", "vob", "mpeg2video", _SMALL, {}),
    (".flv", "flv", "flv", _SMALL, {}),
    (".wmv", "asf", "wmv2", _SMALL, {}),
    (".asf", "asf", "msmpeg4", _SMALL, {}),
    (".ogv", "ogg", "libtheora", _SMALL, {}),
    (".3gp", "3gp", "h263", _CIF, {}),
    (".mxf", "mxf", "mpeg2video", _PAL, {}),
    (".nut", "nut", "ffv1", _SMALL, {}),
    (".dv", "dv", "dvvideo", _PAL, {}),
    (".rm", "rm", "rv10", _CIF, {}),
    (".y4m", "yuv4mpegpipe", "wrapped_avframe", _SMALL, {}),
    (".mjpeg", "mjpeg", "mjpeg", _SMALL, {}),
    (".m2v", "mpeg2video", "mpeg2video", _SMALL, {}),
    (".qt", "mov", "qtrle", _SMALL, {}),
    (".wtv", "wtv", "mpeg2video", _SMALL, {}),
)

_PIXELS = {"mjpeg": "yuvj420p", "qtrle": "rgb24", "ffv1": "yuv420p"}
_PICTURES = 30


def write_seeds(folder: Path, formats: Sequence[Format] = FORMATS) -> list[Path]:
    """Write a film of each format into a folder; gives those that FFmpeg here can write."""
    return [
        path
        for number, row in enumerate(formats)
        if (path := _write(folder / f"seed{number:02d}{row[0]}", row))
    ]


def _write(path: Path, row: Format) -> Path | None:
    _, muxer, codec, (width, height), options = row
    try:
        with av.open(str(path), "w", format=muxer, options=options) as out:
            stream = out.add_stream(codec, rate=Fraction(25))
            stream.width, stream.height = width, height
            stream.pix_fmt = _PIXELS.get(codec, "yuv420p")
            stream.codec_context.gop_size = 10
            stream.codec_context.thread_count = 1
            if codec == "libx265":
                stream.options = {"x265-params": "log-level=none:pools=1"}
            for index in range(_PICTURES):
                frame = VideoFrame.from_ndarray(_picture(width, height, index), format="rgb24")
                frame = frame.reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = index, Fraction(1, 25)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError):
        path.unlink(missing_ok=True)
        return None
    return path


def _picture(width: int, height: int, index: int) -> NDArray[np.uint8]:
    """A bar that moves over a slope, and another slope after half of the film."""
    across = np.linspace(0, 200, width, dtype=np.uint8)[None, :, None]
    down = np.linspace(50, 255, height, dtype=np.uint8)[:, None, None]
    slope = across if index < _PICTURES // 2 else down
    picture: NDArray[np.uint8] = np.broadcast_to(slope, (height, width, 3)).copy()
    left = index * 3 % max(width - 8, 1)
    picture[:, left : left + 8] = (255, 40, 40)
    return picture
