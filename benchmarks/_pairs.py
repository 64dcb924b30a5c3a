"""Containers and codecs in pairs: small files of every kind that FFmpeg, as PyAV brings it, writes.

What can be written is found out by writing it. Each picture is unlike its neighbours, so that a
picture that is shown in another's place can't be taken for the right one.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.format import Flags
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks.schedule import same_schedule

__all__ = ["KINDS", "PICTURES", "Pair", "draw", "pairs", "write"]

PICTURES = 48
_CUT = 29
_GOP = 12
_RATE = 25

os.environ.setdefault("SVT_LOG", "0")  # the encoder of AV1 talks to the terminal

# Muxers that send over a network; those that write no file of their own say so by a flag.
_NETWORK = frozenset({"rtp", "rtp_mpegts"})

# The suffixes of containers that know several.
_SUFFIXES = {"asf": "wmv", "asf_stream": "asf", "mpeg": "mpg", "mpegts": "ts"}

# Fragments need no table at the end; without them nothing of the family can go into a pipe.
_FRAGMENTED = ("3g2", "3gp", "f4v", "ipod", "ismv", "mov", "mp4", "psp")

# What an encoder insists on, or is quick with.
_SIZES = {"dnxhd": (256, 128), "dvvideo": (720, 576), "h261": (176, 144)}
_PIXEL_FORMATS = {"dvvideo": "yuv420p", "rawvideo": "yuv420p"}
_X264 = {"preset": "ultrafast", "x264-params": "threads=1:scenecut=0:rc-lookahead=8"}
_NO_CUTS = {"sc_threshold": "1000000000"}  # closed GOPs are not written otherwise
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "dnxhd": {"profile": "dnxhr_lb"},
    "libsvtav1": {"preset": "11", "svtav1-params": "lp=1"},
    "libvpx": {"cpu-used": "8", "deadline": "realtime"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"},
    "libx264": _X264,
    "libx264rgb": _X264,
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:scenecut=0"},
    "mpeg1video": _NO_CUTS,
    "mpeg2video": _NO_CUTS,
}

_WITH_B_FRAMES = frozenset(
    {"libsvtav1", "libx264", "libx264rgb", "libx265", "mpeg1video", "mpeg2video", "mpeg4"}
)

# A picture of MPEG-4 that says "nothing new", as recorders put it in the place of one left out.
_PLACEHOLDER = b"\x00\x00\x01\xb6\x51\x7f"

# Pictures that a live encoder had no time for.
_LEFT_OUT = frozenset({1, 2, 14, 15, 16, 24, 30, 31, 40})


@dataclass(frozen=True)
class Kind:
    """The way in which the files of a kind are written.

    Attributes:
        encoders: FFmpeg's names of those that can, or None for all.
        b_frames: most in a row, where the encoder knows any.
        flags: FFmpeg's flags of encoders.
        options: further options, by encoder.
        left_out: numbers of pictures that are not there.
        placeholders: a packet flagged as a key frame stands for each of those.
        piped: the muxer can't go back, as in a live recording: no index, no length.
        palette: colours by number.
        joined: two files, one after the other.
    """

    encoders: frozenset[str] | None = None
    b_frames: int = 0
    flags: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[int] = frozenset()
    placeholders: bool = False
    piped: bool = False
    palette: bool = False
    joined: bool = False


KINDS: Mapping[str, Kind] = {
    "plain": Kind(),
    "B-frames": Kind(_WITH_B_FRAMES, 2, "+cgop"),
    "open GOPs": Kind(
        _WITH_B_FRAMES - {"libsvtav1"},
        2,
        "-cgop",
        dict.fromkeys(("libx264", "libx264rgb", "libx265"), "open-gop=1"),
    ),
    "intra-refresh": Kind(frozenset({"libx264"}), options={"libx264": "intra-refresh=1"}),
    "interlaced": Kind(
        frozenset({"dvvideo", "libx264", "mpeg2video", "mpeg4", "prores_ks"}),
        flags="+ildct+ilme",
        options={"libx264": "tff=1"},
    ),
    "paletted": Kind(palette=True),
    "no index": Kind(b_frames=2, piped=True),
    "left out": Kind(b_frames=2, left_out=_LEFT_OUT),
    "placeholders": Kind(frozenset({"mpeg4"}), left_out=_LEFT_OUT, placeholders=True),
    "joined": Kind(b_frames=2, joined=True),
}


@dataclass(frozen=True)
class Pair:
    """A file that may be written.

    Attributes:
        muxer, encoder, pixel_format: FFmpeg's names.
        kind: one of :data:`KINDS`.
    """

    muxer: str
    encoder: str
    pixel_format: str
    kind: str = "plain"

    def __str__(self) -> str:
        return f"{self.encoder} in {self.muxer}, {self.kind}"

    @property
    def file_name(self) -> str:
        """A name that tells FFmpeg what to expect."""
        stem = "_".join((self.muxer, self.encoder, self.kind)).replace(",", "_").replace(" ", "_")
        return f"{stem}.{_suffix(self.muxer)}"


def pairs(kind: str) -> Iterator[Pair]:
    """Every pair of a kind, whether it can be written or not."""
    wanted = KINDS[kind]
    for encoder, known in _encoders().items():
        if wanted.encoders is not None and encoder not in wanted.encoders:
            continue
        form = _PIXEL_FORMATS.get(encoder) or next(iter(known), None)
        if wanted.palette:
            form = "pal8" if "pal8" in known or encoder == "rawvideo" else None
        if form is not None:
            yield from (Pair(muxer, encoder, form, kind) for muxer in _muxers())


@same_schedule()
def write(pair: Pair, folder: Path) -> Path | None:
    """The file of a pair in a folder, or None where FFmpeg can't write it."""
    kind = KINDS[pair.kind]
    path = folder / pair.file_name
    part = path.with_name(f"part_{path.name}")
    whole = b""
    try:
        for first in (0, PICTURES) if kind.joined else (0,):
            _write_part(pair, kind, part, first)
            whole += part.read_bytes()
    except (av.error.FFmpegError, ArithmeticError, OSError, TypeError, ValueError):
        return None
    finally:
        part.unlink(missing_ok=True)
    if not whole:
        return None
    path.write_bytes(whole)
    return path


def draw(number: int, size: tuple[int, int] = (128, 96)) -> NDArray[np.uint8]:
    """A picture ``[height, width, 3]``: clouds that drift, others after a cut; below, sixteen
    blocks that tell the number."""
    width, height = size
    sky = np.roll(_clouds(int(number >= _CUT)), -3 * number, axis=1)
    rows, columns = (
        np.arange(n) * m // n for n, m in zip((height, width), sky.shape, strict=False)
    )
    picture: NDArray[np.uint8] = sky[rows][:, columns].copy()
    low = height - height // 2
    blocks = np.where(_codes()[number], 235, 20).astype(np.uint8)
    line = blocks[np.arange(low) * 2 // low][:, np.arange(width) * 8 // width]
    picture[height // 2 :] = line[..., None]
    return picture


# -- helpers -----------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """A file that can't be sought."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


@cache
def _muxers() -> tuple[str, ...]:
    names = []
    no_file: Any = Flags.no_file.value  # an integer, whatever its stub says
    for name in sorted(av.formats_available - _NETWORK):
        try:
            container = av.ContainerFormat(name, "w")
        except ValueError:
            continue  # only for reading
        if not container.flags & no_file:
            names.append(name)
    return tuple(names)


@cache
def _encoders() -> dict[str, tuple[str, ...]]:
    """Pixel formats by encoder."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(av.codecs_available):
        try:
            codec = av.Codec(name, "w")
        except ValueError:
            continue  # only for decoding
        if codec.type == "video":
            found[codec.name] = tuple(form.name for form in codec.video_formats or ())
    return found


@cache
def _suffix(muxer: str) -> str:
    known = sorted(name.strip() for name in av.ContainerFormat(muxer, "w").extensions)
    return _SUFFIXES.get(muxer) or (known[0] if known else "bin")


def _write_part(pair: Pair, kind: Kind, path: Path, first: int) -> None:
    options = {}
    if kind.piped and pair.muxer in _FRAGMENTED:
        options["movflags"] = "frag_keyframe+empty_moov"
    if not kind.piped:
        with av.open(str(path), "w", format=pair.muxer, options=options) as out:
            _encode(out, pair, kind, first)
        return
    with _Pipe(path) as sink, av.open(sink, "w", format=pair.muxer, options=options) as out:
        _encode(out, pair, kind, first)


def _encode(out: OutputContainer, pair: Pair, kind: Kind, first: int) -> None:
    stream = out.add_stream(pair.encoder, rate=_RATE)
    assert isinstance(stream, VideoStream)
    size = _SIZES.get(pair.encoder, (128, 96))
    stream.width, stream.height = size
    stream.pix_fmt = pair.pixel_format
    context = stream.codec_context
    context.gop_size, context.thread_count = _GOP, 1
    context.time_base = Fraction(1, _RATE)
    if pair.encoder in _WITH_B_FRAMES:
        context.max_b_frames = kind.b_frames
    stream.options = _options(pair.encoder, kind)
    for number in range(PICTURES):
        if number not in kind.left_out:
            frame = _frame(first + number, size, pair.pixel_format)
            frame.pts, frame.time_base = number, context.time_base
            out.mux(stream.encode(frame))
        elif kind.placeholders:
            out.mux(_placeholder(stream, number))
    out.mux(stream.encode(None))


def _options(encoder: str, kind: Kind) -> dict[str, Any]:
    options: dict[str, Any] = {"strict": "-2", **_OPTIONS.get(encoder, {})}
    more = kind.options.get(encoder)
    if more is not None:
        name = next(name for name in options if name.endswith("-params"))
        options[name] += f":{more}"
    if kind.flags:
        options["flags"] = kind.flags
    return options


def _placeholder(stream: VideoStream, number: int) -> Packet[Any]:
    packet = Packet(_PLACEHOLDER)
    packet.pts = packet.dts = number
    packet.time_base = Fraction(1, _RATE)
    packet.stream = stream
    packet.is_keyframe = True
    return packet


@cache
def _clouds(seed: int) -> NDArray[np.uint8]:
    knots = np.random.default_rng(seed).integers(40, 216, (8, 10, 3)).astype(np.uint8)
    return knots.repeat(24, axis=0).repeat(24, axis=1)


@cache
def _codes() -> NDArray[np.bool_]:
    """Sixteen bits a picture, ``[2 * PICTURES, 2, 8]``; neighbours differ in three at least."""
    rng = np.random.default_rng(5)
    found: list[NDArray[np.bool_]] = []
    while len(found) < 2 * PICTURES:
        code = rng.random((2, 8)) < 0.5
        if all((code != other).sum() >= 3 for other in found[-40:]):
            found.append(code)
    return np.stack(found)


def _frame(number: int, size: tuple[int, int], form: str) -> VideoFrame:
    picture = draw(number, size)
    if form != "pal8":
        return VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=form)
    palette = np.full((256, 4), 255, np.uint8)  # opaque, as PyAV orders alpha, red, green, blue
    palette[:, 1:] = np.arange(256, dtype=np.uint8)[:, None]
    grey = picture.mean(axis=2).astype(np.uint8)
    return VideoFrame.from_ndarray((grey, palette), format="pal8")  # type: ignore[arg-type]
