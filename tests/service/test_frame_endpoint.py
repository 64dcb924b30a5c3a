"""The picture shown at an instant, where a video has none at that instant."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from videos import make_video

from tempo_edge.service.frames import picture_at

RED, BLUE = (200, 30, 30), (30, 30, 200)


def mean(jpeg: bytes) -> NDArray[np.float64]:
    """The mean colour of a picture, ``[3]``."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    return np.asarray(image, dtype=float).mean(axis=(0, 1))


@pytest.mark.parametrize(
    ("suffix", "codec", "audio"),
    [
        (".ts", "libx264", True),
        (".mpg", "mpeg2video", False),
        (".wmv", "wmv2", False),
        (".mkv", "libx264", True),
        (".mp4", "libx264", True),
    ],
)
def test_before_the_first_picture_and_after_the_last(
    tmp_path: Path, suffix: str, codec: str, audio: bool
) -> None:
    path = tmp_path / f"late{suffix}"
    make_video(
        path,
        shots=[(RED, 1), (BLUE, 1)],
        size=(96, 64),
        rate=Fraction(25),
        codec=codec,
        bframes=0,
        start_seconds=Fraction(1, 2),
        audio=audio,
    )
    first, last = mean(picture_at(path, 0.0, 96)), mean(picture_at(path, 1e6, 96))
    assert np.abs(first - RED).max() < 40, first
    assert np.abs(last - BLUE).max() < 40, last
