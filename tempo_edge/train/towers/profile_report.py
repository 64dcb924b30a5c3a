"""Measures profiles through their ONNX files, as a search would use them.

    python -m tempo_edge.train.towers.profile_report --data DIR [--profile-dir DIR ...] [--json]

Prints, side by side for all named profiles: text-to-image retrieval on the Flickr8k test split
(700 pictures, 5 captions each); the share of right labels on the sports dev split; and on ImageNet
samples among all 1,000 names, for unseen pictures of the classes that training knows and for
pictures of the 100 classes that it never saw nor named; minimal pairs from test captions; and the
time that a picture and a sentence take.
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

import numpy as np

from tempo_edge._console.text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.data.archives import Archive
from tempo_edge.train.data.held_out import imagenet_classes, imagenet_split
from tempo_edge.train.data.label_prompts import ASKED
from tempo_edge.train.towers.pair_preferences import pairs, preferences
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.retrieval import Retrieval, retrieval, top1

PROFILE = Path(__file__).resolve().parents[2] / "models" / "nano"


class ProfileReport(TypedDict):
    """The figures of a profile.

    ``pairs`` holds of each kind the percent right, the percent right blind, and the count.
    """

    flickr8k: Retrieval
    sports100_dev_top1: float
    imagenet_unseen_top1: float
    imagenet_held_out_top1: float
    imagenet_held_out_top1_of_100: float
    pairs: dict[str, tuple[float, float, int]]
    image_ms: float
    text_ms: float
    machine: str


def _breadth(data: Path, profile: ProfileSessions) -> tuple[float, float, float]:
    """Top-1 of unseen pictures of seen classes and of held-out classes, among 1,000 names.

    The last figure is that of held-out classes among their own 100 names.
    """
    with Archive(data, "imagenet_samples") as archive:
        classes = imagenet_classes(archive.records)
        _, unseen, held_out = imagenet_split(archive.split("train"))
        pictures, _ = profile.pictures(archive, [*unseen, *held_out])
    place = {record.wnid: i for i, record in enumerate(classes)}
    names = profile.names([record.label for record in classes], ASKED["object"])
    strange = sorted({record.wnid for record in held_out})
    known, new = pictures[: len(unseen)], pictures[len(unseen) :]
    return (
        top1(known, names, [place[record.wnid] for record in unseen]),
        top1(new, names, [place[record.wnid] for record in held_out]),
        top1(
            new,
            names[[place[wnid] for wnid in strange]],
            [strange.index(record.wnid) for record in held_out],
        ),
    )


def measure(data: Path, folder: Path, *, split: str = "test") -> ProfileReport:
    """Measure the profile in `folder` on the archives in `data`.

    `split` is the Flickr8k split to retrieve from; choose settings on `dev`, report `test`.
    """
    profile = ProfileSessions(folder)
    with Archive(data, "flickr8k") as archive:
        records = archive.split(split)
        pictures, image_ms = profile.pictures(archive, records)
    captions = [caption for record in records for caption in record.captions]
    right = np.repeat(np.arange(len(records)), [len(record.captions) for record in records])
    texts, text_ms = profile.sentences(captions)
    asked = pairs([record.captions for record in records])
    true, _ = profile.sentences([pair.true for pair in asked])
    changed, _ = profile.sentences([pair.changed.sentence for pair in asked])
    with Archive(data, "sports100") as archive:
        games = archive.split("dev")
        labels = sorted({record.label for record in archive.records})
        players, _ = profile.pictures(archive, games)
    unseen, held_out, of_100 = _breadth(data, profile)
    return ProfileReport(
        flickr8k=retrieval(texts, pictures, right),
        sports100_dev_top1=top1(
            players,
            profile.names(labels, ASKED["sport"]),
            [labels.index(record.label) for record in games],
        ),
        imagenet_unseen_top1=unseen,
        imagenet_held_out_top1=held_out,
        imagenet_held_out_top1_of_100=of_100,
        pairs=preferences(asked, pictures, true, changed),
        image_ms=round(image_ms, 1),
        text_ms=round(text_ms, 1),
        machine=f"{os.cpu_count()}-core {platform.machine()} CPU",
    )


def _rows(report: ProfileReport, split: str) -> list[tuple[str, str]]:
    found = report["flickr8k"]
    return [
        (f"Flickr8k {split} text to image R@1", f"{found['r1']:.1f} %"),
        (f"Flickr8k {split} text to image R@5", f"{found['r5']:.1f} %"),
        (f"Flickr8k {split} text to image R@10", f"{found['r10']:.1f} %"),
        (f"Flickr8k {split} median rank", f"{found['median_rank']:.0f}"),
        ("sports100 dev top-1", f"{report['sports100_dev_top1']:.1f} %"),
        ("ImageNet top-1 of 1,000, seen classes", f"{report['imagenet_unseen_top1']:.1f} %"),
        ("ImageNet top-1 of 1,000, held-out classes", f"{report['imagenet_held_out_top1']:.1f} %"),
        (
            "the same among their own 100 names",
            f"{report['imagenet_held_out_top1_of_100']:.1f} %",
        ),
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
