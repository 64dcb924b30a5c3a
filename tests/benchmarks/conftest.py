"""A small data folder in the layout of the real one, drawn here: colours instead of photographs."""

from __future__ import annotations

import colorsys
import json
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

# The benchmarks are no installed package: find them wherever pytest was started.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

Rgb = tuple[int, int, int]
PHOTOS = 16
CLIP: Rgb = (128, 128, 128)
NOUNS = (
    *("apple", "boat", "cat", "door", "elk", "fox", "goat", "hat"),
    *("ink", "jug", "kite", "lamp", "moon", "nest", "owl", "pear"),
)


def colour(number: int) -> Rgb:
    """The colour of photograph `number`: hues that stay apart after compression."""
    hue, light = number % 8 / 8, 0.35 if number < 8 else 0.7
    r, g, b = colorsys.hls_to_rgb(hue, light, 0.9)
    return round(255 * r), round(255 * g), round(255 * b)


def photo_name(split: str, number: int) -> str:
    return f"{split}/p{number:02}.jpg"


def _draw_photo(path: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    noise = rng.normal(0, 6, (48, 48, 1))
    pixels = np.clip(np.array(colour(number)) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def _draw_clip(path: Path, seconds: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for i in range(10 * seconds):
            # Grey, with a bar that moves: the bar's place tells the time within the clip.
            pixels = np.full((64, 96, 3), CLIP, np.uint8)
            pixels[:8, 2 * i : 2 * i + 4] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """flickr8k/ with 16 photographs in each split, and clips/ with one clip of 5 s."""
    root = tmp_path_factory.mktemp("data")
    rows = []
    for split in ("train", "dev", "test"):
        (root / "flickr8k" / split).mkdir(parents=True)
        for i in range(PHOTOS):
            _draw_photo(root / "flickr8k" / photo_name(split, i), i)
            captions = [f"A {NOUNS[i]} in {split} .", f"The {split} shows a  {NOUNS[i]} ."]
            rows.append({"file": photo_name(split, i), "captions": captions})
    (root / "clips").mkdir()
    _draw_clip(root / "clips" / "bar.mp4", 5)
    clips = [{"file": "bar.mp4", "captions": ["a white bar moves"]}]
    for name, index in (("flickr8k", rows), ("clips", clips)):
        lines = "".join(json.dumps(row) + "\n" for row in index)
        (root / name / "index.jsonl").write_text(lines)
    return root


Decoded = list[tuple[Fraction, Rgb]]


@pytest.fixture(scope="session")
def decode() -> Callable[[Path], Decoded]:
    """Decodes a video to (pts x time base, mean colour of the picture's middle)."""

    def decoded(path: Path) -> Iterator[tuple[Fraction, Rgb]]:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                assert frame.pts is not None and frame.time_base is not None
                pixels: npt.NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
                h, w = pixels.shape[:2]
                middle = pixels[h // 3 : 2 * h // 3, w // 3 : 2 * w // 3]
                r, g, b = (round(float(value)) for value in middle.mean((0, 1)))
                yield frame.pts * frame.time_base, (r, g, b)

    return lambda path: list(decoded(path))
