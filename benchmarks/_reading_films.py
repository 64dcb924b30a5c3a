"""Films to index, drawn on the spot: textured, grained and moving, so that bit rates are real."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.stream import Stream
from numpy.typing import NDArray

__all__ = ["CODINGS", "RECIPES", "Coding", "Recipe", "repeat", "write"]

_RATE = 25
_SAMPLE_RATE = 48_000

# Grain that is another one in every picture, as sensors make it: a share of the bits of real films.
_GRAIN = 5


@dataclass(frozen=True)
class Coding:
    """How pictures are coded.

    Attributes:
        codec: FFmpeg's name of the encoder.
        size: width and height.
        gop_seconds: longest distance of key frames; an encoder sets more where it sees a cut.
        bit_rate: bits a second.
        seconds: how much is drawn; a film repeats that.
        options: the encoder's own.
        shot_seconds: from one cut to the next.
    """

    codec: str
    size: tuple[int, int]
    gop_seconds: int
    bit_rate: int
    seconds: int
    options: Mapping[str, str] = field(default_factory=dict)
    shot_seconds: int = 5


@dataclass(frozen=True)
class Recipe:
    """A film: how it is coded, its container's suffix, and how many seconds it is long."""

    coding: str
    suffix: str
    seconds: int


_X264 = {"preset": "veryfast"}
_X265 = {"preset": "ultrafast", "x265-params": "log-level=none:pools=2"}

CODINGS: Mapping[str, Coding] = {
    "h264-2s": Coding("libx264", (1920, 1080), 2, 8_000_000, 20, _X264),
    "h264-10s": Coding("libx264", (1920, 1080), 10, 8_000_000, 20, _X264),
    "h264-phone": Coding("libx264", (1920, 1080), 1, 16_000_000, 10, _X264, shot_seconds=10),
    "h264-camera": Coding("libx264", (1920, 1080), 2, 50_000_000, 10, _X264),
    "hevc-4k": Coding("libx265", (3840, 2160), 2, 40_000_000, 6, _X265),
}

RECIPES: Mapping[str, Recipe] = {
    "1080p H.264, GOPs of 2 s": Recipe("h264-2s", "mp4", 300),
    "1080p H.264, GOPs of 10 s": Recipe("h264-10s", "mp4", 300),
    "4K HEVC, GOPs of 2 s": Recipe("hevc-4k", "mp4", 90),
    "Matroska, 1080p H.264, GOPs of 2 s": Recipe("h264-2s", "mkv", 300),
    "2 h, 8 Mbit/s, 1080p H.264, GOPs of 10 s": Recipe("h264-10s", "mp4", 7200),
}


def write(recipe: Recipe, path: Path, folder: Path, seconds: int | None = None) -> None:
    """Write a film of a recipe, with stereo sound.

    Args:
        path: where to.
        folder: where what is drawn is kept, once for all films that repeat it.
    """
    drawn = folder / f"{recipe.coding}.mp4"
    if not drawn.exists():
        part = drawn.with_name(f"part_{drawn.name}")
        _encode(CODINGS[recipe.coding], part)
        part.rename(drawn)
    repeat(drawn, path, seconds or recipe.seconds)


def repeat(source: Path, target: Path, seconds: float) -> None:
    """Copy a film's packets, pictures and sound, again and again into one file."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        streams: dict[int, Stream] = {
            stream.index: writer.add_stream_from_template(stream) for stream in reader.streams
        }
        packets = [packet for packet in reader.demux() if packet.size and packet.dts is not None]
        begin = min(packet.dts * packet.time_base for packet in packets)
        end = max((packet.dts + packet.duration) * packet.time_base for packet in packets)
        length = Fraction(math.ceil((end - begin) * _RATE), _RATE)
        for loop in range(math.ceil(seconds / length)):
            for packet in packets:
                if packet.dts * packet.time_base - begin + loop * length < seconds:
                    writer.mux(_shifted(packet, loop * length, streams[packet.stream_index]))


def _shifted(packet: Packet[Stream], seconds: Fraction, stream: Stream) -> Packet[Stream]:
    copy: Packet[Stream] = Packet(bytes(packet))
    shift = round(seconds / packet.time_base)
    assert packet.pts is not None and packet.dts is not None
    copy.pts, copy.dts = packet.pts + shift, packet.dts + shift
    copy.duration, copy.time_base = packet.duration, packet.time_base
    copy.is_keyframe, copy.stream = packet.is_keyframe, stream
    return copy


def _encode(coding: Coding, path: Path) -> None:
    with av.open(str(path), "w") as out:
        pictures = out.add_stream(coding.codec, rate=_RATE, options=dict(coding.options))
        pictures.width, pictures.height = coding.size
        pictures.pix_fmt = "yuv420p"
        pictures.bit_rate = coding.bit_rate
        pictures.codec_context.gop_size = coding.gop_seconds * _RATE
        sound = out.add_stream("aac", rate=_SAMPLE_RATE)
        rng, heard = np.random.default_rng(1), 0
        for number, picture in enumerate(_pictures(coding)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            out.mux(pictures.encode(frame))
            while heard < (number + 1) * _SAMPLE_RATE // _RATE:
                noise = rng.normal(0, 0.05, (2, 1024)).astype(np.float32)
                samples = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
                samples.sample_rate, samples.pts = _SAMPLE_RATE, heard
                out.mux(sound.encode(samples))
                heard += 1024
        out.mux(pictures.encode())
        out.mux(sound.encode())


def _pictures(coding: Coding) -> Iterator[NDArray[np.uint8]]:
    """Shots of a camera that pans over a textured scene in which something large moves."""
    width, height = coding.size
    for shot in range(-(-coding.seconds // coding.shot_seconds)):
        rng = np.random.default_rng(shot)
        margin = width // 8
        scene = _texture(rng, width + margin, height + margin)
        thing = _texture(rng, width // 4, height // 3)
        grain = rng.integers(-_GRAIN, _GRAIN + 1, (height + 64, width + 64, 1)).astype(np.int8)
        count = min(coding.shot_seconds, coding.seconds - shot * coding.shot_seconds) * _RATE
        for number in range(count):
            step = number * margin // (coding.shot_seconds * _RATE)
            picture = scene[step // 2 : step // 2 + height, step : step + width].astype(np.int16)
            # There and back again, so that what it covers comes to light.
            swing = 0.5 + 0.5 * np.sin(2 * np.pi * number / (3 * _RATE))
            left, top = int(swing * (width - thing.shape[1])), height // 3
            picture[top : top + thing.shape[0], left : left + thing.shape[1]] = thing
            down, across = rng.integers(0, 64, 2)
            picture += grain[down : down + height, across : across + width]
            yield np.clip(picture, 0, 255).astype(np.uint8)


def _texture(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Soft clouds with finer and finer ones upon them ``[height, width, 3]``."""
    found = np.zeros((height, width, 3), np.float32)
    for cell, weight in ((height // 3, 0.5), (height // 12, 0.3), (height // 60, 0.2)):
        shape = (-(-height // cell) + 1, -(-width // cell) + 1, 3)
        knots = av.VideoFrame.from_ndarray(rng.integers(0, 256, shape).astype(np.uint8))
        layer = knots.reformat(width, height, "rgb24", interpolation="BICUBIC").to_ndarray()
        found += weight * layer
    return found.astype(np.uint8)
