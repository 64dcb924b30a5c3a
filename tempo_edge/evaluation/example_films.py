"""Films of photographs, and examples of what they show: what a search by example is fitted on.

Each film shows photographs of one archive one after another, written into a real store. An example
is never the very picture: of what is there only once it is another view, of a label another picture
of that.
"""

from __future__ import annotations

import json
import random
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.evaluation.fitting import shortened
from tempo_edge.evaluation.truth import Query
from tempo_edge.example import Example
from tempo_edge.library import Library
from tempo_edge.media import jpeg
from tempo_edge.media.picture_file import thumbnail
from tempo_edge.models import Profile
from tempo_edge.quantization import quantize
from tempo_edge.search.by_example import ByExample, Words
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.candidates import Candidate
from tempo_edge.search.fitted import QUICK
from tempo_edge.search.likeness import ExampleJudge
from tempo_edge.search.retrieve import WINDOWS
from tempo_edge.search.wording import read
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

__all__ = ["Archive", "Asked", "Films", "Picture", "photographs", "view"]

# Films of a library that is drawn.
_SIZES = (1, 3, 6, 12, 24)

# Pictures of a film, and seconds of each.
_SHOTS, _SHOT_SECONDS = 6, 4

# Photographs of each archive at most, labels at most, and how many of a label are examples.
_MOST, _LABELS, _EXAMPLES = 120, 24, 2

# Edge of a photograph of which views are cut, in pixels.
_EDGE = 192


@dataclass(frozen=True)
class Picture:
    """A photograph.

    Attributes:
        kind: the archive; ``thing``: its label, or its own name where it is the only one of that.
        contents: its file; ``words``: what is said of it.
    """

    kind: str
    thing: str
    contents: bytes
    words: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """One question of one library.

    Attributes:
        kind: what the example is; ``present``: whether the library shows the like.
        facts: those of every span, ``[n, f]``; ``right``: which of the spans are answers, ``[n]``.
    """

    kind: str
    present: bool
    facts: NDArray[np.float64]
    right: NDArray[np.bool_]


def photographs(
    data: Path, kind: str, split: str, half: int | None = None, most: int | None = _MOST
) -> list[Picture]:
    """Photographs of a split of an archive, at most so many.

    Args:
        half: which half of the labels, or of the files; None for both.
    """
    found: list[Picture] = []
    with tarfile.open(data / f"{kind}.tar") as tar:
        index = tar.extractfile("index.jsonl")
        assert index is not None
        rows = [json.loads(line) for line in index]
        rows = [row for row in rows if row["file"].startswith(f"{split}/")]
        things = sorted({row.get("label", row["file"]) for row in rows})
        random.Random(0).shuffle(things)
        chosen = set(things if half is None else things[half::2])
        if "label" in rows[0]:
            chosen = set(sorted(chosen)[:_LABELS])
        for row in rows:
            thing = row.get("label", row["file"])
            if thing in chosen and (member := tar.extractfile(row["file"])) is not None:
                words = tuple(row.get("captions", [f"a photo of {thing}"]))
                found.append(Picture(kind, thing, member.read(), words))
    random.Random(1).shuffle(found)
    return found[:most]


def view(picture: Picture, rng: np.random.Generator, least: float = 0.6) -> bytes:
    """Another view of a photograph, as a JPEG: cropped, mirrored perhaps, in other light.

    Args:
        least: the smallest share of each side that is kept.
    """
    pixels = thumbnail(picture.contents, _EDGE)
    side = round(_EDGE * rng.uniform(least, 0.9))
    top, left = rng.integers(0, _EDGE - side + 1, 2)
    cut = pixels[top : top + side, left : left + side]
    if rng.integers(2):
        cut = cut[:, ::-1]
    light = np.clip(cut.astype(np.float32) * rng.uniform(0.7, 1.3) + rng.uniform(-25, 25), 0, 255)
    even = side - side % 2
    return jpeg.encode(np.ascontiguousarray(light[:even, :even].astype(np.uint8)))


class Films:
    """A library of films that each show some photographs of one archive, one after another.

    Args:
        library: opened, and empty.
        pictures: what is shown; each in two looks, the second from a little nearer.
    """

    def __init__(self, library: Library, pictures: Sequence[Picture], seed: int) -> None:
        self.library, self._rng = library, random.Random(seed)
        self.things: dict[int, list[str]] = {}
        drawn = np.random.default_rng(seed)
        with library.store.lock(), library.store.writer() as writer:
            for first in range(0, len(pictures), _SHOTS):
                part = pictures[first : first + _SHOTS]
                frames = list(_frames(part, library.profile, drawn))
                seconds = float(_SHOT_SECONDS * len(part))
                row = VideoRow("h264", 64, 48, seconds, None, Fraction(1, 1000), Fraction(0))
                with writer.transaction():
                    name = f"{part[0].kind}-{first}"
                    curve = np.zeros((0, 2), np.float32)
                    video = writer.put_video(name.encode(), row, frames, curve)
                    writer.put_file(FileRow(f"/{name}.mp4", "", 1, 1, "indexed", "", video))
                self.things[video] = [each.thing for each in part]
        library.vectors.refresh()
        self._search = ByExample(
            library.catalogue, library.profile, ExampleJudge.weighing([1.0], [1.0, 1.0])
        )

    def part(self, thing: str, size: int, *, present: bool) -> list[int] | None:
        """Some films, with or without one that shows a thing; None where there is none such."""
        with_it = [video for video, shown in self.things.items() if thing in shown]
        others = [video for video, shown in self.things.items() if thing not in shown]
        own = [self._rng.choice(with_it)] if present and with_it else []
        some = self._rng.sample(others, min(size - len(own), len(others)))
        return sorted(own + some) if bool(own) == present and own + some else None

    def ask(
        self,
        example: bytes,
        thing: str,
        videos: list[int],
        words: str = "",
        judge: ExampleJudge | None = None,
    ) -> tuple[list[Candidate], NDArray[np.bool_]]:
        """The spans that a search gives, and which of them show a thing for half of their time."""
        library = self.library
        search = ByExample(library.catalogue, library.profile, judge) if judge else self._search
        sight = search.sight(Example("a view", picture=example))
        pictures = library.searcher.pictures
        said = self._words(words, videos) if words else None
        how = library.vectors, pictures.footage, pictures.settings, videos, WINDOWS
        found = search.candidates(sight, said, *how)
        return found, np.asarray([self._shows(each, thing) for each in found], dtype=np.bool_)

    def _words(self, text: str, videos: list[int]) -> Words:
        pictures = self.library.searcher.pictures
        vector, _ = read(self.library.profile, text)
        crowd = self.library.vectors.sample(videos), self.library.catalogue.count_frames(videos)
        null = NullDistribution.of(
            vector, pictures.footage, *crowd, pictures.cohort(pictures.footage)
        )
        return Words(vector, null, pictures.calibration(QUICK))

    def _shows(self, candidate: Candidate, thing: str) -> bool:
        span, shown = candidate.segment.span, 0.0
        for at, each in enumerate(self.things[candidate.window.video_id]):
            if each == thing:
                low, high = _SHOT_SECONDS * at, _SHOT_SECONDS * (at + 1)
                shown += max(0.0, min(high, span.end_seconds) - max(low, span.start_seconds))
        return shown >= 0.5 * span.duration_seconds


def _frames(
    pictures: Sequence[Picture], profile: Profile, rng: np.random.Generator
) -> Iterator[FrameRow]:
    """Two looks at each picture: as it is, and from a little nearer, not mirrored."""
    how = profile.image_size, profile.interpolation
    looks = []
    for each in pictures:
        pixels = thumbnail(each.contents, _EDGE)
        edge = 2 * int(rng.integers(4, 10))
        nearer = jpeg.encode(np.ascontiguousarray(pixels[edge:-edge, edge:-edge]))
        looks += [thumbnail(part, *how, crop=profile.crop) for part in (each.contents, nearer)]
    vectors, _ = profile.image_tower.encode(np.stack(looks))
    nothing = np.zeros(0, np.uint8), np.zeros((0, profile.dim), np.int8)
    for at, packed in enumerate(quantize(vectors)):
        pts = 1000 * _SHOT_SECONDS * at // 2
        yield FrameRow(pts, 0.5, at % 2 == 0, packed, *nothing)


def examples_of(
    pictures: Sequence[Picture], seed: int
) -> tuple[list[Picture], list[tuple[bytes, Picture]]]:
    """The pictures that are shown in films, and examples with what they are examples of."""
    rng = np.random.default_rng(seed)
    by_thing: dict[str, list[Picture]] = {}
    for each in pictures:
        by_thing.setdefault(each.thing, []).append(each)
    shown, examples = [], []
    for same in by_thing.values():
        if len(same) == 1:
            shown.append(same[0])
            examples.append((view(same[0], rng), same[0]))
        else:
            examples += [(each.contents, each) for each in same[:_EXAMPLES]]
            shown += same[_EXAMPLES:]
    random.Random(seed).shuffle(shown)
    return shown, examples


@dataclass(frozen=True)
class Archive:
    """The films of one archive, and examples of what is in it."""

    films: Films
    shown: Sequence[Picture]
    examples: Sequence[tuple[bytes, Picture]]
    seed: int

    @staticmethod
    def of(pictures: Sequence[Picture], scratch: Path, profile: str, seed: int) -> Archive:
        """The films of some pictures."""
        shown, examples = examples_of(pictures, seed)
        library = Library.open(scratch / f"{pictures[0].kind}-{seed}.db", profile=profile)
        return Archive(Films(library, shown, seed), shown, examples, seed)

    def alone(self) -> Iterator[Asked]:
        """Every example asked of a part of the library that shows it, and of one that does not."""
        for number, (example, of) in enumerate(self.examples):
            for present in (True, False):
                videos = self._part(number, of, present)
                if videos is not None:
                    yield self._asked(example, of, videos, present)

    def with_words(self, judge: ExampleJudge) -> Iterator[Asked]:
        """Every second example with words: of the same, there and not, and of another thing."""
        rng = random.Random(self.seed)
        for number, (example, of) in enumerate(self.examples[::2]):
            for present in (True, False):
                videos = self._part(number, of, present)
                if videos is None:
                    continue
                yield self._asked(example, of, videos, present, _said(of, rng), judge)
                other = _other(self.films, videos, of.thing, self.shown, rng)
                if present and other is not None:
                    yield self._asked(example, of, videos, False, _said(other, rng), judge)

    def _part(self, number: int, of: Picture, present: bool) -> list[int] | None:
        return self.films.part(of.thing, _SIZES[number % len(_SIZES)], present=present)

    def _asked(
        self,
        example: bytes,
        of: Picture,
        videos: list[int],
        present: bool,
        words: str = "",
        judge: ExampleJudge | None = None,
    ) -> Asked:
        found, right = self.films.ask(example, of.thing, videos, words, judge)
        facts = np.stack([each.features for each in found])
        kind = "another view" if of.kind == "flickr8k" else "another picture of the label"
        return Asked(kind, present, facts, right & present)


def _said(of: Picture, rng: random.Random) -> str:
    """What people would say of a picture: a sentence, or its three first words that tell."""
    text = rng.choice(of.words)
    return shortened(Query(text, "", ())).text if rng.random() < 0.5 else text


def _other(
    films: Films, videos: list[int], thing: str, shown: Sequence[Picture], rng: random.Random
) -> Picture | None:
    """Another thing that some films show: words of it and an example of this fit nothing."""
    there = {each for video in videos for each in films.things[video]} - {thing}
    some = [each for each in shown if each.thing in there]
    return rng.choice(some) if some else None
