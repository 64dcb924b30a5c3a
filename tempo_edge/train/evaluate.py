"""Measures a profile through its ONNX files, as a search would use it.

    python -m tempo_edge.train.evaluate --data DIR [--profile-dir DIR] [--json]

Prints text-to-image retrieval on the Flickr8k test split (700 pictures, 5 captions each), the
share of right labels on the sports dev split and on the ImageNet samples, whose pictures were
seen in training, and the time that a picture and a sentence take.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.data import Archive, DataError, Record, imagenet_classes, squash
from tempo_edge.train.prompts import ASKED, SPORT_ASKED

Floats = NDArray[np.float32]
PROFILE = Path(__file__).resolve().parent.parent / "models" / "nano"
_BATCH = 16


class Retrieval(TypedDict):
    """Recall in percent and the median rank of the right picture, counted from 1."""

    r1: float
    r5: float
    r10: float
    median_rank: float


class Report(TypedDict):
    """What `evaluate` measures."""

    flickr8k: Retrieval
    sports100_dev_top1: float
    imagenet_seen_top1: float
    image_ms: float
    text_ms: float
    machine: str


class Profile:
    """The two towers of a profile folder."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Open `image.onnx`, `text.onnx` and `tokenizer.json` of `folder`."""
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.log_severity_level = 3
        for name in ("image.onnx", "text.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise DataError(f"profile folder {folder} has no {name}")

        def load(name: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(
                str(folder / name), sess_options=options, providers=["CPUExecutionProvider"]
            )

        self._image, self._text = load("image.onnx"), load("text.onnx")
        self._size = int(self._image.get_inputs()[0].shape[1])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def pictures(self, archive: Archive, records: Sequence[Record]) -> tuple[Floats, float]:
        """Unit vectors [N, 256] of whole pictures and the median milliseconds for one."""
        out: list[Floats] = []
        times: list[float] = []
        for start in range(0, len(records), _BATCH):
            chunk = records[start : start + _BATCH]
            batch = np.stack([squash(archive.picture(r), self._size) for r in chunk])
            started = time.perf_counter()
            out.append(self._image.run(["vectors"], {"images": batch})[0])
            times.append((time.perf_counter() - started) / len(chunk))
        return np.concatenate(out), 1e3 * float(np.median(times))

    def sentences(self, sentences: Sequence[str]) -> tuple[Floats, float]:
        """Unit vectors [N, 256], one sentence at a time, and the median milliseconds for one."""
        out: list[Floats] = []
        times: list[float] = []
        for sentence in sentences:
            started = time.perf_counter()
            encoded = self._tokenizer.encode(sentence)
            feed = {
                "input_ids": np.array([encoded.ids], np.int64),
                "attention_mask": np.array([encoded.attention_mask], np.int64),
            }
            out.append(self._text.run(["vectors"], feed)[0])
            times.append(time.perf_counter() - started)
        return np.concatenate(out), 1e3 * float(np.median(times))


def retrieval(texts: Floats, pictures: Floats, right: NDArray[np.int64]) -> Retrieval:
    """Ranks of the right picture for texts [T, D] among pictures [N, D]; `right` is int64 [T]."""
    scores = texts @ pictures.T
    own = scores[np.arange(len(texts)), right]
    # A picture that ties with the right one counts against it.
    ranks = (scores >= own[:, None]).sum(axis=1)
    shares = [round(100.0 * float((ranks <= k).mean()), 1) for k in (1, 5, 10)]
    return Retrieval(r1=shares[0], r5=shares[1], r10=shares[2], median_rank=float(np.median(ranks)))


def _top1(
    profile: Profile,
    pictures: Floats,
    labels: Sequence[str],
    right: Sequence[int],
    templates: Sequence[str],
) -> float:
    prompts = [template.format(label) for label in labels for template in templates]
    vectors, _ = profile.sentences(prompts)
    means = vectors.reshape(len(labels), len(templates), -1).mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    hits = (pictures @ means.T).argmax(axis=1) == np.array(right)
    return round(100.0 * float(hits.mean()), 1)


def evaluate(data: Path, folder: Path, *, split: str = "test") -> Report:
    """Measure the profile in `folder` on the archives in `data`.

    `split` is the Flickr8k split to retrieve from; choose settings on `dev`, report `test`.
    """
    profile = Profile(folder)
    with Archive(data, "flickr8k") as archive:
        records = archive.split(split)
        pictures, image_ms = profile.pictures(archive, records)
    captions = [caption for record in records for caption in record.captions]
    right = np.repeat(np.arange(len(records)), [len(record.captions) for record in records])
    texts, text_ms = profile.sentences(captions)
    found = retrieval(texts, pictures, right)
    with Archive(data, "sports100") as archive:
        records = archive.split("dev")
        labels = sorted({record.label for record in archive.records})
        pictures, _ = profile.pictures(archive, records)
    place = {label: i for i, label in enumerate(labels)}
    rows = [place[record.label] for record in records]
    sports = _top1(profile, pictures, labels, rows, SPORT_ASKED)
    with Archive(data, "imagenet_samples") as archive:
        records = archive.split("train")
        classes = imagenet_classes(archive.records)
        pictures, _ = profile.pictures(archive, records)
    place = {record.wnid: i for i, record in enumerate(classes)}
    rows = [place[record.wnid] for record in records]
    seen = _top1(profile, pictures, [record.label for record in classes], rows, ASKED)
    return Report(
        flickr8k=found,
        sports100_dev_top1=sports,
        imagenet_seen_top1=seen,
        image_ms=round(image_ms, 1),
        text_ms=round(text_ms, 1),
        machine=f"{os.cpu_count()}-core {platform.machine()} CPU",
    )


def table(report: Report, split: str = "test") -> str:
    """The report as lines of text."""
    found = report["flickr8k"]
    rows = [
        (f"Flickr8k {split} text to image R@1", f"{found['r1']:.1f} %"),
        (f"Flickr8k {split} text to image R@5", f"{found['r5']:.1f} %"),
        (f"Flickr8k {split} text to image R@10", f"{found['r10']:.1f} %"),
        (f"Flickr8k {split} median rank", f"{found['median_rank']:.0f}"),
        ("sports100 dev top-1 (labels in training)", f"{report['sports100_dev_top1']:.1f} %"),
        ("ImageNet samples top-1 (seen in training)", f"{report['imagenet_seen_top1']:.1f} %"),
        ("one picture, in batches of 16", f"{report['image_ms']:.1f} ms"),
        ("one sentence, alone", f"{report['text_ms']:.1f} ms"),
        ("machine", report["machine"]),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tempo_edge.train.evaluate", description="Measure a profile."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--profile-dir", type=Path, default=PROFILE, help="default: nano")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        report = evaluate(options.data, options.profile_dir, split=options.split)
    except TempoEdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=2) if options.json else table(report, options.split))
    return 0


if __name__ == "__main__":
    sys.exit(main())
