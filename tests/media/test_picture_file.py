"""A picture's file: every kind that people have, upright; and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from pictured import corners, huge_png, picture_as, turned

from tempo_edge.errors import MediaError
from tempo_edge.media import jpeg
from tempo_edge.media.picture_file import thumbnail

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255,) * 3}


def quarters(contents: bytes) -> list[str]:
    """The colours of a picture's quarters, in reading order."""
    small = thumbnail(contents, 32).astype(int)
    assert small.shape == (32, 32, 3)
    seen = [small[y, x] for y in (8, 24) for x in (8, 24)]
    return [min(COLOURS, key=lambda name: np.abs(COLOURS[name] - each).sum()) for each in seen]


@pytest.mark.parametrize(
    ("codec", "form"),
    [("mjpeg", "yuvj420p"), ("png", "rgb24"), ("bmp", "bgr24"), ("tiff", "rgb24"), ("gif", "rgb8")],
)
def test_every_kind_is_read(codec: str, form: str) -> None:
    assert quarters(picture_as(codec, form)) == ["red", "green", "blue", "white"]


def test_a_webp_is_read() -> None:
    packet = picture_as("libwebp", "yuv420p")
    assert packet[:4] == b"RIFF"
    assert quarters(packet) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("orientation", "shown"),
    [
        (1, ["red", "green", "blue", "white"]),
        (3, ["white", "blue", "green", "red"]),
        (6, ["blue", "red", "white", "green"]),
        (8, ["green", "white", "red", "blue"]),
    ],
)
def test_it_stands_upright_however_the_camera_was_held(orientation: int, shown: list[str]) -> None:
    assert quarters(turned(orientation)) == shown


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (b"#EXTM3U\nfile:///etc/passwd\n", "is no picture: it must be JPEG, PNG, WebP"),
        (b"\0\0\0\x18ftypmp42", "is no picture: it must be"),
        (b"", "is no picture"),
        (b"\xff\xd8\xff nothing more", "is no picture that can be decoded"),
        (jpeg.encode(corners())[:40], "is no picture that can be decoded"),
        (huge_png(), "more than 64 megapixels"),
    ],
)
def test_what_is_none_is_refused(contents: bytes, complaint: str) -> None:
    with pytest.raises(MediaError, match=complaint):
        thumbnail(contents, 32)
