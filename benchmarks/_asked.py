"""Pictures, queries and made-up libraries of them, for what calibration is measured on.

Only pictures that no recipe of the towers trains on: the ``dev`` folders of Flickr8k, COCO's
sentences, sports100 and places100, clips and animals that only measure, and the ImageNet samples
that are no class's first. A library is a draw of them, of one kind or of all; a query is a caption,
three words of one, or a label.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks._sources import tidy
from tempo_edge.evaluation.fitting import shortened
from tempo_edge.evaluation.truth import Query
from tempo_edge.train.data.archives import Archive
from tempo_edge.train.data.held_out import measured_on

__all__ = ["LARGE", "SIZES", "Asked", "Draw", "Picture", "asked", "draws", "pictures", "views"]

#: Pictures of a library; ``LARGE`` stands for a thousand hours, most of whose frames are made up.
SIZES, LARGE = (6, 20, 60, 200, 600, 2000), 3_000_000

_ARCHIVES = (
    "flickr8k",
    "sports100",
    "places100",
    "coco_sentences",
    "action_frames",
    "animals",
    "imagenet_samples",
)

# How often each label of an archive is asked for.
_OFTEN = {"sports100": 3, "places100": 3, "animals": 3, "imagenet_samples": 1}

_AWAY = 450


@dataclass(frozen=True)
class Picture:
    """A picture: the set it is of, its captions or its label, and the number of its views."""

    source: str
    file: str
    captions: tuple[str, ...]
    label: str | None
    views: int


@dataclass(frozen=True)
class Asked:
    """A query: its text, the set it is of, and the pictures that it is true of."""

    text: str
    source: str
    true: tuple[int, ...]


@dataclass(frozen=True)
class Draw:
    """A query asked of a library: the pictures in it, and whether it is true of one of them.

    Attributes:
        query: its number; ``size``: how large the library is.
        library: the numbers of its pictures; in a large one those that frames are made up from.
        here: the pictures of the library that the query is true of.
    """

    query: int
    size: int
    library: NDArray[np.int64]
    here: tuple[int, ...]


def pictures(data: Path) -> list[Picture]:
    """All pictures, in an order that does not change."""
    found: list[Picture] = []
    with ExitStack() as opened:
        archives = {name: opened.enter_context(Archive(data, name)) for name in _ARCHIVES}
        for name, records in measured_on(archives, _ARCHIVES).items():
            views = 3 if name == "flickr8k" else 1
            for record in records:
                captions = tuple(tidy(caption) for caption in record.captions)
                found.append(Picture(name, record.file, captions, record.label or None, views))
    return found


def views(data: Path, found: list[Picture]) -> NDArray[np.uint8]:
    """Every view of every picture, ``[n, 224, 224, 3]``: the whole, then corners of it."""
    drawn: list[NDArray[np.uint8]] = []
    for name in dict.fromkeys(picture.source for picture in found):
        with Archive(data, name) as archive:
            records = {record.file: record for record in archive.records}
            for picture in found:
                if picture.source == name:
                    image = archive.picture(records[picture.file])
                    drawn += [_view(image, number) for number in range(picture.views)]
    return np.stack(drawn)


def _view(image: Image.Image, number: int) -> NDArray[np.uint8]:
    width, height = image.size
    if number:
        wide, high = int(0.8 * width), int(0.8 * height)
        x, y = (0, 0) if number == 1 else (width - wide, height - high)
        image = image.crop((x, y, x + wide, y + high))
    return np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR))


def asked(data: Path, found: list[Picture], seed: int) -> list[Asked]:
    """The queries: captions long and short, labels, and sentences on other footage."""
    generator = np.random.default_rng(seed)
    queries: list[Asked] = []
    labelled: dict[tuple[str, str], list[int]] = {}
    for number, picture in enumerate(found):
        if picture.label is not None:
            labelled.setdefault((picture.source, picture.label), []).append(number)
        elif picture.source == "flickr8k" or generator.random() < 0.5:
            text = picture.captions[generator.integers(len(picture.captions))]
            queries.append(Asked(text, picture.source, (number,)))
            if generator.random() < 0.4:
                text = picture.captions[generator.integers(len(picture.captions))]
                short = shortened(Query(text, None, ())).text
                queries.append(Asked(short, picture.source, (number,)))
    for (source, label), numbers in sorted(labelled.items()):
        for _ in range(_OFTEN.get(source, 0)):
            named = re.match(r"(an?|two|three|four|five) ", label) is not None
            text = label if named or generator.random() < 0.5 else f"a {label}"
            queries.append(Asked(text, source, tuple(numbers)))
    return queries + [Asked(text, "elsewhere", ()) for text in _elsewhere(data, seed)]


def _elsewhere(data: Path, seed: int) -> list[str]:
    with gzip.open(data / "text" / "activitynet_captions_train.json.gz", "rt") as file:
        videos = json.load(file)
    sentences = sorted({text.strip() for video in videos.values() for text in video["sentences"]})
    with gzip.open(data / "text" / "charades_sta_train.txt.gz", "rt") as file:
        others = sorted({line.strip().partition("##")[2] for line in file})
    draw = random.Random(seed)
    return draw.sample(sentences, _AWAY // 2) + draw.sample(others, _AWAY // 2)


def draws(found: list[Picture], queries: list[Asked], seed: int) -> list[Draw]:
    """Each query asked of libraries of three sizes, and every second one of a large one as well."""
    generator = np.random.default_rng(seed)
    sources = np.array([picture.source for picture in found])
    drawn: list[Draw] = []
    for number, query in enumerate(queries):
        sizes = [int(size) for size in generator.choice(SIZES, 3, replace=False)]
        for size in sizes + [LARGE] * int(generator.integers(2)):
            alike = size != LARGE and bool(generator.random() < 0.4)
            of = sources == query.source if alike and query.true else np.ones(len(found), np.bool_)
            others = np.setdiff1d(np.flatnonzero(of), query.true)
            library = generator.choice(others, min(size, len(others)), replace=False)
            here: tuple[int, ...] = ()
            if query.true and generator.random() < 0.55:
                count = 1 if generator.random() < 0.7 else min(3, len(query.true))
                here = tuple(int(i) for i in generator.choice(query.true, count, replace=False))
            drawn.append(Draw(number, size, library, here))
    return drawn
