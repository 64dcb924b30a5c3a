"""How many animals are there? Each picture is asked for its own animals in one, two and several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from tempo_edge.train.data.archives import Record
from tempo_edge.train.towers.retrieval import Floats, percent

__all__ = ["CountShares", "Counting"]

_NUMBERS = 3  # one, two, several


class CountShares(TypedDict):
    """Shares in percent, and the number of pictures.

    Attributes:
        right: pictures whose own wording wins.
        balanced: the mean of that over the three numbers.
        majority: what the most frequent number alone would get.
    """

    right: float
    balanced: float
    majority: float
    pictures: int


class Counting:
    """Pictures of animals of one species, and the wordings of their species.

    ``labels`` are the wordings of all species ("a dog", "two dogs", "several dogs", ...).
    """

    def __init__(self, records: Sequence[Record], measured: Sequence[Record]) -> None:
        """Take the wordings from `records`, all of an archive, and the pictures from `measured`.

        Pictures of several species are left out.
        """
        wordings = {_number(record): record.label for record in records if len(record.counts) == 1}
        self.labels = sorted(set(wordings.values()))
        self._rows = np.array([i for i, r in enumerate(measured) if len(r.counts) == 1], np.int64)
        asked = [_number(measured[row]) for row in self._rows]
        self._right = np.array([number for _, number in asked], np.int64)
        place = {label: row for row, label in enumerate(self.labels)}
        # A wording that the archive lacks is the choice -1, which never wins.
        self._choices = np.array(
            [
                [place.get(wordings.get((species, number), ""), -1) for number in range(_NUMBERS)]
                for species, _ in asked
            ],
            np.int64,
        )

    def shares(self, pictures: Floats, names: Floats) -> CountShares:
        """The figures of pictures ``[n, d]`` as `measured`, and of wordings ``[k, d]``."""
        scores = pictures[self._rows] @ names.T
        own = np.take_along_axis(scores, np.maximum(self._choices, 0), axis=1)
        hits = np.where(self._choices < 0, -np.inf, own).argmax(axis=1) == self._right
        numbers, times = np.unique(self._right, return_counts=True)
        return CountShares(
            right=percent(hits.mean()),
            balanced=percent(np.mean([hits[self._right == each].mean() for each in numbers])),
            majority=percent(times.max() / len(hits)),
            pictures=len(hits),
        )


def _number(record: Record) -> tuple[str, int]:
    """The one species of a picture, and 0 for one of it, 1 for two, 2 for more."""
    ((species, count),) = record.counts.items()
    return species, min(count, _NUMBERS) - 1
