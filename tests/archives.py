"""Small archives in the layout of the real ones: coloured shapes and what is said of them."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (220, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 220), "white": (240,) * 3}
PLACES = {"grass": (60, 120, 50), "snow": (225, 230, 235), "sand": (210, 180, 120)}
SPORTS = ("archery", "rowing", "judo")
ROOMS = {"bedroom": ["bed", "wall", "window"], "kitchen": ["floor", "sink"], "coast": []}
ACTIONS = ("push-ups", "punching (boxing)")
ANIMALS = ({"dog": 1}, {"dog": 2}, {"cow": 4}, {"dog": 1, "cat": 1})
IN_NUMBER = ("a dog", "two dogs", "several cows", "a dog and a cat")


def _picture(colour: str, place: str, rng: np.random.Generator) -> bytes:
    image = Image.new("RGB", (48, 40), PLACES[place])
    left, top = rng.integers(2, 14, 2)
    ImageDraw.Draw(image).ellipse((left, top, left + 22, top + 20), COLOURS[colour])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _write(root: Path, name: str, rows: list[dict[str, Any]], pictures: list[bytes]) -> None:
    for row, picture in zip(rows, pictures, strict=True):
        path = root / name / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (root / name / "index.jsonl").write_text(lines, encoding="utf-8")


def _places() -> list[dict[str, Any]]:
    """Four pictures of each kind of place, one of them of dev, and one without its things."""
    return [
        {"file": f"{'dev' if i == 3 else 'train'}/{label}{i}.png", "label": label}
        | ({"objects": things} if things and i else {})
        for label, things in ROOMS.items()
        for i in range(4)
    ]


def _clips() -> list[dict[str, Any]]:
    """Two frames of each clip: five clips of each action, two of one film, and a captioned one."""
    rows: list[dict[str, Any]] = []
    for label in ACTIONS:
        for clip in ("a_c01", "a_c02", "b_c01", "c_c01", "d_c01"):
            name = f"train/{label.split()[0]}_{clip}"
            said = {"label": label, "captions": [f"people do {label}"], "by": "label"}
            rows += [{"file": f"{name}_{i}.png", "clip": f"{name}.mp4"} | said for i in (1, 5)]
    talk = {"clip": "train/talk.mp4", "captions": ["a man gives a talk"]}
    return [*rows, *({"file": f"train/talk_{i}.png"} | talk for i in (1, 5))]


def _animals() -> list[dict[str, Any]]:
    return [
        {"file": f"train/{i}.png", "label": IN_NUMBER[i % 4], "objects": ANIMALS[i % 4]}
        for i in range(20)
    ]


def write(root: Path, seed: int = 0, classes: int = 1000) -> Path:
    """Every archive that is known and the caption list below `root`; returns `root`.

    Of ImageNet there are so many classes of a picture each, ten of them with a second one.
    """
    rng = np.random.default_rng(seed)
    looks = [(colour, place) for colour in COLOURS for place in PLACES]

    def captioned(split: str, count: int) -> tuple[list[dict[str, Any]], list[bytes]]:
        rows, pictures = [], []
        for i in range(count):
            colour, place = looks[i % len(looks)]
            said = [f"a {colour} ball on the {place}", f"a {colour} round thing lies on {place}"]
            rows.append({"file": f"{split}/{i}.png", "captions": said})
            pictures.append(_picture(colour, place, rng))
        return rows, pictures

    parts = [captioned("train", 36), captioned("dev", 12), captioned("test", 12)]
    _write(root, "flickr8k", [r for p in parts for r in p[0]], [b for p in parts for b in p[1]])
    _write(root, "coco_thumbs", *captioned("train", 12))
    rows, pictures = [], []
    for split, count in (("train", 9), ("dev", 3)):
        for i in range(count):
            rows.append({"file": f"{split}/{i}.png", "label": SPORTS[i % 3]})
            pictures.append(_picture(*looks[i % 3], rng))
    _write(root, "sports100", rows, pictures)
    rows, pictures = [], []
    for i in range(classes + 10):
        wnid = i % classes
        label = f"thing {wnid}"
        rows.append(
            {
                "file": f"train/{i}.png",
                "label": label,
                "synonyms": f"{label}, item {wnid}",
                "wnid": f"n{wnid:08d}",
            }
        )
        pictures.append(_picture(*looks[i % len(looks)], rng))
    _write(root, "imagenet_samples", rows, pictures)
    parts = [captioned("train", 12), captioned("dev", 3)]
    _write(
        root, "coco_sentences", [r for p in parts for r in p[0]], [b for p in parts for b in p[1]]
    )
    for name, some in (
        ("places100", _places()),
        ("action_frames", _clips()),
        ("animals", _animals()),
    ):
        _write(root, name, some, [_picture(*looks[i % len(looks)], rng) for i in range(len(some))])
    lines = [
        f"{c} {what} in the {p}"
        for what in ("kite", "boat", "flag", "car", "hat")
        for c in COLOURS
        for p in ("park", "pool")
    ]
    (root / "text").mkdir(exist_ok=True)
    with gzip.open(root / "text" / "flickr30k_train_captions.txt.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    return root
