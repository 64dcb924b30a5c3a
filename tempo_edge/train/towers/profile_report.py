"""Measures profiles through their ONNX files, as a search would use them.

    python -m tempo_edge.train.towers.profile_report --data DIR [--profile-dir DIR ...] [--json]

Prints, side by side for all named profiles: text-to-image retrieval on the Flickr8k test split
(700 pictures, 5 captions each), by captions, by questions and by a few words; the share of right
names on the dev splits of sports and places; on ImageNet samples among all 1,000 names, for unseen
pictures of the classes that training knows and for pictures of the 100 classes that it never saw
nor named; animals counted and actions named on pictures and clips that no run trains on; names
alone among the pictures of three archives; minimal pairs from test captions; and the time that a
picture and a sentence take.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.towers.counting import CountShares
from tempo_edge.train.towers.gallery import Gallery
from tempo_edge.train.towers.pair_preferences import pairs, preferences
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.retrieval import Ranking, Retrieval, retrieval
from tempo_edge.train.towers.typed_queries import (
    Questions,
    name_queries,
    questions,
    short_queries,
)
from tempo_edge.train.towers.zero_shot import (
    Actions,
    Breadth,
    Named,
    actions,
    breadth,
    counts,
    named,
)

PROFILE = Path(__file__).resolve().parents[2] / "models" / "nano"


class ProfileReport(TypedDict):
    """The figures of a profile.

    Attributes:
        animals: on the pictures that no run trains on; ``animals_all``: on all, for a profile that
            was not trained on them.
        names: bare names among sports, places and Flickr8k's dev pictures.
        short_queries: a few words of captions, on the Flickr8k split.
        pairs: of each kind the percent right, the percent right blind, and the count.
    """

    flickr8k: Retrieval
    sports: Named
    places: Named
    imagenet: Breadth
    animals: CountShares
    animals_all: CountShares | None
    actions: Actions
    names: Ranking
    short_queries: Ranking
    questions: Questions
    pairs: dict[str, tuple[float, float, int]]
    image_ms: float
    text_ms: float
    machine: str


def measure(data: Path, folder: Path, *, split: str = "test") -> ProfileReport:
    """Measure the profile in `folder` on the archives in `data`.

    `split` is the Flickr8k split to retrieve from; choose settings on `dev`, report `test`.
    """
    profile = ProfileSessions(folder)
    pictures = Gallery.of(profile, data, "flickr8k", split)
    texts, text_ms = profile.sentences(pictures.captions)
    asked = pairs([record.captions for record in pictures.records])
    true = texts[[pair.caption for pair in asked]]
    changed, _ = profile.sentences([pair.changed.sentence for pair in asked])
    games = Gallery.of(profile, data, "sports100", "dev")
    places = Gallery.of(profile, data, "places100", "dev")
    dev = pictures if split == "dev" else Gallery.of(profile, data, "flickr8k", "dev")
    held_out, everything = counts(data, profile)
    return ProfileReport(
        flickr8k=retrieval(texts, pictures.vectors, pictures.owners),
        sports=named(profile, games, "sport"),
        places=named(profile, places, "place"),
        imagenet=breadth(data, profile),
        animals=held_out,
        animals_all=None if "animals" in _trained_on(folder) else everything,
        actions=actions(data, profile),
        names=name_queries(profile, [games, places], dev),
        short_queries=short_queries(profile, pictures),
        questions=questions(profile, pictures),
        pairs=preferences(asked, pictures.vectors, true, changed),
        image_ms=round(pictures.milliseconds, 1),
        text_ms=round(text_ms, 1),
        machine=f"{os.cpu_count()}-core {platform.machine()} CPU",
    )


def _trained_on(folder: Path) -> list[str]:
    """The archives that a profile says it was trained on; none where it says nothing."""
    manifest = folder / "profile.json"
    if not manifest.is_file():
        return []
    about = json.loads(manifest.read_text(encoding="utf-8"))
    return [str(part).split("/")[0] for part in about.get("training", {}).get("data", [])]


def _percent(label: str, figure: float) -> tuple[str, str]:
    return label, f"{figure:.1f} %"


def _found_rows(report: ProfileReport, split: str) -> list[tuple[str, str]]:
    """What sentences find: captions, questions and short queries."""
    found, said = report["flickr8k"], report["questions"]
    few, alone = report["short_queries"], report["names"]
    return [
        _percent(f"Flickr8k {split} text to image R@1", found["r1"]),
        _percent(f"Flickr8k {split} text to image R@5", found["r5"]),
        _percent(f"Flickr8k {split} text to image R@10", found["r10"]),
        (f"Flickr8k {split} median rank", f"{found['median_rank']:.0f}"),
        _percent("questions for captions R@1, as asked", said["asked"]["r1"]),
        _percent("questions for captions R@1, stripped", said["stripped"]["r1"]),
        _percent(f"short queries ({few['queries']}), mean AP", few["mean_ap"]),
        _percent("short queries, first picture right", few["first_right"]),
        _percent(f"names alone ({alone['queries']}), mean AP", alone["mean_ap"]),
        _percent("names alone, first picture right", alone["first_right"]),
    ]


def _named_rows(report: ProfileReport) -> list[tuple[str, str]]:
    """What pictures are called."""
    sports, places, imagenet = report["sports"], report["places"], report["imagenet"]
    return [
        _percent("sports100 dev top-1", sports["top1"]),
        _percent("sports100 dev top-1, bare names", sports["bare"]),
        _percent("places100 dev top-1", places["top1"]),
        _percent("places100 dev top-5", places["top5"]),
        _percent("places100 dev top-1, bare names", places["bare"]),
        _percent("ImageNet top-1 of 1,000, seen classes", imagenet["unseen"]),
        _percent("ImageNet top-1 of 1,000, held-out classes", imagenet["held_out"]),
        _percent("the same among their own 100 names", imagenet["held_out_of_100"]),
        *_count_rows("animals counted, held out", report["animals"]),
        *_count_rows("animals counted, all", report["animals_all"]),
        _percent("actions top-1, frames held out", report["actions"]["frame"]),
        _percent("actions top-1, clips held out", report["actions"]["clip"]),
    ]


def _count_rows(label: str, shares: CountShares | None) -> list[tuple[str, str]]:
    labels = f"{label}, right (majority)", f"{label}, mean of three numbers"
    if shares is None:
        return [(each, "trained on") for each in labels]
    return [
        (labels[0], f"{shares['right']:.1f} ({shares['majority']:.1f}) %"),
        _percent(labels[1], shares["balanced"]),
    ]


def _rows(report: ProfileReport, split: str) -> list[tuple[str, str]]:
    return [
        *_found_rows(report, split),
        *_named_rows(report),
        *(
            (f"minimal pairs, {kind} ({count}), right (blind)", f"{right:.1f} ({blind:.1f}) %")
            for kind, (right, blind, count) in report["pairs"].items()
        ),
        ("one picture, in batches of 16", f"{report['image_ms']:.1f} ms"),
        ("one sentence, alone", f"{report['text_ms']:.1f} ms"),
    ]


def table(reports: Mapping[str, ProfileReport], split: str = "test") -> str:
    """The reports of named profiles as lines of text, one column each."""
    columns = [_rows(report, split) for report in reports.values()]
    lines = [["", *reports]]
    for rows in zip(*columns, strict=True):
        lines.append([rows[0][0], *(value for _, value in rows)])
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    text = []
    for line in lines:
        cells = [value.rjust(width) for value, width in zip(line, widths, strict=True)]
        text.append("  ".join([line[0].ljust(widths[0]), *cells[1:]]))
    return "\n".join([*text, f"measured on a {next(iter(reports.values()))['machine']}"])


def _columns(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: its last part, or all of it where two would be called alike."""
    short = [folder.name for folder in folders]
    return short if len(set(short)) == len(short) else [str(folder) for folder in folders]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tempo_edge.train.towers.profile_report", description="Measure a profile."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument(
        "--profile-dir", type=Path, action="append", help="repeat to compare; default: nano"
    )
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    folders = options.profile_dir or [PROFILE]
    try:
        reports = {
            name: measure(options.data, folder, split=options.split)
            for name, folder in zip(_columns(folders), folders, strict=True)
        }
    except TempoEdgeError as error:
        note(f"error: {error}")
        return 2
    print(json.dumps(reports, indent=2) if options.json else table(reports, options.split))
    return 0


if __name__ == "__main__":
    sys.exit(main())
