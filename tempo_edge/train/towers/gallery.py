"""Pictures of an archive as a profile sees them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.train.data.archives import Archive, Record
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.retrieval import Floats

__all__ = ["Gallery"]


@dataclass(frozen=True)
class Gallery:
    """The pictures of one split of an archive.

    Attributes:
        records: one for each picture; ``labels``: the names that the whole archive knows, sorted.
        vectors: unit vectors float32 ``[n, d]``.
        milliseconds: the median time of one picture.
    """

    records: list[Record]
    labels: list[str]
    vectors: Floats
    milliseconds: float

    @staticmethod
    def of(profile: ProfileSessions, data: Path, name: str, split: str) -> Gallery:
        """A split of the archive `name` of the folder `data`, seen by a profile.

        Raises:
            DataError: the archive or the split is missing, or a picture is not readable.
        """
        with Archive(data, name) as archive:
            records = archive.split(split)
            labels = sorted({record.label for record in archive.records if record.label})
            vectors, milliseconds = profile.pictures(archive, records)
        return Gallery(records, labels, vectors, milliseconds)

    @property
    def captions(self) -> list[str]:
        """All captions, picture by picture."""
        return [caption for record in self.records for caption in record.captions]

    @property
    def owners(self) -> NDArray[np.int64]:
        """The row of the picture of each caption, int64 ``[t]``."""
        return np.repeat(np.arange(len(self.records)), [len(r.captions) for r in self.records])
