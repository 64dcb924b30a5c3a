"""The sources of composites: photographs and clips with captions, unpacked or in tars."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import av

Split = Literal["dev", "test"]
SPLITS: tuple[Split, ...] = ("dev", "test")

#: The archive that each source of shots lies in.
ARCHIVES = {"photo": "flickr8k", "clip": "clips"}


class CompositeError(ValueError):
    """The data or the request cannot give the composites that were asked for."""


@dataclass(frozen=True)
class Item:
    """One captioned photograph or clip; `seconds` is a clip's length and 0 for a photograph."""

    source: Literal["photo", "clip"]
    file: str
    captions: tuple[str, ...]
    seconds: float = 0.0


class Archive:
    """The media files and the index.jsonl of `data/name/`, or of the plain tar `data/name.tar`."""

    def __init__(self, data: Path, name: str) -> None:
        self.name = name
        self._folder = data / name
        self._tar = data / f"{name}.tar"
        self._members: dict[str, tuple[int, int]] | None = None
        if not (self._folder / "index.jsonl").is_file():
            if not self._tar.is_file():
                raise CompositeError(f"{data} holds neither {name}/index.jsonl nor {name}.tar")
            self._members = _tar_members(self._tar)
        raw = self.read("index.jsonl")
        self.fingerprint = hashlib.sha256(raw).hexdigest()
        self.index = _parse_index(raw, name)

    def read(self, file: str) -> bytes:
        """The bytes of one file, named as the index names it."""
        try:
            if self._members is None:
                return (self._folder / file).read_bytes()
            offset, size = self._members[file]
            with self._tar.open("rb") as tar:
                tar.seek(offset)
                return tar.read(size)
        except KeyError:
            raise CompositeError(f"{self._tar} holds no {file}") from None
        except OSError as error:
            raise CompositeError(f"{self.name}: cannot read {file}: {error}") from error


def _tar_members(path: Path) -> dict[str, tuple[int, int]]:
    """The place of each file of a plain tar, (offset, size) in bytes, by its name in the index."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = {m.name.removeprefix("./"): m for m in tar if m.isfile()}
    except (OSError, tarfile.TarError) as error:
        raise CompositeError(f"{path} is no plain tar file: {error}") from error
    indexes = [name for name in members if name.split("/")[-1] == "index.jsonl"]
    if not indexes:
        raise CompositeError(f"{path} holds no index.jsonl")
    # Some people pack the folder and some its content: names count from the topmost index.
    prefix = min(indexes, key=lambda name: name.count("/")).removesuffix("index.jsonl")
    return {k.removeprefix(prefix): (m.offset_data, m.size) for k, m in members.items()}


def _parse_index(raw: bytes, name: str) -> list[tuple[str, tuple[str, ...]]]:
    rows: list[tuple[str, tuple[str, ...]]] = []
    for number, line in enumerate(raw.decode().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            captions = tuple(tidy(caption) for caption in row["captions"])
            rows.append((str(row["file"]), captions))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CompositeError(f"{name}: index.jsonl line {number}: {error!r}") from error
    return rows


def tidy(caption: str) -> str:
    """A caption as a person would type it: single spaces, no full stop at the end.

    >>> tidy("A dog  jumps .")
    'A dog jumps'
    """
    return " ".join(caption.split()).rstrip(" .")


@lru_cache(maxsize=4)
def open_archive(data: Path, name: str) -> Archive:
    """The archive, opened once in each process."""
    return Archive(data, name)


def in_partition(file: str, partition: tuple[int, int]) -> bool:
    """True if `file` belongs to part k of n, from 1; stable, whatever else is in the data."""
    part, parts = partition
    return zlib.crc32(file.encode()) % parts == part - 1


def photographs(data: Path, split: Split, partition: tuple[int, int]) -> list[Item]:
    """The captioned photographs of one split and partition; training files are out of reach."""
    if split not in SPLITS:
        raise CompositeError(f"split must be one of {', '.join(SPLITS)}, not {split!r}")
    return [
        Item("photo", file, captions)
        for file, captions in open_archive(data, "flickr8k").index
        if file.startswith(f"{split}/") and captions and in_partition(file, partition)
    ]


def real_clips(data: Path, partition: tuple[int, int]) -> list[Item]:
    """The captioned real clips of one partition, with their lengths."""
    archive = open_archive(data, "clips")
    return [
        Item("clip", file, captions, _clip_seconds(archive.read(file), file))
        for file, captions in archive.index
        if captions and in_partition(file, partition)
    ]


def unpack_clips(data: Path, folder: Path) -> list[tuple[Path, str]]:
    """Put the real clips into a folder, unless they lie there; gives each with each caption."""
    archive = open_archive(data, "clips")
    folder.mkdir(parents=True, exist_ok=True)
    asked = []
    for file, captions in archive.index:
        path = folder / Path(file).name
        if not path.exists():
            path.write_bytes(archive.read(file))
        asked += [(path, caption) for caption in captions]
    return asked


def _clip_seconds(content: bytes, file: str) -> float:
    try:
        with av.open(io.BytesIO(content)) as container:
            stream = container.streams.video[0]
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            return (container.duration or 0) / av.time_base
    except (av.FFmpegError, IndexError) as error:
        raise CompositeError(f"clips: {file} is no readable video: {error}") from error
