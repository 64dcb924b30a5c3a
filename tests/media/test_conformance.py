"""Every picture of a planned run is the picture that a straight decode has at that time.

A chosen few of the pairs of container and codec: ``python -m benchmarks.conformance`` tries all.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks._pairs import KINDS, PICTURES, Pair, draw, pairs, write
from benchmarks.conformance import Verdict, compare, examine, straight
from tempo_edge.media import open_video

# Encoders by the container in which each is usual.
USUAL: dict[str, tuple[str, ...]] = {
    "asf": ("msmpeg4", "wmv1", "wmv2"),
    "avi": (
        *("asv1", "asv2", "cinepak", "ffvhuff", "h263", "huffyuv", "libx264", "mjpeg", "mpeg4"),
        *("msmpeg4v2", "msrle", "msvideo1", "rawvideo", "snow", "utvideo", "zmbv"),
    ),
    "flv": ("flashsv", "flv", "libx264"),
    "gif": ("gif",),
    "h261": ("h261",),
    "ivf": ("libsvtav1", "libvpx"),
    "matroska": ("ffv1", "libx264", "libx265", "magicyuv", "mpeg2video", "prores_ks"),
    "mov": (
        *("cfhd", "dvvideo", "jpeg2000", "libx265", "mjpeg", "png", "prores_ks", "qtrle", "rpza"),
        *("smc", "svq1", "tiff", "v210"),
    ),
    "mp4": ("libsvtav1", "libx264", "libx265", "mpeg4"),
    "mpegts": ("libx264", "libx265", "mpeg2video"),
    "mpjpeg": ("mjpeg",),
    "mxf": ("dnxhd", "libx264", "mpeg2video"),
    "nut": ("mpeg4",),
    "ogg": ("libvpx",),
    "rm": ("rv10", "rv20"),
    "roq": ("roqvideo",),
    "swf": ("flv", "mjpeg"),
    "vob": ("mpeg1video", "mpeg2video"),
    "webm": ("libvpx", "libvpx-vp9"),
    "wtv": ("mpeg2video",),
    "yuv4mpegpipe": ("rawvideo",),
}

CHOSEN: dict[str, dict[str, tuple[str, ...]]] = {
    "plain": USUAL,
    "B-frames": {
        "asf": ("mpeg2video",),
        "avi": ("libx264", "mpeg4"),
        "mp4": ("libsvtav1", "libx264", "libx265"),
        "matroska": ("libx264", "libx265"),
        "mpegts": ("libx264", "mpeg2video"),
        "mxf": ("libx264",),
        "vob": ("mpeg1video",),
    },
    "open GOPs": {
        "avi": ("libx264", "mpeg4"),
        "mp4": ("libx264", "libx265"),
        "mpegts": ("libx264", "libx265", "mpeg2video"),
        "mxf": ("libx264", "mpeg2video"),
        "vob": ("mpeg2video",),
    },
    "intra-refresh": dict.fromkeys(("avi", "flv", "matroska", "mp4", "mpegts"), ("libx264",)),
    "interlaced": {
        "avi": ("mpeg4",),
        "mp4": ("libx264",),
        "mov": ("prores_ks",),
        "mpegts": ("libx264", "mpeg2video"),
        "mxf": ("mpeg2video",),
    },
    "paletted": {
        "avi": ("msrle", "png", "rawvideo", "zmbv"),
        "gif": ("gif",),
        "mov": ("gif", "msrle", "png", "rawvideo", "smc", "tiff"),
        "nut": ("rawvideo",),
    },
    "no index": {
        "avi": ("flv", "h263", "libx264", "mpeg4", "msmpeg4", "msrle", "snow", "svq1", "zmbv"),
        "flv": ("flv", "libx264"),
        "matroska": ("ffv1", "libx264", "libx265", "mpeg4"),
        "mp4": ("libx264", "libx265"),
        "mpegts": ("libx264",),
        "ogg": ("libvpx",),
        "webm": ("libvpx", "libvpx-vp9"),
    },
    "left out": {
        "avi": ("libx264", "mjpeg", "mpeg4"),
        "flv": ("libx264",),
        "matroska": ("libvpx-vp9", "libx264"),
        "mp4": ("libx264", "libx265"),
        "vob": ("mpeg2video",),
    },
    "placeholders": {
        **dict.fromkeys(("avi", "matroska", "mov", "mpegts", "nut", "vob"), ("mpeg4",)),
    },
    "joined": {
        "avi": ("mpeg4",),
        "flv": ("libx264",),
        "matroska": ("libx264",),
        "mp4": ("libx264",),
        "mpegts": ("libx264", "mpeg2video"),
        "vob": ("mpeg2video",),
    },
}  # fmt: skip


def chosen() -> list[Pair]:
    """The pairs to try, in the order of their kinds."""
    return [
        pair
        for kind, wanted in CHOSEN.items()
        for pair in pairs(kind)
        if pair.encoder in wanted.get(pair.muxer, ())
    ]


def _write(encoder: str, muxer: str, kind: str, folder: Path) -> Path:
    pair = next(p for p in pairs(kind) if (p.encoder, p.muxer) == (encoder, muxer))
    path = write(pair, folder)
    assert path is not None
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_those_of_a_straight_decode(tmp_path: Path, kind: str) -> None:
    wrong: dict[str, Verdict] = {}
    read = 0
    for pair in chosen():
        if pair.kind == kind:
            verdict = examine(pair, tmp_path, runs=6)
            if verdict is not None and verdict.outcome != "unreadable":
                read += 1
                if verdict.outcome != "pass":
                    wrong[str(pair)] = verdict
    assert not wrong
    # An FFmpeg without one or the other encoder is no fault, one without most of them is.
    assert read >= 0.8 * sum(len(encoders) for encoders in CHOSEN[kind].values())


def test_there_are_pairs_to_choose_from() -> None:
    counts = {kind: sum(1 for _ in pairs(kind)) for kind in KINDS}
    assert set(CHOSEN) == set(KINDS)
    assert counts["plain"] > 5000
    assert min(counts.values()) > 100


def test_a_picture_in_the_place_of_another_is_found_out(tmp_path: Path) -> None:
    """A judge that lets all pass would prove nothing."""
    path = _write("libx264", "matroska", "plain", tmp_path)
    truth = straight(path)

    def verdict(pictures: list[tuple[int | None, NDArray[np.uint8]]]) -> Counter[str]:
        with open_video(path) as video:
            return compare(video, video.packets(), pictures, runs=6)[0]

    assert not verdict(truth)
    swapped = [(tick, truth[index ^ 1][1]) for index, (tick, _) in enumerate(truth)]
    assert verdict(swapped)["other picture"] >= len(truth)
    between = [*truth, (int(truth[-1][0] or 0) - 1, truth[-1][1])]
    assert verdict(between)["picture that the table lacks"] == 1
    assert verdict(truth[:-1])["picture at a time that has none"]


def test_every_picture_is_far_from_its_neighbours() -> None:
    drawn = np.stack([draw(number) for number in range(2 * PICTURES)]).astype(np.int16)
    steps = np.abs(np.diff(drawn, axis=0)).mean(axis=(1, 2, 3))
    assert steps.min() > 24
