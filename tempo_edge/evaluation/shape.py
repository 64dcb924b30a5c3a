"""Fit the shape of a span: how far it reaches from its best look, and what it goes on over.

``python -m tempo_edge.evaluation.shape --videos DIR --videos DIR`` reads folders of composite
videos with their ``truth.jsonl`` (see ``benchmarks.composites``), indexes each with the real
indexer, and writes the shape into the profile's ``calibration.json``, whose confidence stays as it
is. Where the profile has a decoder, whose drafts are pieces of the curve, only the joining of
pieces is fitted. Test videos must never be given to it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tempo_edge._console.text import note
from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError
from tempo_edge.evaluation.truth import Query, read_truth, videos_by_name
from tempo_edge.library import Library
from tempo_edge.models.profile_manifest import write_calibration
from tempo_edge.models.registry import BUILT_IN, GENERAL_CALIBRATION, Profile, load_profile
from tempo_edge.moment import Span
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.continuity import Continuity
from tempo_edge.search.grounders.curve import cut_out
from tempo_edge.search.grounders.mllm import MllmGrounder
from tempo_edge.search.retrieve import retrieve
from tempo_edge.search.similarity import CurveSettings, Segment, smoothed
from tempo_edge.search.window import Window

__all__ = ["Occurrence", "Tried", "fit", "main", "occurrences"]

# Shapes that are tried; the one with the most moments found at tIoU 0.5 and 0.7 wins.
_KEEP = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
_SMOOTH = (0.0, 0.15, 0.25, 0.33)
_LIKENESS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NOISE = (0.0, 2.0, 2.5, 3.0, 3.5, 4.0)


@dataclass(frozen=True)
class Occurrence:
    """A query that occurs, as a search of the video that shows it sees it.

    Attributes:
        spans: when it does; ``windows``: the footage that was looked into.
        null: how the query scores by chance.
    """

    spans: tuple[Span, ...]
    windows: tuple[Window, ...]
    null: NullDistribution

    def cut(self, settings: CurveSettings) -> _Cut | None:
        """The window with the highest peak, cut; None if there is no window."""
        chance = self.null.background_mean
        cuts = [(cut_out(window, settings, chance), window) for window in self.windows]
        if not cuts:
            return None
        pieces, window = max(cuts, key=lambda each: each[0][0].peak)
        curve = smoothed(window.similarities, window.cuts, settings.smooth)
        return _Cut(self.spans, pieces, Continuity.of(window, curve, settings, self.null))


@dataclass(frozen=True)
class _Cut:
    """The pieces of a window, that with the highest peak first, and what lies beside them."""

    spans: tuple[Span, ...]
    pieces: list[Segment]
    continuity: Continuity

    def overlap(self, settings: CurveSettings) -> float:
        """The best tIoU of the moment that the first piece is a part of."""
        continuity = replace(self.continuity, settings=settings)
        moments = continuity.moments(self.pieces)
        first, last = next((a, b) for a, b, numbers in moments if 0 in numbers)
        edges = continuity.edges
        span = Span(float(edges[first]), float(edges[last + 1]))
        return max(span.iou(true) for true in self.spans)


@dataclass(frozen=True)
class Tried:
    """A shape, and the mean over queries of "found at tIoU 0.5" and "found at 0.7"."""

    settings: CurveSettings
    rate: float


def occurrences(library: Library, queries: Sequence[Query]) -> list[Occurrence]:
    """What a search of the right video sees, for each query that has one.

    Raises:
        TempoEdgeError: the library lacks a video that a query is about.
    """
    videos = videos_by_name(library, queries)
    vectors, searcher = library.vectors, library.searcher
    vectors.refresh()
    seen = []
    for query in queries:
        if query.file is None:
            continue
        vector = library.profile.text_tower.encode([query.text])[0]
        only = [videos[query.file]]
        frames = library.catalogue.count_frames(only)
        null = NullDistribution.of(vector, searcher.pictures.footage, vectors.sample(only), frames)
        windows = retrieve(vector, library.catalogue, vectors, videos=only)
        seen.append(Occurrence(query.spans, tuple(windows), null))
    return seen


def fit(sets: Sequence[Sequence[Occurrence]], pieces: CurveSettings | None = None) -> Tried:
    """The best of all shapes over several sets, each of which counts as much as any other.

    Of several shapes that are as good it is the one that joins least.

    Args:
        pieces: the shape whose pieces are to stay as they are; only their joining is fitted then.
    """
    rates: dict[CurveSettings, float] = {}
    shapes = [CurveSettings(keep=keep, smooth=smooth) for keep in _KEEP for smooth in _SMOOTH]
    for plain in shapes if pieces is None else [pieces]:
        cut = [[each.cut(plain) for each in some] for some in sets]
        for likeness, noise in itertools.product(_LIKENESS, _NOISE):
            settings = replace(plain, likeness=likeness, noise=noise)
            rates[settings] = float(np.mean([_rate(some, settings) for some in cut]))
    best = max(rates.values())
    return min(
        (Tried(settings, rate) for settings, rate in rates.items() if rate == best),
        key=lambda tried: (tried.settings.likeness, tried.settings.noise),
    )


def _rate(cut: Sequence[_Cut | None], settings: CurveSettings) -> float:
    overlaps = np.asarray([0.0 if each is None else each.overlap(settings) for each in cut])
    return float(((overlaps >= 0.5).mean() + (overlaps >= 0.7).mean()) / 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        profile = load_profile(options.profile)
        _check_names(options.videos)
        # A decoder has learned to read drafts that are cut as pieces are.
        pieces = CurveSettings.of(profile) if MllmGrounder.comes_with(profile) else None
        tried = fit([_seen(folder, options) for folder in options.videos], pieces)
        if not options.dry_run:
            _store(profile, tried)
    except (TempoEdgeError, OSError) as error:
        note(f"error: {error}")
        return 2
    print(json.dumps({"curve": asdict(tried.settings), "rate": tried.rate}, indent=1))
    return 0


def _check_names(folders: Sequence[Path]) -> None:
    """Refuse folders of one name, whose libraries would be one.

    Raises:
        TempoEdgeError: two have the same name.
    """
    names = [folder.name for folder in folders]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise TempoEdgeError(f"two folders are named {twice!r}: rename one of them")


def _seen(folder: Path, options: argparse.Namespace) -> list[Occurrence]:
    """What a search sees of the queries of a folder that occur."""
    queries = read_truth(folder)
    with tempfile.TemporaryDirectory() as scratch:
        kept = options.keep or Path(scratch)
        kept.mkdir(parents=True, exist_ok=True)
        with Library.open(kept / f"{folder.name}.db", profile=options.profile) as library:
            library.index([folder])
            return occurrences(library, queries)


def _store(profile: Profile, tried: Tried) -> None:
    """Write a shape into the profile's calibration, and into that of profiles without their own.

    The latter only where it is the built-in profile, which is the one that they are like.
    """
    curve = asdict(tried.settings)
    contents = json.loads((profile.folder / "calibration.json").read_text(encoding="utf-8"))
    write_calibration(profile.folder, {**contents, "curve": curve})
    if profile.folder.parent == BUILT_IN:
        contents = json.loads(GENERAL_CALIBRATION.read_text(encoding="utf-8"))
        with atomic_write(GENERAL_CALIBRATION) as draft:
            text = json.dumps({**contents, "curve": curve}, indent=1)
            draft.write_text(text + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--videos",
        type=Path,
        action="append",
        required=True,
        help="composite videos; given again, each folder counts as much as the others",
    )
    parser.add_argument("--profile", default="nano")
    parser.add_argument("--keep", type=Path, help="keep the libraries in this folder")
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
