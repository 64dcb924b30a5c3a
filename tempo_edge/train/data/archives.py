"""The training archives: folders or plain tar files with media and an `index.jsonl`.

An archive is read through one object whether it lies unpacked in a folder or not. Nothing is
extracted, and a link or a path that leaves the archive is never followed. What its records must
have is declared by its name, and a record that lacks it is refused.
"""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tempo_edge._closing import Closing
from tempo_edge.errors import TempoEdgeError

SPLITS = ("train", "dev", "test")

#: What a label is a name of, which decides how sentences are made of it.
Vocabulary = Literal["", "object", "sport", "place", "action", "count"]


@dataclass(frozen=True)
class Source:
    """An archive's declared kind: what each of its records must have.

    ``said`` is what is known of a picture: captions, or a label of ``vocabulary``. Records of
    ``frames_of_clips`` that name the same clip are views of one picture, and a clip may have
    captions in place of a label.
    """

    said: Literal["captions", "label"]
    vocabulary: Vocabulary = ""
    frames_of_clips: bool = False


#: The archives that are known, by name.
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "flickr8k": Source("captions"),
        "coco_thumbs": Source("captions"),
        "sports100": Source("label", "sport"),
        "imagenet_samples": Source("label", "object"),
        "coco_sentences": Source("captions"),
        "places100": Source("label", "place"),
        "action_frames": Source("label", "action", frames_of_clips=True),
        "animals": Source("label", "count"),
    }
)
ARCHIVES = tuple(SOURCES)


class DataError(TempoEdgeError):
    """An archive is missing, laid out differently, or holds something unreadable."""


@dataclass(frozen=True)
class Record:
    """One picture of an archive and what is said about it.

    ``label`` is empty where captions alone are known; a labelled frame of a clip may have captions
    besides, which are true of every picture with its label. ``objects`` are things in a place, and
    ``counts`` how many there are of each animal.
    """

    archive: str
    file: str
    captions: tuple[str, ...] = ()
    label: str = ""
    synonyms: tuple[str, ...] = ()
    wnid: str = ""
    clip: str = ""
    objects: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def split(self) -> str:
        """The folder that holds the file: train, dev or test."""
        return self.file.split("/", 1)[0]


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"has {value!r} as its {key}, which must be a string")
    return value.strip()


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"has {value!r} as its {key}, which must be a list of strings")
    return tuple(each.strip() for each in value if each.strip())


def _counts(row: Mapping[str, Any]) -> Mapping[str, int]:
    value = row.get("objects", {})
    numbers = value.values() if isinstance(value, dict) else [None]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ValueError(f"has {value!r} as its objects, which must be numbers of at least 1")
    return MappingProxyType({str(name): number for name, number in value.items()})


def _said(archive: str, source: Source, file: str, row: Mapping[str, Any]) -> Record:
    """The record of a row; raises ValueError that says what its archive's kind asks for."""
    labelled, kind = source.said == "label", source.vocabulary
    record = Record(
        archive=archive,
        file=file,
        captions=() if labelled and not source.frames_of_clips else _texts(row, "captions"),
        label=_text(row, "label") if labelled else "",
        synonyms=tuple(s.strip() for s in _text(row, "synonyms").split(",") if s.strip()),
        wnid=_text(row, "wnid") if kind == "object" else "",
        clip=_text(row, "clip") if source.frames_of_clips else "",
        objects=_texts(row, "objects") if kind == "place" else (),
        counts=_counts(row) if kind == "count" else MappingProxyType({}),
    )
    if source.frames_of_clips and not record.clip:
        raise ValueError("has no clip")
    if source.frames_of_clips and not record.label and not record.captions:
        raise ValueError("has neither a label nor captions")
    if not labelled and not record.captions:
        raise ValueError("has no captions")
    if labelled and not source.frames_of_clips and not record.label:
        raise ValueError("has no label")
    if kind == "object" and not record.wnid:
        raise ValueError("has no wnid")
    if kind == "count" and not record.counts:
        raise ValueError("has no objects that are counted")
    return record


class _Reader(Protocol):
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
        """Open `data/<name>/` or `data/<name>.tar`.

        Raises:
            DataError: no such archive is known, neither is usable, or a record lacks what its
                archive's kind must have.
        """
        if name not in SOURCES:
            raise DataError(f"archive {name!r} must be one of {', '.join(ARCHIVES)}")
        self.name = name
        self.source = SOURCES[name]
        folder, tar = data / name, data / f"{name}.tar"
        if folder.is_dir():
            self._reader: _Reader = _Folder(folder)
        elif tar.is_file():
            try:
                self._reader = _Tar(tar, name)
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
        self._reader.close()

    def _index(self) -> list[Record]:
        try:
            text = self._reader.read("index.jsonl").decode("utf-8")
        except (KeyError, OSError) as error:
            raise DataError(f"archive {self.name!r}: no index.jsonl at its top") from error
        except UnicodeDecodeError as error:
            raise DataError(f"archive {self.name!r}: index.jsonl is not UTF-8 text") from error
        records = [
            self._record(number, line)
            for number, line in enumerate(text.split("\n"), start=1)
            if line.strip()
        ]
        if not records:
            raise DataError(f"archive {self.name!r}: index.jsonl is empty")
        return records

    def _record(self, number: int, line: str) -> Record:
        where = f"archive {self.name!r}: index.jsonl line {number}"
        try:
            row = json.loads(line)
            file = row["file"]
            if not isinstance(file, str):
                raise TypeError("a file is named by a string")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"{where} is not an object with a 'file'") from error
        try:
            record = _said(self.name, self.source, file, row)
        except ValueError as error:
            raise DataError(f"{where}: {file!r} {error}") from error
        if record.split not in SPLITS:
            raise DataError(f"{where}: {file!r} is not under one of {', '.join(SPLITS)}")
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
            content = self._reader.read(record.file)
        except (KeyError, OSError) as error:
            raise DataError(f"archive {self.name!r}: {record.file} is missing") from error
        try:
            return Image.open(io.BytesIO(content)).convert("RGB")
        except (UnidentifiedImageError, OSError, ValueError) as error:
            raise DataError(
                f"archive {self.name!r}: {record.file} is not a readable picture"
            ) from error


def squash(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    """Resize the whole picture to a square, uint8 [size, size, 3], ignoring its aspect."""
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC), np.uint8)
