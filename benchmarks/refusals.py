"""What is answered, rightly and wrongly, and what of it is refused once there is other footage.

``python -m benchmarks.refusals --data DATA --work DIR --films DIR`` indexes the real clips of
``clips.tar`` and a folder made by ``benchmarks.composites`` with the real indexer and asks the real
search: each caption, and sentences on what is not there. Then it asks again as if a thousand hours
of other footage lay around them, whose frames are made up of the vectors of unrelated pictures.
Nothing is fitted here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._asked import LARGE, Asked, Draw, Picture, asked, pictures
from benchmarks._sources import unpack_clips
from benchmarks.calibration import Vectors, encoded, made_up
from benchmarks.composites import load_composites
from benchmarks.machine import describe
from tempo_edge import Library
from tempo_edge.models.registry import BUILT_IN
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.grounders.curve import by_curve
from tempo_edge.search.retrieve import retrieve

__all__ = ["main"]

_ABSENT = Path(__file__).with_name("absent_from_clips.txt")


@dataclass(frozen=True)
class _Sentence:
    """A sentence and the name of the file that it is true of; None if of none."""

    text: str
    file: str | None


@dataclass(frozen=True)
class _Outcome:
    """The file that came first, its confidence, and the highest with other footage around it.

    ``unsure``: whether many other videos are nearly as likely.
    """

    first: str
    confidence: float
    around: float
    unsure: bool


def _clips(data: Path, folder: Path) -> list[_Sentence]:
    """Unpack the clips; gives their captions, and what none of them shows."""
    shown = [_Sentence(caption, path.name) for path, caption in unpack_clips(data, folder)]
    absent = _ABSENT.read_text(encoding="utf-8").splitlines()
    return shown + [_Sentence(text, None) for text in absent]


def _films(folder: Path) -> list[_Sentence]:
    return [_Sentence(q["query"], q["file"]) for q in load_composites(folder).queries]


class _Around:
    """Other footage: frames made up of the pictures that calibration is measured on."""

    def __init__(self, data: Path, work: Path, seed: int) -> None:
        found: list[Picture] = pictures(data)
        queries: list[Asked] = asked(data, found, seed)
        self._vectors: Vectors = encoded(BUILT_IN / "nano", work, data, found, queries)
        self._firsts = np.cumsum([0, *[picture.views for picture in found]])
        self._draw = Draw(0, LARGE, np.arange(len(found)), ())
        self._generator = np.random.default_rng(seed)

    def frames(self, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The likeliest of its frames ``[k, d]`` and a sample of it ``[n, d]``."""
        similar = self._vectors.pictures @ query
        return made_up(self._vectors, self._firsts, self._draw, query, similar, self._generator)


def _ask(library: Library, text: str, around: _Around) -> _Outcome:
    answer = library.find(text, grounder="curve", min_confidence=0.0)
    best = answer.moments[0]
    searcher, profile = library.searcher, library.profile
    query = profile.text_tower.encode([text])[0]
    frames, sample = around.frames(query)
    calibration = searcher.pictures.calibration("curve")
    count = library.catalogue.count_frames(None) + LARGE
    footage = searcher.pictures.footage
    cohort = searcher.pictures.cohort(footage) if calibration.has_contrast else None
    null = NullDistribution.of(query, footage, sample, count, cohort)
    windows = retrieve(query, library.catalogue, library.vectors)
    own = by_curve(windows, null, searcher.pictures.settings, calibration)
    others = [
        null.features(float(frame @ query), float(frame @ query), null.background_mean, frame)
        for frame in frames
    ]
    confidences = [own[0].confidence, *[calibration.confidence(facts) for facts in others]]
    return _Outcome(best.path.name, best.confidence, max(confidences), answer.is_unsure)


def _tell(name: str, sentences: list[_Sentence], outcomes: list[_Outcome], level: float) -> None:
    pairs = list(zip(sentences, outcomes, strict=True))
    present = [(s, o) for s, o in pairs if s.file is not None]
    absent = [o for s, o in pairs if s.file is None]
    right = [o for s, o in present if o.first == s.file]
    wrong = [o for s, o in present if o.first != s.file]
    answered = [o for _, o in present if o.confidence >= level]

    def share(some: Sequence[_Outcome], of: int, around: bool = False) -> str:
        passed = sum((o.around if around else o.confidence) >= level for o in some)
        return f"{100 * passed / max(of, 1):.1f}"

    cells = [
        name,
        f"{len(present)}, {len(absent)}",
        f"{100 * len(right) / len(present):.1f}",
        share(right, len(present)),
        share(wrong, len(present)),
        share(absent, len(absent)),
        f"{100 * sum(o.around < level for o in answered) / max(len(answered), 1):.1f}",
        share(absent, len(absent), around=True),
        *_told_unsure([o for _, o in pairs if o.confidence >= level], right),
    ]
    print("| " + " | ".join(cells) + " |")


def _told_unsure(answered: list[_Outcome], right: list[_Outcome]) -> list[str]:
    """The share of answers that say they are unsure, and how many of those and of others are right.

    An answer to a sentence on what is not there is not right.
    """
    kinds = [[o for o in answered if o.unsure == unsure] for unsure in (True, False)]
    rights = [sum(any(o is r for r in right) for o in kind) / max(len(kind), 1) for kind in kinds]
    share = len(kinds[0]) / max(len(answered), 1)
    return [f"{100 * each:.1f}" for each in (share, *rights)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives")
    parser.add_argument("--work", type=Path, required=True, help="vectors are kept here")
    parser.add_argument("--films", type=Path, required=True, help="composites")
    parser.add_argument("--no-clips", action="store_true", help="leave the clips alone")
    parser.add_argument("--keep", type=Path, help="keep the libraries in this folder")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    around = _Around(options.data, options.work, options.seed)
    print(json.dumps(describe()))
    print(
        "| footage | present, absent | right file first | right and answered | wrong and answered "
        "| absent answered | refused with other footage | absent answered with it "
        "| answers that say unsure | right of these | right of others |\n"
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    with tempfile.TemporaryDirectory() as folder_of_clips:
        scratch = options.keep or Path(folder_of_clips)
        scratch.mkdir(parents=True, exist_ok=True)
        sets = {"films": (options.films, _films(options.films))}
        if not options.no_clips:
            folder = Path(folder_of_clips) / "clips"
            sets["clips"] = (folder, _clips(options.data, folder))
        for name, (folder, sentences) in sets.items():
            with Library.open(scratch / f"{name}.db", profile="nano") as library:
                library.index([folder])
                level = library.searcher.pictures.calibration("curve").threshold
                outcomes = [_ask(library, sentence.text, around) for sentence in sentences]
            _tell(name, sentences, outcomes, level)


if __name__ == "__main__":
    main()
