"""The training archives: folders or plain tar files with media and an `index.jsonl`.

An archive is read through one object whether it lies unpacked in a folder or not. Nothing is
extracted, and a link or a path that leaves the archive is never followed.
"""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tempo_edge._closing import Closing
from tempo_edge.errors import TempoEdgeError

ARCHIVES = ("flickr8k", "coco_thumbs", "sports100", "imagenet_samples")
SPLITS = ("train", "dev", "test")
CLASSES = 1000  # of ImageNet, as many as the classifier tells apart
HELD_OUT = 100  # ImageNet classes that training never sees nor names
_HELD_OUT_SEED = 20


class DataError(TempoEdgeError):
    """An archive is missing, laid out differently, or holds something unreadable."""


@dataclass(frozen=True)
class Record:
    """One picture of an archive and what is said about it."""

    archive: str
    file: str
    captions: tuple[str, ...] = ()
    label: str = ""
    synonyms: tuple[str, ...] = ()
    wnid: str = ""

    @property
    def split(self) -> str:
        """The folder that holds the file: train, dev or test."""
        return self.file.split("/", 1)[0]


class _Source(Protocol):
    def read(self, file: str) -> bytes: ...

    def close(self) -> None: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def read(self, file: str) -> bytes:
        path = (self._root / file).resolve()
        if not path.is_relative_to(self._root):
            raise KeyError(file)
        return path.read_bytes()

    def close(self) -> None:
        return None


class _Tar:
    """Regular members of a tar file by name; one reader at a time, as a tar has one position."""

    def __init__(self, path: Path, name: str) -> None:
        self._tar = tarfile.open(path, mode="r:")  # noqa: SIM115 - closed by close()
        self._lock = threading.Lock()
        self._members: dict[str, tarfile.TarInfo] = {}
        for member in self._tar.getmembers():
            if member.isreg():
                plain = member.name.removeprefix("./").removeprefix(f"{name}/")
                self._members[plain] = member

    def read(self, file: str) -> bytes:
        member = self._members[file]
        with self._lock:
            stream: IO[bytes] | None = self._tar.extractfile(member)
            if stream is None:
                raise KeyError(file)
            return stream.read()

    def close(self) -> None:
        self._tar.close()


class Archive(Closing):
    """One named archive, open for reading."""

    def __init__(self, data: Path, name: str) -> None:
        """Open `data/<name>/` or `data/<name>.tar`; raises DataError if neither is usable."""
        self.name = name
        folder, tar = data / name, data / f"{name}.tar"
        if folder.is_dir():
            self._source: _Source = _Folder(folder)
        elif tar.is_file():
            try:
                self._source = _Tar(tar, name)
            except tarfile.TarError as error:
                raise DataError(f"archive {name!r}: {tar} is not a plain tar file") from error
        else:
            raise DataError(f"archive {name!r} is missing: neither {folder}/ nor {tar} exists")
        try:
            self.records = self._index()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the file handle, if any."""
        self._source.close()

    def _index(self) -> list[Record]:
        try:
            text = self._source.read("index.jsonl").decode("utf-8")
        except (KeyError, OSError) as error:
            raise DataError(f"archive {self.name!r}: no index.jsonl at its top") from error
        records = [
            self._record(number, line)
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
        ]
        if not records:
            raise DataError(f"archive {self.name!r}: index.jsonl is empty")
        return records

    def _record(self, number: int, line: str) -> Record:
        where = f"archive {self.name!r}: index.jsonl line {number}"
        try:
            row = json.loads(line)
            record = Record(
                archive=self.name,
                file=str(row["file"]),
                captions=tuple(str(c).strip() for c in row.get("captions", ())),
                label=str(row.get("label", "")),
                synonyms=tuple(s.strip() for s in str(row.get("synonyms", "")).split(",") if s),
                wnid=str(row.get("wnid", "")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{where} is not an object with a 'file'") from error
        if record.split not in SPLITS:
            raise DataError(f"{where}: {record.file!r} is not under one of {', '.join(SPLITS)}")
        if not record.captions and not record.label:
            raise DataError(f"{where}: {record.file!r} has neither captions nor a label")
        return record

    def split(self, name: str) -> list[Record]:
        """The records of `train`, `dev` or `test`, in the order of the index."""
        found = [record for record in self.records if record.split == name]
        if not found:
            raise DataError(f"archive {self.name!r} has no {name}/ split")
        return found

    def picture(self, record: Record) -> Image.Image:
        """The decoded RGB picture of a record; raises DataError naming the file."""
        try:
            content = self._source.read(record.file)
        except (KeyError, OSError) as error:
            raise DataError(f"archive {self.name!r}: {record.file} is missing") from error
        try:
            return Image.open(io.BytesIO(content)).convert("RGB")
        except (UnidentifiedImageError, OSError, ValueError) as error:
            raise DataError(
                f"archive {self.name!r}: {record.file} is not a readable picture"
            ) from error


def imagenet_classes(records: list[Record]) -> list[Record]:
    """One record for each ImageNet class, in the order of the classifier's outputs.

    The classifier's classes follow the sorted WordNet identifiers.
    """
    classes = {record.wnid: record for record in records if record.wnid}
    if len(classes) != CLASSES:
        raise DataError(
            f"archive 'imagenet_samples' names {len(classes)} classes, expected {CLASSES}"
        )
    return [classes[wnid] for wnid in sorted(classes)]


def held_out_classes(classes: Sequence[Record]) -> set[str]:
    """The identifiers of the 100 ImageNet classes that training never sees nor names."""
    rng = np.random.default_rng(_HELD_OUT_SEED)
    rows = rng.choice(len(classes), HELD_OUT, replace=False)
    return {classes[row].wnid for row in rows}


def imagenet_split(records: Sequence[Record]) -> tuple[list[Record], list[Record], list[Record]]:
    """ImageNet samples to train on, unseen ones of seen classes, and those of held-out classes.

    The first picture of each class that is not held out is trained on; its others are not.
    """
    out = held_out_classes(imagenet_classes(list(records)))
    first: dict[str, Record] = {}
    others: list[Record] = []
    for record in records:
        if record.wnid in out:
            continue
        if record.wnid in first:
            others.append(record)
        else:
            first[record.wnid] = record
    return list(first.values()), others, [record for record in records if record.wnid in out]


def squash(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    """Resize the whole picture to a square, uint8 [size, size, 3], ignoring its aspect."""
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC), np.uint8)
