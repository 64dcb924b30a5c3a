"""The files that the media tests look at, by name."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from videos import Truth, make_video, numbered, rewrite_edit_list

__all__ = ["GALLERY", "make"]

NTSC = Fraction(30000, 1001)

# Every picture tells its number, so that the right one can be told from its neighbour.
GALLERY: dict[str, dict[str, Any]] = {
    "plain.mp4": {"gop": 12},
    "ntsc.mp4": {"rate": NTSC, "gop": 15},
    "film.mov": {"rate": Fraction(24000, 1001), "gop": 10},
    "variable.mp4": {"gop": 12, "drop": (1, 5, 6, 7, 30, 31, 32, 40)},
    "variable.mkv": {"gop": 12, "drop": (1, 5, 6, 7, 30, 31, 32, 40)},
    "late.mp4": {"gop": 12, "start_seconds": 3, "audio": True},
    "late.mkv": {"gop": 12, "start_seconds": Fraction(3, 2), "audio": True},
    "open.mp4": {"gop": 12, "options": {"x264-params": "open-gop=1:bframes=3:scenecut=0"}},
    "open.ts": {"gop": 12, "options": {"x264-params": "open-gop=1:bframes=3:scenecut=0"}},
    "closed.ts": {"gop": 12, "start_seconds": 50},
    "interlaced.ts": {"gop": 12, "codec": "mpeg2video", "options": {"flags": "+ildct+ilme"}},
    "hevc.mp4": {"gop": 12, "codec": "libx265"},
    "hevc10.mp4": {"gop": 12, "codec": "libx265", "pixel_format": "yuv420p10le"},
    "high10.mp4": {"gop": 12, "pixel_format": "yuv420p10le"},
    "vp9.webm": {"gop": 12, "codec": "libvpx-vp9"},
    "intra.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "intra.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "mpeg4.avi": {"gop": 12, "codec": "mpeg4", "bframes": 2},
    "one_gop.mp4": {"gop": 250},
    "trimmed.mp4": {"gop": 12},
}


def make(folder: Path, name: str) -> Truth:
    """Write one file of the gallery."""
    options = {"shots": [(numbered(), 2.4)], "scenecut": False, "size": (192, 108)}
    truth = make_video(folder / name, **(options | GALLERY[name]))
    if name == "trimmed.mp4":
        rewrite_edit_list(truth.path, 20 * 512)
    return truth
