"""Small real videos for the tests, drawn and encoded on the spot, with the truth beside them.

>>> truth = make_video(folder / "a.mp4", shots=[(RED, 2), (texture(1), 3)])    # doctest: +SKIP
>>> truth.cuts                                                                # doctest: +SKIP
(Fraction(2, 1),)
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from benchmarks.schedule import same_schedule

__all__ = [
    "BLACK", "BLUE", "GREEN", "GREY", "MATRICES", "RED", "WHITE", "Painter", "Picture", "Rgb",
    "Shot", "Truth", "corners", "make_audio", "make_cut_short", "make_gap", "make_not_a_video",
    "make_picture", "make_video", "motion", "numbered", "read_number", "remuxed",
    "rewrite_edit_list", "shown_by", "solid", "texture", "write_matrix",
]  # fmt: skip

Picture = NDArray[np.uint8]
Rgb = tuple[int, int, int]
Painter = Callable[[int, int, int], Picture]
"""(width, height, index within the video) to an RGB picture ``[height, width, 3]``."""

Shot = tuple["Rgb | Painter", "float | Fraction"]
"""(what is seen, for how many seconds)"""

BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)
GREY: Rgb = (128, 128, 128)
RED: Rgb = (220, 20, 20)
GREEN: Rgb = (20, 180, 20)
BLUE: Rgb = (20, 20, 220)

SAMPLE_RATE = 48_000

MATRICES = (
    *((1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)),
    *((0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0)),
)
"""The eight display matrices (a, b, c, d) that turn and mirror a picture by quarters."""


@dataclass(frozen=True)
class Truth:
    """What was put into a video.

    Attributes:
        path: the file.
        times: seconds from the container's start to each picture, rising and exact; what the
            container can hold may be rounded to its time base (1 ms in Matroska).
        shots: which shot each picture belongs to.
        cuts: time of the first picture of each shot but the first.
        size: coded (width, height), before rotation.
        rate: nominal pictures a second.
        rotation: counter-clockwise degrees by which a player turns the coded picture.
    """

    path: Path
    times: tuple[Fraction, ...]
    shots: tuple[int, ...]
    cuts: tuple[Fraction, ...]
    size: tuple[int, int]
    rate: Fraction
    rotation: int

    @property
    def end(self) -> Fraction:
        """Instant at which the last picture, as long as the rate says, is over."""
        return self.times[-1] + 1 / self.rate


# -- what is seen ------------------------------------------------------------------------------


def solid(colour: Rgb) -> Painter:
    """One colour all over."""

    def paint(width: int, height: int, index: int) -> Picture:
        return np.full((height, width, 3), colour, np.uint8)

    return paint


def texture(seed: int, cell: int = 40) -> Painter:
    """A still picture of soft random clouds of ``cell`` pixels, another one for each seed."""

    @functools.cache
    def drawn(width: int, height: int) -> Picture:
        rng = np.random.default_rng(seed)
        rows, columns = -(-height // cell) + 1, -(-width // cell) + 1
        knots = rng.integers(0, 256, (rows, columns, 3)).astype(np.float32)
        tall = _stretch(knots, height, cell)
        wide = _stretch(tall.transpose(1, 0, 2), width, cell).transpose(1, 0, 2)
        picture: Picture = wide.round().astype(np.uint8)
        return picture

    def paint(width: int, height: int, index: int) -> Picture:
        picture: Picture = drawn(width, height)
        return picture

    return paint


def motion(seed: int, step: int = 3) -> Painter:
    """A still texture with a white square, a quarter of the height, that moves ``step`` pixels."""
    background = texture(seed)

    def paint(width: int, height: int, index: int) -> Picture:
        picture = background(width, height, index).copy()
        edge = height // 4
        room = max(1, width - edge)
        left = room - abs(index * step % (2 * room) - room)  # there and back again
        picture[height // 2 : height // 2 + edge, left : left + edge] = 255
        return picture

    return paint


def corners() -> Painter:
    """No symmetry: red top left, green top right, blue bottom left, white bottom right."""

    def paint(width: int, height: int, index: int) -> Picture:
        picture = np.empty((height, width, 3), np.uint8)
        top, left = slice(None, height // 2), slice(None, width // 2)
        bottom, right = slice(height // 2, None), slice(width // 2, None)
        picture[top, left], picture[top, right] = RED, GREEN
        picture[bottom, left], picture[bottom, right] = BLUE, WHITE
        return picture

    return paint


def numbered() -> Painter:
    """Every picture tells its index: twelve black or white columns, the highest bit at the left."""

    def paint(width: int, height: int, index: int) -> Picture:
        bits = [(index >> bit) & 1 for bit in reversed(range(12))]
        line = np.repeat(np.asarray(bits, np.uint8) * 255, -(-width // 12))[:width]
        picture: Picture = np.broadcast_to(line[None, :, None], (height, width, 3)).copy()
        return picture

    return paint


def shown_by(matrix: tuple[int, int, int, int], picture: Picture) -> Picture:
    """A coded picture as a display matrix (a, b, c, d) of whole numbers shows it."""
    a, b, c, d = matrix
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    across, down = a * x + c * y, b * x + d * y
    across, down = across - across.min(), down - down.min()
    shown = np.empty((down.max() + 1, across.max() + 1, *picture.shape[2:]), picture.dtype)
    shown[down, across] = picture
    return shown


def read_number(grey: NDArray[np.unsignedinteger], full_scale: int = 255) -> int:
    """The index that :func:`numbered` drew, from a luma plane."""
    width = grey.shape[1]
    column = -(-width // 12)
    middles = [min(width - 1, bit * column + column // 2) for bit in range(12)]
    light = np.median(grey[:, middles], axis=0) > full_scale / 2
    return int(sum(int(on) << (11 - bit) for bit, on in enumerate(light)))


# -- files -------------------------------------------------------------------------------------


@same_schedule()
def make_video(
    path: Path,
    *,
    shots: Sequence[Shot] = (((128, 128, 128), 1.0),),
    size: tuple[int, int] = (320, 240),
    rate: Fraction = Fraction(25),
    gop: int = 250,
    scenecut: bool = True,
    bframes: int | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    start_seconds: Fraction | float = 0,
    drop: Collection[int] = (),
    audio: bool = False,
    rotation: int = 0,
    matrix: tuple[int, int, int, int] | None = None,
    aspect: Fraction = Fraction(1),
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
) -> Truth:
    """Encode a video; the container follows from the suffix.

    Args:
        path: the file to write.
        shots: what is seen and for how long, one hard cut between each.
        size: (width, height) as coded.
        rate: pictures a second.
        gop: most pictures from one key frame to the next; 1 makes intra-only footage.
        scenecut: let the encoder put key frames at cuts (x264 and x265). It finds those between
            two textures; a plain colour after a texture is predicted too cheaply.
        bframes: most B-frames in a row, or as the encoder likes.
        codec: FFmpeg's name of the encoder.
        pixel_format: FFmpeg's name of the pixel format.
        start_seconds: when the first picture is shown. With ``audio``, which starts at zero, times
            count from the audio; else players, and ``Truth.times``, count from the first picture.
            (In MPEG-TS the encoder's 1,024 priming samples of audio come before zero.)
        drop: indexes left out, which makes the frame rate variable.
        audio: add a tone (AAC), from zero to the end of the pictures.
        rotation: 0, 90, 180 or 270: counter-clockwise degrees by which a player must turn the
            coded picture (MP4 and MOV only). The shots are drawn as coded, not as shown.
        matrix: the whole numbers (a, b, c, d) of a display matrix instead (MP4 and MOV only): a
            sample at (x, y) is shown at (a x + c y, b x + d y).
        aspect: width of a coded sample to its height.
        options: further options of the encoder.
        container_options: options of the muxer.
    """
    plan = _schedule(shots, rate, frozenset(drop))
    start = Fraction(start_seconds).limit_denominator(1_000_000)
    with av.open(str(path), "w", options=dict(container_options or {})) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.gop_size = gop
        context.thread_count = 1
        ticks = _time_base(rate, start)
        context.time_base = ticks
        if aspect != 1:
            context.sample_aspect_ratio = aspect
        if bframes is not None:
            context.max_b_frames = bframes
        stream.options = {**_encoder_options(codec, scenecut), **(options or {})}
        tone = out.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if audio else None
        painters = [solid(s) if isinstance(s, tuple) else s for s, _ in shots]
        for index, shot in plan:
            frame = VideoFrame.from_ndarray(painters[shot](*size, index), format="rgb24")
            if pixel_format != "rgb24":
                frame = frame.reformat(format=pixel_format)
            frame.pts = int((start + index / rate) / ticks)
            frame.time_base = ticks
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if tone is not None:
            end = start + (plan[-1][0] + 1) / rate
            for sound in _tone(int(end * SAMPLE_RATE)):
                out.mux(tone.encode(sound))
            out.mux(tone.encode(None))
    if rotation:
        # Clockwise turns, as ISO 14496-12 counts.
        matrix = {90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}[rotation]
    if matrix is not None:
        write_matrix(path, matrix)
    zero = Fraction(0) if audio else start + plan[0][0] / rate
    times = tuple(start + index / rate - zero for index, _ in plan)
    order = tuple(shot for _, shot in plan)
    cuts = tuple(t for t, a, b in zip(times[1:], order, order[1:], strict=False) if a != b)
    return Truth(path, times, order, cuts, size, rate, rotation)


def make_audio(path: Path, seconds: float = 1.0) -> Path:
    """A file that holds a tone and nothing else."""
    with av.open(str(path), "w") as out:
        codec = {".mp3": "libmp3lame", ".wav": "pcm_s16le", ".flac": "flac"}.get(path.suffix, "aac")
        stream = out.add_stream(codec, rate=SAMPLE_RATE, layout="mono")
        for sound in _tone(int(seconds * SAMPLE_RATE), "s16" if codec != "aac" else "fltp"):
            if codec == "libmp3lame":
                sound.pts = None
            out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    return path


def make_picture(path: Path, size: tuple[int, int] = (64, 48), kind: str = "png") -> Path:
    """A single PNG or JPEG picture, whatever the suffix of ``path`` says."""
    codec, pixel_format = {"png": ("png", "rgb24"), "jpeg": ("mjpeg", "yuvj420p")}[kind]
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = pixel_format
    encoder.time_base = Fraction(1, 25)
    frame = VideoFrame.from_ndarray(texture(3)(*size, 0), format="rgb24")
    frame = frame.reformat(format=pixel_format)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)]))
    return path


def make_gap(path: Path, *, seconds: int) -> None:
    """A Matroska of nine pictures, one a second and each brighter, with a gap after the fourth."""
    times = [0, 1000, 2000, 3000, *(1000 * (seconds + i) for i in range(5))]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"g": "1"}
        packets = []
        for index in range(len(times)):
            picture = np.full((48, 64, 3), index * 25, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for packet, time in zip((p for p in packets if p.size), times, strict=True):
            packet.time_base, packet.pts, packet.dts = Fraction(1, 1000), time, time
            packet.stream = stream
            out.mux_one(packet)


def make_not_a_video(path: Path) -> Path:
    """A text file."""
    path.write_text("This is not a video.\n" * 50, encoding="utf-8")
    return path


def make_cut_short(source: Path, path: Path, share: float = 0.6) -> Path:
    """The first part of a file, as a download that broke off leaves it."""
    whole = source.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


def remuxed(source: Path, path: Path) -> Path:
    """The same coded pictures in another container, which follows from the suffix."""
    with av.open(str(source)) as film, av.open(str(path), "w") as out:
        pictures = film.streams.video[0]
        stream = out.add_stream_from_template(pictures)
        for packet in film.demux(pictures):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path


def rewrite_edit_list(path: Path, skip_ticks: int) -> None:
    """Make the (only) edit of an MP4's first track begin ``skip_ticks`` later in its media.

    What lies before is decoded but must not be shown, as after a cut with a phone's editor.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    version, count = data[at], struct.unpack_from(">I", data, at + 4)[0]
    assert version == 0 and count == 1, "only the plain edit list that FFmpeg writes"
    duration, media_time = struct.unpack_from(">Ii", data, at + 8)
    struct.pack_into(">Ii", data, at + 8, duration, media_time + skip_ticks)
    path.write_bytes(bytes(data))


def write_matrix(path: Path, matrix: Sequence[float]) -> None:
    """Write a display matrix (a, b, c, d) into an MP4's first video track, as a phone does."""
    a, b, c, d = (round(v * (1 << 16)) for v in matrix)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    place = at + 40 if data[at] == 0 else at + 52
    struct.pack_into(">9i", data, place, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))


def with_timecode(source: Path, path: Path, label: str) -> Path:
    """The same packets with a start time code: a track of its own in MOV, a tag in Matroska."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        track = new.add_stream_from_template(old.streams.video[0])
        (new if path.suffix == ".mkv" else track).metadata["timecode"] = label
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                new.mux(packet)
    if path.suffix == ".mov" and b"tmcd" not in path.read_bytes():
        pytest.skip("PyAV before 18 writes no track of time codes")
    return path


def put_together(path: Path, films: Sequence[Path], default: int | None = None) -> Path:
    """A Matroska file of several films' video streams, in this order, one flagged or none."""
    with ExitStack() as stack, av.open(str(path), "w") as new:
        packets = []
        for at, film in enumerate(films):
            old = stack.enter_context(av.open(str(film)))
            track = new.add_stream_from_template(old.streams.video[0])
            track.disposition = Disposition.default if at == default else Disposition(0)
            for packet in old.demux(video=0):
                if packet.dts is not None:
                    packets.append((packet.dts * packet.time_base, at, packet))
                    packet.stream = track
        for _, _, packet in sorted(packets, key=lambda each: each[:2]):
            new.mux(packet)
    return path


def count_timecode(path: Path, count: int, rate: Fraction, drop: bool = False) -> None:
    """Rewrite an MOV's time-code track: its first sample, its own rate and its flag."""
    data = bytearray(path.read_bytes())
    entry = data.index(b"tmcd", data.index(b"stsd", data.index(b"gmhd")))
    numbers = round(rate)
    struct.pack_into(
        ">IIIB", data, entry + 16, int(drop), rate.numerator, rate.denominator, numbers
    )
    (place,) = struct.unpack_from(">I", data, data.index(b"stco", entry) + 12)
    struct.pack_into(">i", data, place, count)
    path.write_bytes(bytes(data))


# -- helpers -----------------------------------------------------------------------------------


def _stretch(knots: NDArray[np.float32], length: int, cell: int) -> NDArray[np.float32]:
    """Linear interpolation along the first axis."""
    at, part = np.divmod(np.arange(length), cell)
    share = (part / cell).astype(np.float32)[:, None, None]
    between: NDArray[np.float32] = knots[at] * (1 - share) + knots[at + 1] * share
    return between


def _schedule(shots: Sequence[Shot], rate: Fraction, drop: frozenset[int]) -> list[tuple[int, int]]:
    """(index, shot) of every picture that is written."""
    plan: list[tuple[int, int]] = []
    end = Fraction(0)
    index = 0
    for shot, (_, seconds) in enumerate(shots):
        end += Fraction(seconds).limit_denominator(1_000_000)
        while index < end * rate:
            if index not in drop:
                plan.append((index, shot))
            index += 1
    return plan


def _time_base(rate: Fraction, start: Fraction) -> Fraction:
    """Ticks that hold every time stamp exactly."""
    return 1 / (rate * (start * rate).denominator)


def _encoder_options(codec: str, scenecut: bool) -> dict[str, str]:
    """Fast, on one thread, quiet; few bits are spent on looks."""
    if codec in ("libx264", "libx264rgb"):
        cut = ":min-keyint=1" if scenecut else ":scenecut=0"
        return {"preset": "veryfast", "x264-params": f"threads=1:rc-lookahead=10{cut}"}
    if codec == "libx265":
        cut = ":min-keyint=1" if scenecut else ":scenecut=0"
        return {"preset": "ultrafast", "x265-params": f"log-level=none:pools=1{cut}"}
    if codec == "libvpx-vp9":
        return {"deadline": "realtime", "cpu-used": "8", "threads": "1"}
    return {}


def _tone(samples: int, layout: str = "fltp") -> list[AudioFrame]:
    sounds = []
    for start in range(0, samples, 1024):
        phase = np.arange(start, min(start + 1024, samples)) * (2 * np.pi * 440 / SAMPLE_RATE)
        wave = (0.3 * np.sin(phase)).astype(np.float32)[None]
        if layout == "s16":
            wave = (wave * 32767).astype(np.int16)
        sound = AudioFrame.from_ndarray(wave, format=layout, layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        sounds.append(sound)
    return sounds
