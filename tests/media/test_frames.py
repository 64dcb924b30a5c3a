"""What a decoded picture hands over: its luma plane as it lies, and an upright thumbnail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from videos import (
    BLUE,
    GREEN,
    MATRICES,
    RED,
    WHITE,
    Painter,
    Truth,
    corners,
    make_video,
    motion,
    shown_by,
    solid,
    write_matrix,
)

from tempo_edge.media import DecodeRange, Frame, open_video
from tempo_edge.media._frame import PyAVFrame, shrink
from tempo_edge.media.orientation import Orientation

Gallery = Callable[[str], Truth]
CORNERS = (RED, GREEN, BLUE, WHITE)


def first_frame(path: Path) -> PyAVFrame:
    with open_video(path) as video:
        start = int(video.packets().pts[0])
        frame = next(iter(video.frames(DecodeRange(start, start))))
    assert isinstance(frame, PyAVFrame)
    return frame


def ramp() -> Painter:
    """Dark at the left, light at the right."""

    def paint(width: int, height: int, index: int) -> NDArray[np.uint8]:
        line = np.linspace(0, 255, width).round().astype(np.uint8)
        return np.broadcast_to(line[None, :, None], (height, width, 3)).copy()

    return paint


def corner_colours(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Top left, top right, bottom left, bottom right, away from the edges between them."""
    height, width = picture.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return np.stack([picture[row, column] for row in rows for column in columns])


def test_thumbnails_are_made_on_one_thread() -> None:
    """A scaler that knows of threads would take every core for pictures of a few pixels."""
    asked: list[dict[str, Any]] = []

    class Scaler:
        def reformat(self, frame: VideoFrame, *arguments: Any, **choices: Any) -> VideoFrame:
            asked.append(choices)
            return VideoReformatter().reformat(frame, *arguments, **choices)

    picture = VideoFrame.from_ndarray(np.zeros((36, 64, 3), np.uint8))
    assert shrink(picture, 8, Scaler()).shape == (8, 8, 3)  # type: ignore[arg-type]
    knows = int(av.__version__.split(".")[0]) >= 17
    assert [choices.get("threads") for choices in asked] == [1 if knows else None]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_thumbnails_are_upright(tmp_path: Path, rotation: int) -> None:
    """The picture is stored turned, as phones do, with a note that sets it right."""

    def stored(width: int, height: int, index: int) -> NDArray[np.uint8]:
        shown = corners()(width, height, 0) if rotation % 180 == 0 else corners()(height, width, 0)
        return np.ascontiguousarray(np.rot90(shown, -rotation // 90))

    truth = make_video(tmp_path / "a.mp4", shots=[(stored, 0.2)], size=(160, 90), rotation=rotation)
    frame = first_frame(truth.path)
    thumbnail = frame.thumbnail(32)
    assert thumbnail.shape == (32, 32, 3)
    assert thumbnail.flags.c_contiguous
    np.testing.assert_allclose(corner_colours(thumbnail), CORNERS, atol=12)
    assert frame.luma().shape == (90, 160)  # the plane stays as it lies


@pytest.mark.parametrize("matrix", MATRICES)
def test_every_display_matrix_is_followed(
    tmp_path: Path, matrix: tuple[int, int, int, int]
) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(corners(), 0.2)], size=(160, 96), matrix=matrix)
    frame = first_frame(truth.path)
    meant = corner_colours(shown_by(matrix, corners()(160, 96, 0)))
    np.testing.assert_allclose(corner_colours(frame.thumbnail(32)), meant, atol=12)
    assert frame.luma().shape == (96, 160)  # the plane stays as it lies


def test_a_matrix_that_stretches_or_leans_is_the_nearest_quarter(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", shots=[(solid(RED), 0.1)], size=(64, 48)).path
    lean = np.array([[np.cos(0.6), np.sin(0.6)], [-np.sin(0.6), np.cos(0.6)]])
    ways = []
    for matrix in MATRICES:
        square = np.reshape(matrix, (2, 2))
        for shown in (square, square * [1, 3], square * [3, 1], square / 2, square @ lean):
            write_matrix(path, shown.ravel().tolist())
            with av.open(str(path)) as container:
                way = Orientation.of(next(container.decode(video=0)))
            ways.append((matrix, way.transposed, way.mirrored, way.flipped, way.reverses))
    assert ways == [
        ((a, b, c, d), a == 0, a + c < 0, b + d < 0, a * d - b * c < 0)
        for a, b, c, d in MATRICES
        for _ in range(5)
    ]


@pytest.mark.parametrize("matrix", MATRICES)
def test_grids_over_the_plane_turn_with_the_thumbnail(
    tmp_path: Path, matrix: tuple[int, int, int, int]
) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(ramp(), 0.2)], size=(96, 96), matrix=matrix)
    frame = first_frame(truth.path)
    grid = frame.luma().reshape(6, 16, 6, 16).mean(axis=(1, 3)).astype(np.float32)
    seen = frame.thumbnail(6).astype(np.float32).mean(axis=2)
    # Studio range to full range; the slope's direction is what counts.
    np.testing.assert_allclose((frame.upright(grid) - 16) * 255 / 219, seen, atol=6)


@pytest.mark.parametrize(
    "name", ["plain.mp4", "high10.mp4", "hevc10.mp4", "intra.mov", "intra.avi"]
)
def test_luma_is_handed_over_without_a_copy(gallery: Gallery, name: str) -> None:
    frame = first_frame(gallery(name).path)
    plane = np.frombuffer(frame._frame.planes[0], dtype=np.uint8)  # type: ignore[call-overload]
    assert np.shares_memory(frame.luma(), plane)
    assert not frame.luma().flags.writeable or frame.luma().base is not None


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "depth"),
    [
        ("a.mp4", "libx264", "yuv420p", 8),
        ("a.mp4", "libx264", "yuv422p", 8),
        ("a.mp4", "libx264", "yuv444p", 8),
        ("a.mp4", "libx264", "gray", 8),
        ("a.mp4", "libx264", "yuv420p10le", 10),
        ("a.mp4", "libx265", "yuv420p10le", 10),
        ("a.mp4", "libx265", "yuv420p12le", 12),
        ("a.mov", "prores_ks", "yuv422p10le", 10),
        ("a.mkv", "ffv1", "yuv420p16le", 16),
        ("a.mkv", "ffv1", "yuv420p14le", 14),
        ("a.mkv", "ffv1", "gray10le", 10),
    ],
)
def test_luma_is_scaled_by_its_bit_depth(
    tmp_path: Path, name: str, codec: str, pixel_format: str, depth: int
) -> None:
    truth = make_video(
        tmp_path / name,
        shots=[(ramp(), 0.2)],
        size=(192, 64),
        codec=codec,
        pixel_format=pixel_format,
    )
    frame = first_frame(truth.path)
    luma = frame.luma()
    assert frame.bit_depth == depth
    assert luma.dtype == (np.uint8 if depth == 8 else np.uint16)
    with open_video(truth.path) as video:
        assert video.info.bit_depth == depth
    light = luma.mean(axis=0) / (2**depth - 1)
    low, high = (0, 255) if pixel_format.startswith("gray") else (16, 235)
    expected = np.linspace(low, high, 192) / 255
    np.testing.assert_allclose(light[8:-8], expected[8:-8], atol=0.03)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mp4", "libx264rgb", "rgb24"),
        ("a.mov", "qtrle", "rgb24"),
        ("a.mkv", "ffv1", "gbrp10le"),
        ("a.mp4", "libx265", "gbrp"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.gif", "gif", "rgb8"),
        ("a.mov", "png", "rgb48be"),
        ("a.mov", "png", "monob"),
    ],
)
def test_formats_without_a_luma_plane_give_grey(
    tmp_path: Path, name: str, codec: str, pixel_format: str
) -> None:
    """In planar RGB the first plane is green: a red picture must not be black."""
    painter = ramp() if pixel_format == "monob" else solid((255, 0, 0))
    truth = make_video(
        tmp_path / name,
        shots=[(painter, 0.2)],
        size=(64, 48),
        codec=codec,
        pixel_format=pixel_format,
    )
    frame = first_frame(truth.path)
    luma = frame.luma()
    assert (luma.shape, luma.dtype, frame.bit_depth) == ((48, 64), np.uint8, 8)
    if pixel_format != "monob":
        assert 60 <= luma.mean() <= 95
    assert frame.luma() is not None  # a second time, from the same grey


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("full", [False, True])
def test_thumbnails_are_as_bright_as_the_picture(
    tmp_path: Path, pixel_format: str, full: bool
) -> None:
    """Where luma uses its full range, the file says so."""
    grey = 200 if full else (200 - 16) * 255 / 219  # what the written luma of 200 stands for

    def paint(width: int, height: int, index: int) -> NDArray[np.uint8]:
        return np.full((height, width, 3), (200 - 16) * 255 / 219, np.uint8)

    truth = make_video(
        tmp_path / "a.mp4",
        shots=[(paint, 0.2)],
        size=(96, 64),
        pixel_format=pixel_format,
        options={"x264-params": f"fullrange={'on' if full else 'off'}"},
    )
    assert first_frame(truth.path).thumbnail(16).mean() == pytest.approx(grey, abs=3)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    import av
    from av.video.frame import VideoFrame

    palette = np.zeros((256, 4), np.uint8)
    palette[:, 0] = 255  # opaque, as PyAV orders alpha, red, green, blue
    palette[7, 1:] = 200
    picture = np.full((48, 64), 7, np.uint8)
    with av.open(str(tmp_path / "a.mov"), "w") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "pal8"
        for index in range(3):
            frame = VideoFrame.from_ndarray((picture, palette), format="pal8")  # type: ignore[arg-type]
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    frame = first_frame(tmp_path / "a.mov")
    assert frame._frame.format.has_palette
    assert 160 <= frame.luma().mean() <= 210


@pytest.mark.parametrize("size", [(175, 143), (17, 33), (1, 1), (18, 301), (641, 19)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    truth = make_video(tmp_path / "a.mkv", shots=[(solid(RED), 0.2)], size=size, codec="ffv1")
    frame = first_frame(truth.path)
    assert frame.luma().shape == size[::-1]
    assert frame.luma().std() < 2
    np.testing.assert_allclose(frame.thumbnail(24), np.full((24, 24, 3), RED), atol=8)


def test_padding_beside_the_picture_is_left_out(tmp_path: Path) -> None:
    """175 pixels lie in rows of 176 or more; what is beyond them is no picture."""
    options: dict[str, Any] = {"codec": "libx264", "pixel_format": "yuv444p"}
    truth = make_video(tmp_path / "a.mp4", shots=[(ramp(), 0.2)], size=(175, 143), **options)
    luma = first_frame(truth.path).luma()
    assert luma.strides[0] > 175
    np.testing.assert_allclose(luma[:, -1].mean(), 235, atol=6)


def test_the_loop_filter_left_out_changes_thumbnails_hardly(tmp_path: Path) -> None:
    from tempo_edge.media.pyav import PyAVVideo

    truth = make_video(tmp_path / "a.mp4", shots=[(motion(1), 2)], size=(320, 192))
    with PyAVVideo(truth.path) as quick, PyAVVideo(truth.path, fast=False) as whole:
        table = quick.packets()
        run = DecodeRange(int(table.pts[0]), int(table.pts[-1]))
        pairs = zip(quick.frames(run), whole.frames(run), strict=True)
        worst = max(np.abs(a.thumbnail(64).astype(int) - b.thumbnail(64)).mean() for a, b in pairs)
    assert worst < 3


def test_a_frame_is_what_the_protocol_says(gallery: Gallery) -> None:
    frame: Frame = first_frame(gallery("plain.mp4").path)
    assert frame.pts == 0
