"""How much of a clip its best moment covers, where the clip shows one thing all along.

``python -m benchmarks.coverage --data DATA`` indexes the real clips of ``clips.tar`` with the real
indexer and asks for each of their captions in the very clip (``find --in CLIP``), whatever the
confidence: once for moments, once for their parts (``--parts``). Nothing is fitted on these clips.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks._sources import unpack_clips
from benchmarks.machine import describe
from tempo_edge import Library
from tempo_edge.answer import Answer

__all__ = ["Covered", "format_row", "main"]


@dataclass(frozen=True)
class Covered:
    """What was found in one clip for one caption.

    Attributes:
        share: the share of the clip that the best moment covers.
        answered: whether that moment would be shown by itself.
        moments: how many would be shown, at least one.
    """

    share: float
    answered: bool
    moments: int

    @staticmethod
    def of(answer: Answer, clip_seconds: float, threshold: float) -> Covered:
        """What an answer of all confidences covers of a clip of so many seconds."""
        best = answer.moments[0]
        likely = sum(moment.confidence >= threshold for moment in answer)
        share = (best.end_seconds - best.start_seconds) / clip_seconds
        return Covered(share, best.confidence >= threshold, max(likely, 1))


def ask(library: Library, asked: Sequence[tuple[Path, str]], *, parts: bool) -> list[Covered]:
    """Ask for every caption in its own clip."""
    catalogue = library.catalogue
    files = {Path(row.path): row.video_id for row in library.files()}
    pictures = library.searcher.pictures
    threshold = pictures.calibration(pictures.grounder(None)).threshold
    found = []
    for path, caption in asked:
        video = files.get(path.absolute())
        if video is None:  # it can't be indexed, and is told when it isn't
            continue
        answer = library.find(caption, videos=[video], min_confidence=0.0, limit=100, parts=parts)
        found.append(Covered.of(answer, catalogue.video(video).duration_seconds, threshold))
    return found


def format_row(name: str, found: Sequence[Covered]) -> str:
    """A row of a GitHub table: over all captions, then over those that are answered."""
    cells = [name]
    for part in (found, [each for each in found if each.answered]):
        count = max(len(part), 1)
        half = 100 * sum(each.share >= 0.5 for each in part) / count
        mean = 100 * sum(each.share for each in part) / count
        several = 100 * sum(each.moments > 1 for each in part) / count
        cells += [str(len(part)), f"{half:.1f}", f"{mean:.1f}", f"{several:.1f}"]
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds clips")
    parser.add_argument("--profile", default="nano")
    parser.add_argument("--keep", type=Path, help="keep the clips and the library in this folder")
    options = parser.parse_args(arguments)
    print(json.dumps(describe()))
    columns = ("captions", "best covers half", "mean share covered", "in several moments")
    print("| | " + " | ".join([*columns, *("answered: " + name for name in columns)]) + " |")
    print("|---|" + "---:|" * (2 * len(columns)))
    with tempfile.TemporaryDirectory() as folder:
        kept = options.keep or Path(folder)
        asked = unpack_clips(options.data, kept / "clips")
        with Library.open(kept / "clips.db", profile=options.profile) as library:
            library.index([kept / "clips"])
            for name, parts in (("moments", False), ("their parts", True)):
                print(format_row(name, ask(library, asked, parts=parts)))


if __name__ == "__main__":
    main()
