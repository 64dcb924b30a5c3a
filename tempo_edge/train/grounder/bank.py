"""Captioned pictures as the library would hold them: encoded once, in a few views, and kept."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models import Profile
from tempo_edge.packing import pack, unpack
from tempo_edge.train.augment import view
from tempo_edge.train.batches import alike
from tempo_edge.train.data import Archive, DataError

_BATCH = 16
Say = Callable[[str], None]


@dataclass(frozen=True)
class Bank:
    """N pictures in V views each.

    ``vectors`` int8 ``[n, v, d]`` and ``tokens`` int8 ``[n, v, 9, d]`` are packed directions;
    ``near`` int64 ``[n, m]`` are the pictures that look most alike, in no order.
    """

    vectors: NDArray[np.int8]
    tokens: NDArray[np.int8]
    captions: list[tuple[str, ...]]
    near: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.captions)

    @property
    def views(self) -> int:
        """How many views each picture has."""
        return int(self.vectors.shape[1])


def join(banks: Sequence[Bank]) -> Bank:
    """One bank of all pictures; they are compared with their own bank's only."""
    firsts = np.cumsum([0, *(len(bank) for bank in banks)])
    few = min(bank.near.shape[1] for bank in banks)
    return Bank(
        np.concatenate([bank.vectors for bank in banks]),
        np.concatenate([bank.tokens for bank in banks]),
        [captions for bank in banks for captions in bank.captions],
        np.concatenate(
            [bank.near[:, :few] + first for bank, first in zip(banks, firsts, strict=False)]
        ),
    )


def _path(
    work: Path, profile: Profile, archive: Archive, split: str, views: int, seed: int
) -> Path:
    about = [profile.fingerprint, archive.name, split, views, seed]
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
    return work / f"bank-{archive.name}-{split}-{key}.npz"


def _encode(
    profile: Profile, archive: Archive, split: str, views: int, seed: int, say: Say
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    records = archive.split(split)
    size = profile.image_size
    vectors: list[NDArray[np.int8]] = []
    tokens: list[NDArray[np.int8]] = []
    started = time.monotonic()

    def load(position: int) -> NDArray[np.uint8]:
        picture = archive.picture(records[position])
        return np.stack([view(picture, (seed, position), index, size) for index in range(views)])

    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(records), _BATCH):
            rows = range(start, min(start + _BATCH, len(records)))
            pictures = np.concatenate(list(pool.map(load, rows)))
            found, cells = profile.image_tower.encode(pictures)
            vectors.append(pack(found).reshape(len(rows), views, -1))
            tokens.append(pack(cells).reshape(len(rows), views, *cells.shape[1:]))
    took = time.monotonic() - started
    say(f"{archive.name} {split}: {len(records)} pictures in {views} views, {took:.0f} s")
    return np.concatenate(vectors), np.concatenate(tokens)


def build(
    work: Path,
    profile: Profile,
    archive: Archive,
    split: str,
    *,
    views: int = 6,
    seed: int = 0,
    say: Say = print,
) -> Bank:
    """The bank of an archive's split, from the work folder if it is there.

    Raises:
        DataError: a picture has no captions, or the kept file can't be read.
    """
    records = archive.split(split)
    bare = next((record.file for record in records if not record.captions), None)
    if bare is not None:
        raise DataError(f"archive {archive.name!r}: {bare} has no captions")
    work.mkdir(parents=True, exist_ok=True)
    path = _path(work, profile, archive, split, views, seed)
    if not path.exists():
        vectors, tokens = _encode(profile, archive, split, views, seed, say)
        partial = path.with_name(f"{path.stem}.{os.getpid()}.partial.npz")
        np.savez(partial, vectors=vectors, tokens=tokens)
        partial.replace(path)
    try:
        with np.load(path, allow_pickle=False) as kept:
            vectors, tokens = kept["vectors"], kept["tokens"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    near = alike(unpack(vectors[:, 0]), min(24, len(records) - 1))
    return Bank(vectors, tokens, [record.captions for record in records], near)
