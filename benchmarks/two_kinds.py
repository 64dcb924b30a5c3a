"""Moments that pictures and words speak for together: would a threshold of their own help?

``python -m benchmarks.two_kinds --data DIR`` makes films of pictures of Flickr8k, four seconds
each, with one of a picture's five captions as the subtitle beside it, indexes them, and asks for
another caption of pictures that are there and of some that are not. Each kind of evidence has a
threshold of its own; printed is what is answered by these alone, and with one more for the
probability of moments that pictures and words speak for, neither surely. That is chosen on films
of the train split, so that no absent query more is answered, and measured on the dev split.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from benchmarks.machine import describe
from tempo_edge.library import Library
from tempo_edge.moment import PICTURE, Moment, Span

__all__ = ["main"]

_SECONDS, _RATE, _SIZE = 4, 5, (320, 240)

# Pictures of a film.
_SHOTS = 10


@dataclass(frozen=True)
class Asked:
    """A query and what is answered.

    Attributes:
        is_present: whether its picture is there.
        is_answered: whether one kind alone is sure of a moment.
        is_right: whether that is the right one.
        together: where nothing is answered, the highest probability of a moment of two kinds.
        is_together_right: whether that is the right one.
    """

    is_present: bool
    is_answered: bool
    is_right: bool
    together: float
    is_together_right: bool


def asked_of(data: Path, split: str, count: int, seed: int) -> list[Asked]:
    """Queries of a library of so many pictures of a split, and of as many that it lacks."""
    rng = random.Random(seed)
    with tarfile.open(data / "flickr8k.tar") as tar, tempfile.TemporaryDirectory() as temporary:
        index = tar.extractfile("index.jsonl")
        assert index is not None
        rows = [json.loads(line) for line in index]
        drawn = rng.sample([row for row in rows if row["file"].startswith(f"{split}/")], 2 * count)
        here, elsewhere = drawn[:count], drawn[count:]
        folder = Path(temporary)
        places = {}
        for number, first in enumerate(range(0, count, _SHOTS)):
            part = here[first : first + _SHOTS]
            film = folder / f"film{number}.mp4"
            _write(tar, part, film)
            for at, row in enumerate(part):
                places[row["file"]] = film, Span(_SECONDS * at, _SECONDS * (at + 1))
        with Library.open(folder / "library.db") as library:
            library.index([folder])
            queries = [(row["captions"][1], places.get(row["file"])) for row in here + elsewhere]
            return [_asked(library, text, place) for text, place in queries]


def _write(tar: tarfile.TarFile, rows: Sequence[dict[str, str]], film: Path) -> None:
    """Write a film of pictures, and beside it the first caption of each as its subtitle."""
    blocks = []
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(_RATE))
        stream.width, stream.height = _SIZE
        stream.pix_fmt, stream.options = "yuv420p", {"preset": "veryfast"}
        for at, row in enumerate(rows):
            file = tar.extractfile(row["file"])
            assert file is not None
            picture = ImageOps.fit(Image.open(io.BytesIO(file.read())).convert("RGB"), _SIZE)
            for _ in range(_SECONDS * _RATE):
                frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
            times = " --> ".join(f"00:00:{_SECONDS * (at + n):02d},000" for n in (0, 1))
            blocks.append(f"{at + 1}\n{times}\n{row['captions'][0]}\n")
        container.mux(stream.encode())
    film.with_suffix(".srt").write_text("\n".join(blocks), encoding="utf-8")


def _asked(library: Library, text: str, place: tuple[Path, Span] | None) -> Asked:
    def is_right(moment: Moment) -> bool:
        return place is not None and moment.path == place[0] and moment.span.iou(place[1]) > 0.5

    shown = library.find(text, limit=5).moments
    both: list[Moment] = []
    if not shown:
        everything = library.find(text, limit=200, min_confidence=0).moments
        both = [each for each in everything if {PICTURE, "subtitle"} <= set(each.found_by)]
    best = max(both, key=lambda each: each.confidence, default=None)
    return Asked(
        place is not None,
        bool(shown),
        any(map(is_right, shown)),
        0.0 if best is None else best.confidence,
        best is not None and is_right(best),
    )


def _row(name: str, asked: Sequence[Asked], threshold: float) -> str:
    present = [each for each in asked if each.is_present]
    absent = [each for each in asked if not each.is_present]
    cells = [
        np.mean([each.is_right for each in present]),
        np.mean([each.is_answered for each in absent]),
        np.mean(
            [
                each.is_right or (each.together >= threshold and each.is_together_right)
                for each in present
            ]
        ),
        np.mean([each.is_answered or each.together >= threshold for each in absent]),
    ]
    return f"| {name} | {threshold:.2f} | {' | '.join(f'{100 * cell:.1f} %' for cell in cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with flickr8k.tar")
    parser.add_argument("--pictures", type=int, default=200, help="that are there")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(json.dumps(describe()))
    fit = asked_of(options.data, "train", options.pictures, options.seed)
    test = asked_of(options.data, "dev", options.pictures, options.seed + 1)
    absent = sorted(each.together for each in fit if not each.is_present)
    print("| films of | together from | present | absent | present, together | absent, together |")
    print("|---|---:|---:|---:|---:|---:|")
    for allowed in (0, round(0.01 * len(absent))):
        threshold = float(np.nextafter(absent[-1 - allowed], 1.0))
        print(_row(f"train, {allowed} absent more", fit, threshold))
        print(_row(f"dev, {allowed} absent more on train", test, threshold))


if __name__ == "__main__":
    main()
