"""Decoders on the sample clip: the processor's against what was drawn, NVDEC's against that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._system.nvidia import why_no_nvidia
from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, Video, open_video
from tempo_edge.media.devices import offered
from tempo_edge.media.hardware import HardwareVideo
from tempo_edge.media.likeness import TOLERANCE, apart
from tempo_edge.proof.clip import SIZE, clip_of
from tempo_edge.proof.part import AbsentError, Budget, Figure, Part, Row, verdict
from tempo_edge.sample_clips import RATE, drawn_luma

__all__ = ["Decoded", "NvdecDecoding", "ProcessorDecoding", "held", "whole"]

# Of so many pictures one is compared, sample by sample; the times of all of them are.
_COMPARED = 4

_Plane = NDArray[np.unsignedinteger]

# The number of a picture: its time in seconds, and its luma plane.
_Truth = Callable[[int], tuple[Fraction, "_Plane | None"]]


class ProcessorDecoding(Part):
    """The processor's pictures and times against the drawn ones."""

    name = "decoder-cpu"
    what = "the pyav decoder"
    against = "what was drawn"
    needs = "the sample clip"
    budget_seconds = 12.0

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        with open_video(clip_of(scratch)) as video:
            yield held(self, video, _as_drawn, budget)


def _as_drawn(number: int) -> tuple[Fraction, _Plane | None]:
    plane = None if number % _COMPARED else drawn_luma(number, SIZE)
    return Fraction(number, RATE), plane


class _NvdecVideo(HardwareVideo):
    """The hardware decoder on an NVIDIA card, whether or not that is faster than the processor."""

    device = "cuda"


class NvdecDecoding(Part):
    """The pictures and times of NVDEC against the processor's."""

    name = "decoder-nvdec"
    what = "the hardware decoder on NVDEC"
    against = "the pyav decoder"
    needs = "an NVIDIA card with its driver, and an FFmpeg with NVDEC"
    budget_seconds = 25.0
    on_card = True

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        if why := why_no_nvidia():
            raise AbsentError(why)
        if "cuda" not in offered():
            raise AbsentError("this FFmpeg has no NVDEC")
        path = clip_of(scratch)
        try:
            video = _NvdecVideo(path)
            on_device = video.is_on_device
        except MediaError as error:
            raise AbsentError(f"NVDEC can't be opened: {error}") from error
        with video, open_video(path) as plain:
            if not on_device:
                raise AbsentError(f"NVDEC does not decode {plain.info.codec} here")
            video.check()
            yield held(self, video, Decoded(plain), budget)


class Decoded:
    """The pictures of another decoder, one after another."""

    def __init__(self, video: Video) -> None:
        self._video, self._frames = video, video.frames(whole(video))

    def __call__(self, number: int) -> tuple[Fraction, _Plane | None]:
        try:
            frame = next(self._frames)
        except StopIteration:
            raise MediaError(f"the other decoder gives {number} pictures only") from None
        plane = None if number % _COMPARED else frame.luma()
        return self._video.info.time_of(frame.pts), plane


def whole(video: Video) -> DecodeRange:
    """All of a film."""
    pts = video.packets().pts
    return DecodeRange(int(pts[0]), int(pts[-1]))


def held(part: Part, video: Video, truth: _Truth, budget: Budget) -> Row:
    """The row of a decoder whose pictures were held against what is true, in turn with it."""
    run = whole(video)
    wanted = len(video.packets())
    frames: Iterator[Any] = iter(video.frames(run))
    done, compared, furthest, late, spent = 0, 0, 0.0, 0, 0.0
    while not budget.is_over():
        began = time.perf_counter()
        frame = next(frames, None)
        spent += time.perf_counter() - began
        if frame is None:
            break
        seconds, plane = truth(done)
        late += video.info.time_of(frame.pts) != seconds
        if plane is not None:
            compared += 1
            luma = frame.luma()
            same_shape = luma.shape == plane.shape
            furthest = max(furthest, apart(luma, plane) if same_shape else 255.0)
        done += 1
    is_cut = budget.is_over() and done < wanted
    wrong = []
    if furthest > TOLERANCE:
        wrong.append(f"a picture is {furthest:.1f} 255ths off, {TOLERANCE:.0f} are allowed")
    if late:
        wrong.append(f"{late} of {done} times are wrong")
    if done < wanted and not is_cut:
        wrong.append(f"{done} of {wanted} pictures were decoded")
    return verdict(
        part.what,
        part.against,
        "; ".join(wrong),
        Figure("pictures", done),
        Figure("compared", compared),
        Figure("furthest off", round(furthest, 3), "255ths"),
        Figure("times exact", done - late),
        Figure("decoded at", round(done / max(spent, 1e-9), 1), "pictures/s"),
        Figure("that is", round(done / RATE / max(spent, 1e-9), 2), "x real time"),
        cut_short=f"{done} of {wanted} pictures" if is_cut else "",
    )
