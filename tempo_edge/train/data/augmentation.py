"""Views of a picture: what a camera, a codec and a hasty hand do to it."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from tempo_edge.train.data.archives import squash


def _crop(picture: Image.Image, rng: np.random.Generator, smallest: float) -> Image.Image:
    """A random box with `smallest` to all of the area, its aspect within 3:4 and 4:3."""
    width, height = picture.size
    area = rng.uniform(smallest, 1.0)
    aspect = float(np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3))))
    box_width = min(width, max(16, round(width * (area * aspect) ** 0.5)))
    box_height = min(height, max(16, round(height * (area / aspect) ** 0.5)))
    left = int(rng.integers(0, width - box_width + 1))
    top = int(rng.integers(0, height - box_height + 1))
    return picture.crop((left, top, left + box_width, top + box_height))


def _light(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    picture = ImageEnhance.Brightness(picture).enhance(float(rng.uniform(0.6, 1.4)))
    picture = ImageEnhance.Contrast(picture).enhance(float(rng.uniform(0.7, 1.3)))
    return ImageEnhance.Color(picture).enhance(float(rng.uniform(0.5, 1.5)))


def _codec(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Shrink and compress, as a low bit rate does."""
    scale = float(rng.uniform(0.5, 1.0))
    small = (max(24, round(picture.width * scale)), max(24, round(picture.height * scale)))
    buffer = io.BytesIO()
    picture.resize(small, Image.Resampling.BILINEAR).save(
        buffer, "JPEG", quality=int(rng.integers(25, 80))
    )
    return Image.open(buffer).convert("RGB")


def _pan(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Smear along a line, as a moving camera does within one exposure."""
    length = int(rng.integers(3, 9))
    pixels = np.asarray(picture, np.float32)
    angle = rng.uniform(0.0, np.pi)
    steps = [
        (round(i * np.sin(angle)), round(i * np.cos(angle))) for i in range(-(length // 2), length)
    ]
    moved = [np.roll(pixels, step, axis=(0, 1)) for step in steps[:length]]
    return Image.fromarray(np.mean(moved, axis=0).astype(np.uint8))


def _dark(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Little light: low, flat, and noisy where the sensor was turned up."""
    pixels = np.asarray(picture, np.float32) / 255.0
    pixels = pixels ** rng.uniform(1.2, 2.0) * rng.uniform(0.25, 0.6)
    pixels = pixels + rng.normal(0.0, rng.uniform(0.0, 0.04), pixels.shape)
    return Image.fromarray((np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8))


def _letterbox(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Black bars above and below, or at both sides."""
    bar = float(rng.uniform(0.06, 0.18))
    upright = rng.random() < 0.3
    across = (round(picture.width * bar), 0) if upright else (0, round(picture.height * bar))
    out = Image.new("RGB", (picture.width + 2 * across[0], picture.height + 2 * across[1]))
    out.paste(picture, across)
    return out


def view(picture: Image.Image, seed: tuple[int, ...], index: int, size: int) -> NDArray[np.uint8]:
    """View number `index` of a picture, uint8 [size, size, 3].

    View 0 is the whole picture and view 1 its mirror image; later ones are drawn from `seed`:
    crops, mirror, light or the lack of it, blur, pans, compression, black bars.
    """
    if index == 0:
        return squash(picture, size)
    if index == 1:
        return squash(ImageOps.mirror(picture), size)
    rng = np.random.default_rng((*seed, index))
    picture = _crop(picture, rng, 0.4)
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    return squash(condition(picture, rng), size)


def condition(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture as it may come out of a camera: its light, sharpness, compression and bars."""
    if rng.random() < 0.6:
        picture = _light(picture, rng)
    elif rng.random() < 0.25:
        picture = _dark(picture, rng)
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5))))
    elif rng.random() < 0.12:
        picture = _pan(picture, rng)
    if rng.random() < 0.25:
        picture = _codec(picture, rng)
    if rng.random() < 0.1:
        picture = _letterbox(picture, rng)
    return picture
