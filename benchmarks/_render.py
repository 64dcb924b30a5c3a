"""Draws and encodes one planned composite video, and reads back what times the container holds."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.stream import VideoStream
from PIL import Image, ImageFilter

from benchmarks._plan import Shot, VideoPlan
from benchmarks._takes import LitTake, Take, View

# A picture is planar YUV 4:2:0 in limited range, flat: the Y plane, then U and V at half size.
# Photographs are turned into planes once and cropped as planes, so no frame is converted.
Picture = npt.NDArray[np.uint8]
ReadBytes = Callable[[str, str], bytes]
Box = tuple[float, float, float, float]
Channels = tuple[Image.Image, Image.Image, Image.Image]

PHOTO_ASPECT = 4 / 3


def black(width: int, height: int) -> Picture:
    """A black picture."""
    picture = np.full(width * height * 3 // 2, 128, np.uint8)
    picture[: width * height] = 16
    return picture


def _planes(picture: Picture, width: int, height: int) -> list[Picture]:
    luma, chroma = width * height, width * height // 4
    return [
        picture[:luma].reshape(height, width),
        picture[luma : luma + chroma].reshape(height // 2, width // 2),
        picture[luma + chroma :].reshape(height // 2, width // 2),
    ]


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


def _room(width: int, height: int, aspect: float) -> tuple[int, int, int, int]:
    """The place of a picture of this aspect in the frame: left, top, width, height, all even."""
    w = min(width, _even(height * aspect))
    h = min(height, _even(width / aspect))
    return (width - w) // 4 * 2, (height - h) // 4 * 2, w, h


class PhotoPainter:
    """A photograph under a slow camera; a square file is shown at the 4:3 it was squashed from."""

    def __init__(self, content: bytes, shot: Shot, plan: VideoPlan) -> None:
        self._shot, self._plan = shot, plan
        fill = plan.fit == "fill"
        aspect = plan.width / plan.height if fill else PHOTO_ASPECT
        self._place = _room(plan.width, plan.height, aspect)
        self._widest = min(1.0, aspect / PHOTO_ASPECT), min(1.0, PHOTO_ASPECT / aspect)
        with Image.open(io.BytesIO(content)) as image:
            y, u, v = image.convert("YCbCr").split()
        luma = [round(16 + i * 219 / 255) for i in range(256)]
        chroma = [round(128 + (i - 128) * 224 / 255) for i in range(256)]
        self._channels = y.point(luma), u.point(chroma), v.point(chroma)
        self._lit: tuple[Take | None, Channels] = None, self._channels
        self._last: tuple[Take, Box, Picture] | None = None

    def paint(self, frame: int) -> Picture:
        """The picture at a frame of the grid; a little outside the shot too, for fades."""
        frame = min(max(frame, self._shot.start_frame), self._shot.end_frame - 1)
        take, stop = self._take(frame)
        box = self._box(frame, take, stop)
        if self._last is not None and self._last[:2] == (take, box):
            return self._last[2]
        picture = black(self._plan.width, self._plan.height)
        left, top, width, height = self._place
        planes = _planes(picture, self._plan.width, self._plan.height)
        for i, (channel, plane) in enumerate(zip(self._lit_for(take), planes, strict=True)):
            by = 2 if i else 1
            # A box of fractions of pixels: slow moves stay smooth.
            size = width // by, height // by
            crop = np.asarray(channel.resize(size, Image.Resampling.BICUBIC, box=box))
            rows = slice(top // by, (top + height) // by)
            plane[rows, left // by : (left + width) // by] = crop
        self._last = take, box, picture
        return picture

    def _take(self, frame: int) -> tuple[Take, int]:
        """The take that a frame is of, and the frame that it ends before."""
        takes = self._shot.takes
        number = max(i for i, take in enumerate(takes) if i == 0 or take.start_frame <= frame)
        last = number + 1 == len(takes)
        return takes[number], self._shot.end_frame if last else takes[number + 1].start_frame

    def _lit_for(self, take: Take) -> Channels:
        """The photograph in the light of a take."""
        if self._lit[0] is not take:
            lit = light(self._channels, take) if isinstance(take, LitTake) else self._channels
            self._lit = take, lit
        return self._lit[1]

    def _box(self, frame: int, take: Take, stop: int) -> Box:
        at = (frame - take.start_frame) / max(1, stop - take.start_frame - 1)
        view = _between(take, at)
        w, h = self._widest[0] * view.scale, self._widest[1] * view.scale
        seconds = frame / Fraction(self._plan.rate)
        # The unsteady hand: two slow waves without a common period.
        x = view.x * (1 - w) + take.sway * math.sin(7.1 * seconds)
        y = view.y * (1 - h) + take.sway * math.sin(5.3 * seconds + 1)
        x, y = min(max(x, 0.0), 1 - w), min(max(y, 0.0), 1 - h)
        size = self._channels[0].size
        right, bottom = min(1.0, x + w) * size[0], min(1.0, y + h) * size[1]
        return x * size[0], y * size[1], right, bottom


def light(channels: Channels, take: LitTake) -> Channels:
    """The channels Y, U and V of a photograph, in limited range, as a take shows them."""
    luma = [round(min(max(126 + (i - 126) * take.gain + take.lift, 16), 235)) for i in range(256)]

    def warmed(by: float) -> list[int]:
        return [round(min(max(i + by, 16), 240)) for i in range(256)]

    y, u, v = channels
    lit = [y.point(luma), u.point(warmed(-take.warmth)), v.point(warmed(take.warmth))]
    if take.blur:
        lit = [channel.filter(ImageFilter.GaussianBlur(take.blur)) for channel in lit]
    if take.mirrored:
        lit = [channel.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for channel in lit]
    return lit[0], lit[1], lit[2]


def _between(take: Take, at: float) -> View:
    a, b = take.begin, take.end
    return View(a.x + (b.x - a.x) * at, a.y + (b.y - a.y) * at, a.scale + (b.scale - a.scale) * at)


class ClipPainter:
    """A real clip from `clip_start_seconds` on, letterboxed; frames must be asked for in order."""

    def __init__(self, content: bytes, shot: Shot, plan: VideoPlan) -> None:
        self._shot, self._plan = shot, plan
        self._frames = self._decode(content)
        self._now = next(self._frames)
        self._next: tuple[float, Picture] | None = self._now

    def _decode(self, content: bytes) -> Iterator[tuple[float, Picture]]:
        with av.open(io.BytesIO(content)) as container:
            stream = container.streams.video[0]
            origin: float | None = None
            # Frames before the part that is shown need not be scaled.
            begin = max(0.0, self._shot.clip_start_seconds - 0.2)
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                origin = frame.time if origin is None else origin
                seconds = frame.time - origin
                if seconds >= begin:
                    yield seconds, self._fit(frame, stream)

    def _fit(self, frame: av.VideoFrame, stream: VideoStream) -> Picture:
        sample = float(stream.sample_aspect_ratio or 1)
        aspect = frame.width * sample / frame.height
        left, top, width, height = _room(self._plan.width, self._plan.height, aspect)
        scaled = frame.reformat(width=width, height=height, format="yuv420p").to_ndarray()
        small = scaled.astype(np.uint8, copy=False)
        picture = black(self._plan.width, self._plan.height)
        source = _planes(small.reshape(-1), width, height)
        for i, plane in enumerate(_planes(picture, self._plan.width, self._plan.height)):
            by = 2 if i else 1
            rows = slice(top // by, (top + height) // by)
            plane[rows, left // by : (left + width) // by] = source[i]
        return picture

    def paint(self, frame: int) -> Picture:
        """The picture at a frame of the grid: the clip's last frame that is not later."""
        since = (frame - self._shot.start_frame) / Fraction(self._plan.rate)
        wanted = self._shot.clip_start_seconds + float(since)
        while self._next is not None and self._next[0] <= wanted + 1e-6:
            self._now = self._next
            self._next = next(self._frames, None)
        return self._now[1]


Painter = PhotoPainter | ClipPainter


def _painter(plan: VideoPlan, shot: Shot, read: ReadBytes) -> Painter:
    content = read(shot.source, shot.file)
    painter = PhotoPainter if shot.source == "photo" else ClipPainter
    return painter(content, shot, plan)


class Scene:
    """All shots of a planned video and the fades between them."""

    def __init__(self, plan: VideoPlan, read: ReadBytes) -> None:
        self._plan, self._read = plan, read
        self._nothing = black(plan.width, plan.height)
        self._painters: dict[int, Painter] = {}
        self._current = 0

    def draw(self, frame: int) -> Picture:
        """The picture at a frame of the grid; frames must be asked for in order."""
        shots = self._plan.shots
        while frame >= shots[self._current].end_frame:
            # The shot before may still fade out; what lies further back is done.
            self._painters.pop(self._current - 1, None)
            self._current += 1
        current = self._current
        picture = self._paint(current, frame)
        if current + 1 < len(shots):
            picture = self._fade(picture, shots[current + 1], current + 1, frame)
        return self._fade(picture, shots[current], current - 1, frame)

    def _paint(self, number: int, frame: int) -> Picture:
        if number not in self._painters:
            shot = self._plan.shots[number]
            self._painters[number] = _painter(self._plan, shot, self._read)
        return self._painters[number].paint(frame)

    def _fade(self, picture: Picture, opened: Shot, other: int, frame: int) -> Picture:
        """The picture under the fade that opens a shot, where it reaches this frame."""
        if not opened.half_frames:
            return picture
        # How far from the boundary: 0 at the midpoint, 1 where the fade begins and ends.
        distance = abs(frame - opened.start_frame + 0.5) / opened.half_frames
        if distance >= 1:
            return picture
        if opened.transition == "black":
            return blend(self._nothing, picture, distance)
        return blend(self._paint(other, frame), picture, (1 + distance) / 2)


def draw_frames(plan: VideoPlan, read: ReadBytes) -> Iterator[tuple[int, Picture]]:
    """Every frame that is kept, with its place on the grid."""
    scene, grain = Scene(plan, read), Grain(plan)
    for frame in plan.kept_frames():
        yield frame, grain.add(scene.draw(frame), frame)


def blend(a: Picture, b: Picture, weight: float) -> Picture:
    """`weight` of b over a, in whole 256ths."""
    w = np.uint16(round(256 * weight))
    mixed = np.empty_like(a)
    mixed[:] = (a * (np.uint16(256) - w) + b * w) >> 8
    return mixed


class Grain:
    """Sensor noise on the luma of a video whose plan asks for it: no two frames are the same."""

    def __init__(self, plan: VideoPlan) -> None:
        self._size = plan.width * plan.height
        rng = np.random.default_rng(list(plan.seed.encode()))
        noise = rng.normal(0, plan.grain, 2 * self._size) if plan.grain else np.zeros(0)
        self._noise = np.rint(noise).astype(np.int16)

    def add(self, picture: Picture, frame: int) -> Picture:
        """The picture with a patch of noise that depends on the frame's number."""
        if not self._noise.size:
            return picture
        start = frame * 7919 % self._size
        noisy = np.array(picture)
        luma = picture[: self._size] + self._noise[start : start + self._size]
        noisy[: self._size] = np.clip(luma, 16, 235)
        return noisy


def encode(plan: VideoPlan, read: ReadBytes, path: Path, container_format: str) -> None:
    """Draw the planned video and write it as H.264."""
    rate = Fraction(plan.rate)
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = plan.width, plan.height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = 1 / rate
        stream.options = {"preset": plan.preset, "x264-params": _x264(plan)}
        for number, picture in draw_frames(plan, read):
            shaped = picture.reshape(plan.height * 3 // 2, plan.width)
            frame = av.VideoFrame.from_ndarray(shaped, format="yuv420p")
            frame.time_base, frame.pts = 1 / rate, number + plan.offset_frames
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _x264(plan: VideoPlan) -> str:
    # One thread each: videos run side by side.
    if plan.gop_seconds is None:
        return "threads=1"
    gop = round(Fraction(plan.rate) * Fraction(plan.gop_seconds))
    return f"threads=1:keyint={gop}:min-keyint={gop}:scenecut=0"


def presented_times(path: Path) -> list[Fraction]:
    """The seconds (PTS x time base) of every frame in the order of presentation, from the packets.

    Muxers round: MP4 keeps a start offset and Matroska every time in milliseconds. So the truth is
    what the file says, not what was asked of the muxer.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = container.demux(stream)
        base = stream.time_base or Fraction(1)
        return sorted(p.pts * base for p in packets if p.pts is not None and not p.is_discard)
