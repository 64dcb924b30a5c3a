"""Captioned pictures as a library would hold their footage, encoded once into the work folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_write
from tempo_edge.models import Profile
from tempo_edge.quantization import dequantize, quantize
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.data.neighbours import nearest_neighbours
from tempo_edge.train.grounder.synthetic.camera import STOPS, TAKES, film
from tempo_edge.train.progress_log import Say

_BATCH = 16


@dataclass(frozen=True)
class FeatureBank:
    """``n`` pictures as a moving camera sees them.

    ``vectors`` int8 ``[n, takes, stops, d]`` and ``tokens`` int8 ``[n, takes, stops, 9, d]`` are
    quantized unit vectors; ``black`` float32 ``[10, d]`` are vector and tokens of a dark frame, and
    ``near`` int64 ``[n, m]`` are the pictures that look most alike, in no order.
    """

    vectors: NDArray[np.int8]
    tokens: NDArray[np.int8]
    black: NDArray[np.float32]
    captions: list[tuple[str, ...]]
    near: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.captions)


def join(banks: Sequence[FeatureBank]) -> FeatureBank:
    """One bank of all pictures; neighbours are looked for within each picture's own bank only."""
    firsts = np.cumsum([0, *(len(bank) for bank in banks)])
    few = min(bank.near.shape[1] for bank in banks)
    return FeatureBank(
        np.concatenate([bank.vectors for bank in banks]),
        np.concatenate([bank.tokens for bank in banks]),
        banks[0].black,
        [captions for bank in banks for captions in bank.captions],
        np.concatenate(
            [bank.near[:, :few] + first for bank, first in zip(banks, firsts, strict=False)]
        ),
    )


def halves(bank: FeatureBank) -> tuple[FeatureBank, FeatureBank]:
    """Every other picture of a bank, and those between; neighbours are of a picture's own half.

    What is chosen on the one can so be reported on the other.
    """
    first, second = (_part(bank, np.arange(start, len(bank), 2)) for start in (0, 1))
    return first, second


def _part(bank: FeatureBank, rows: NDArray[np.int64]) -> FeatureBank:
    vectors = bank.vectors[rows]
    few = min(bank.near.shape[1], len(rows) - 1)
    return FeatureBank(
        vectors,
        bank.tokens[rows],
        bank.black,
        [bank.captions[row] for row in rows],
        nearest_neighbours(dequantize(vectors[:, 0, 0]), few),
    )


def _path(work: Path, profile: Profile, archive: Archive, split: str, seed: int) -> Path:
    about = [profile.fingerprint, archive.name, split, TAKES, STOPS, seed]
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
    return work / f"bank-{archive.name}-{split}-{key}.npz"


def _encode(
    profile: Profile, archive: Archive, split: str, seed: int, say: Say
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    records = archive.split(split)
    size = profile.image_size
    vectors: list[NDArray[np.int8]] = []
    tokens: list[NDArray[np.int8]] = []
    started = time.monotonic()

    def load(position: int) -> NDArray[np.uint8]:
        return film(archive.picture(records[position]), (seed, position), size)

    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(records), _BATCH):
            rows = range(start, min(start + _BATCH, len(records)))
            frames = np.stack(list(pool.map(load, rows)))
            found, cells = profile.image_tower.encode(frames.reshape(-1, size, size, 3))
            vectors.append(quantize(found).reshape(*frames.shape[:3], -1))
            tokens.append(quantize(cells).reshape(*frames.shape[:3], *cells.shape[1:]))
    took = time.monotonic() - started
    say(f"{archive.name} {split}: {len(records)} pictures filmed, {took:.0f} s")
    return np.concatenate(vectors), np.concatenate(tokens)


def build(
    work: Path,
    profile: Profile,
    archive: Archive,
    split: str,
    *,
    seed: int = 0,
    say: Say = print,
) -> FeatureBank:
    """The bank of an archive's split, from the work folder if it is there.

    Raises:
        DataError: a picture has no captions, or the kept file can't be read.
    """
    records = archive.split(split)
    bare = next((record.file for record in records if not record.captions), None)
    if bare is not None:
        raise DataError(f"archive {archive.name!r}: {bare} has no captions")
    work.mkdir(parents=True, exist_ok=True)
    path = _path(work, profile, archive, split, seed)
    if not path.exists():
        vectors, tokens = _encode(profile, archive, split, seed, say)
        with atomic_write(path) as draft, draft.open("wb") as file:
            np.savez(file, vectors=vectors, tokens=tokens)
    try:
        with np.load(path, allow_pickle=False) as kept:
            vectors, tokens = kept["vectors"], kept["tokens"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    dark, cells = profile.image_tower.encode(
        np.zeros((1, profile.image_size, profile.image_size, 3), np.uint8)
    )
    black = np.concatenate([dark, cells[0]])
    near = nearest_neighbours(dequantize(vectors[:, 0, 0]), min(24, len(records) - 1))
    return FeatureBank(vectors, tokens, black, [record.captions for record in records], near)
