"""What training would call the probability of a pair, for profiles that never say it.

A model that was trained with a sigmoid over pairs knows a scale and a bias that make a probability
of a cosine; whoever was trained otherwise gets the two from pictures of Flickr8k's ``train/`` with
their captions, every other caption being a pair that is none.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks._sources import open_archive, tidy
from tempo_edge._files import atomic_write
from tempo_edge.models.registry import read_profile
from tempo_edge.search.calibrate import fit_logistic

__all__ = ["pair_odds", "training_pairs"]

_PAIRS = 2000

Array = NDArray[np.float32]


def training_pairs(folder: Path, work: Path, data: Path) -> tuple[Array, Array]:
    """Pictures ``[n, d]`` and a caption of each ``[n, d]``, kept in the work folder."""
    profile = read_profile(folder)
    name = hashlib.sha256(f"{profile.fingerprint} {_PAIRS} pairs".encode()).hexdigest()[:16]
    kept = work / f"{name}.npz"
    if not kept.exists():
        archive = open_archive(data, "flickr8k")
        rows = [row for row in archive.index if row[0].startswith("train/")]
        rows = rows[:: len(rows) // _PAIRS][:_PAIRS]
        seen = [
            profile.image_tower.encode(_drawn([archive.read(file) for file, _ in rows[i : i + 64]]))
            for i in range(0, len(rows), 64)
        ]
        captions = [tidy(said[number % len(said)]) for number, (_, said) in enumerate(rows)]
        with atomic_write(kept) as draft, draft.open("wb") as out:
            read = profile.text_tower.encode(captions)
            np.savez(out, pictures=np.concatenate([each[0] for each in seen]), captions=read)
    with np.load(kept) as stored:
        return stored["pictures"], stored["captions"]


def _drawn(files: list[bytes]) -> NDArray[np.uint8]:
    images = [Image.open(io.BytesIO(file)).convert("RGB") for file in files]
    return np.stack([np.asarray(i.resize((224, 224), Image.Resampling.BILINEAR)) for i in images])


def pair_odds(pictures: Array, captions: Array) -> tuple[float, float]:
    """The scale and the bias of the log-odds of a pair, by the cosine; pairs are ``[n, d]``."""
    cosines = (pictures @ captions.T).astype(np.float64)
    pairs = np.eye(len(cosines), dtype=np.bool_)
    weights, bias = fit_logistic(cosines.reshape(-1, 1), pairs.ravel())
    # Classes were weighed alike; in training a pair is one of all captions of a batch.
    return float(weights[0]), bias - float(np.log(len(cosines) - 1))
