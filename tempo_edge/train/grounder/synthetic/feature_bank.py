"""Captioned pictures as a library would hold their footage, encoded once into the work folder."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge._files import atomic_write
from tempo_edge.evaluation.balanced_swaps import BalancedSwaps
from tempo_edge.models import Profile
from tempo_edge.quantization import dequantize, quantize, unit
from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.data.neighbours import NEIGHBOURS, nearest_neighbours
from tempo_edge.train.data.short_queries import content_words
from tempo_edge.train.grounder.synthetic.camera import STOPS, TAKES, film
from tempo_edge.train.progress_log import Say

_BATCH = 16
_WORD = re.compile(r"[a-z]+")
_WORDS = 2048  # the most frequent ones that captions are compared by


@dataclass(frozen=True)
class FeatureBank:
    """``n`` pictures as a moving camera sees them.

    ``vectors`` int8 ``[n, takes, stops, d]`` and ``tokens`` int8 ``[n, takes, stops, 9, d]`` are
    quantized unit vectors; ``black`` float32 ``[10, d]`` are vector and tokens of a dark frame, and
    ``near`` int64 ``[n, m]`` are the pictures that look most alike, in no order. ``fitted`` are
    swaps that were fitted to other captions: those of a few pictures tell little.
    """

    vectors: NDArray[np.int8]
    tokens: NDArray[np.int8]
    black: NDArray[np.float32]
    captions: list[tuple[str, ...]]
    near: NDArray[np.int64]
    fitted: BalancedSwaps | None = None

    def __len__(self) -> int:
        return len(self.captions)

    @cached_property
    def swaps(self) -> BalancedSwaps:
        """The swaps of its captions: those that it was given, or fitted to its own captions."""
        if self.fitted is not None:
            return self.fitted
        return BalancedSwaps.fit(caption for said in self.captions for caption in said)

    @cached_property
    def words(self) -> list[frozenset[str]]:
        """The content words of all captions of each picture."""
        return [content_words(" ".join(said)) for said in self.captions]


def of_captions(
    captions: Sequence[tuple[str, ...]], fitted: BalancedSwaps | None = None
) -> FeatureBank:
    """A bank of vectors without components: nothing is known of a picture but its captions.

    Which pictures are alike is told by the words of their captions.
    """
    count = len(captions)
    return FeatureBank(
        np.zeros((count, TAKES, STOPS, 0), np.int8),
        np.zeros((count, TAKES, STOPS, 9, 0), np.int8),
        np.zeros((10, 0), np.float32),
        list(captions),
        nearest_neighbours(_described(captions), min(NEIGHBOURS, count - 1)),
        fitted,
    )


def _described(captions: Sequence[tuple[str, ...]]) -> NDArray[np.float32]:
    """Unit vectors float32 ``[n, words]`` of the words in each picture's captions."""
    said = [set(_WORD.findall(" ".join(each).lower())) for each in captions]
    counts = Counter(word for words in said for word in sorted(words))
    column = {word: place for place, (word, _) in enumerate(counts.most_common(_WORDS))}
    out = np.zeros((len(captions), len(column)), np.float32)
    for row, words in enumerate(said):
        for word in words & column.keys():
            out[row, column[word]] = np.log1p(len(captions) / counts[word])
    return unit(out)


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
        bank.fitted,
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
    near = nearest_neighbours(dequantize(vectors[:, 0, 0]), min(NEIGHBOURS, len(records) - 1))
    captions = [record.captions for record in records]
    return FeatureBank(vectors, tokens, black, captions, near, _swaps_of(archive, split))


def _swaps_of(archive: Archive, split: str) -> BalancedSwaps | None:
    """Swaps fitted to what an archive trains on, if that is another split."""
    training = [record for record in archive.records if record.split == "train" != split]
    return BalancedSwaps.fit(said for each in training for said in each.captions) or None
