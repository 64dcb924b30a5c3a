"""Contrast: how a span answers a query beside footage that is not the answer and other sentences.

A similarity alone says little: some frames are near to every sentence, some sentences near to every
frame, and every model has numbers of its own. So both are taken less what they have in common with
everything, and what is left is held against unrelated footage and against generic sentences that
nobody asked. What comes out means the same for every profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EVIDENCE",
    "FRAMES_WEIGHT",
    "MOST_FRAMES",
    "SHOWN_FROM",
    "Cohort",
    "Contrast",
    "Contrasting",
    "stand_in",
    "tail_of",
]

#: The facts that a contrast gives, in this order.
EVIDENCE = ("residual", "above_footage", "above_sentences", "sentence_rank", "frames_seen")

#: What the last of them, the logarithm of the number of frames, weighs in every calibration: the
#: best of many is higher by chance than the best of few. Fitted, it would weigh more, and what is
#: answered in a small library would be refused as other footage comes to it.
FRAMES_WEIGHT = -0.3

#: The confidence from which a moment is shown, whatever the profile. At 0.5 it would be as bad to
#: answer what is absent as to refuse what is present; mostly people ask for what is there.
SHOWN_FROM = 0.43

# Sentences that mean what the query means are no alternatives to it: this share is left out.
_ALIKE = 0.01

# Best generic sentences that a query is held against.
_RIVALS = 10

# The share of unrelated footage that is the tail of its scores, and the fewest frames that show it.
_TAIL, _SHOWS_TAIL = 0.05, 400

# Where there are fewer, this many of them are worth as much as what is known of any query.
_UNSURE = 50

# What the mean and standard deviation of that tail are for a normal distribution.
_NORMAL_TAIL = (2.063, 0.370)

# Frames of the library that weigh as much as half a background; it never weighs more.
_LIBRARY_HALF = 200

# Frames of unrelated footage that tell how far each generic sentence varies over it.
_TOLD_BY = 256

# Generic sentences that stand for frames where a profile brings none.
_STAND_IN = 512

#: More frames than this are no more different ones: they find no better look-alikes by chance.
MOST_FRAMES = 3000


class Contrasting(Protocol):
    """What a query is held against, whatever it is: it gives the facts of a span by its vector."""

    def facts(self, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """The facts of a span of this vector ``[d]``, as many for every span."""


@dataclass(frozen=True)
class Cohort:
    """What a profile makes of generic sentences and of unrelated footage.

    Attributes:
        sentences: vectors of generic sentences less their mean, float32 ``[m, d]``.
        centre: that mean ``[d]``; ``footage``: the mean vector of the footage ``[d]``.
        stds: standard deviation of each sentence's similarity over the footage, ``[m]``.
        spread: the root mean square of those.
    """

    sentences: NDArray[np.float32]
    centre: NDArray[np.float32]
    footage: NDArray[np.float32]
    stds: NDArray[np.float32]
    spread: float

    @staticmethod
    def of(sentences: NDArray[np.float32], footage: NDArray[np.float32]) -> Cohort:
        """The cohort of unit vectors of sentences ``[m, d]`` and of frames ``[k, d]``."""
        centre, middle = sentences.mean(0), footage.mean(0)
        told_by = footage[:: max(1, len(footage) // _TOLD_BY)] - middle
        apart = sentences - centre
        stds = (apart @ told_by.T).std(1) + 1e-6
        return Cohort(apart, centre, middle, stds, float(np.sqrt(np.square(stds).mean())))


@dataclass(frozen=True)
class Contrast:
    """What one query is held against.

    Attributes:
        query: its vector less the mean of generic sentences, ``[d]``.
        footage: the mean vector of unrelated footage, ``[d]``.
        mean: what the query scores over footage that is not the answer, the library's half at most.
        background: mean and standard deviation over unrelated footage; ``tail``: of its best part.
        sentences: generic sentences that mean something else, ``[m, d]``; ``stds``: see
            :class:`Cohort`.
        spread: the unit of all similarities here.
        frames: how many the library holds where the query is asked.
    """

    query: NDArray[np.float32]
    footage: NDArray[np.float32]
    mean: float
    background: tuple[float, float]
    tail: tuple[float, float]
    sentences: NDArray[np.float32]
    stds: NDArray[np.float32]
    spread: float
    frames: int

    @staticmethod
    def of(
        query: NDArray[np.float32],
        cohort: Cohort,
        background: NDArray[np.float32],
        sample: NDArray[np.float32],
        frames: int,
    ) -> Contrast:
        """The contrast of a unit vector ``[d]`` over unrelated frames and a library's own.

        Args:
            background: unrelated frames ``[k, d]``; ``sample``: the library's, ``[n, d]``.
        """
        apart = query - cohort.centre
        shift = float(apart @ cohort.footage)
        # einsum stays on this thread: waking a pool of them costs more than the sum itself.
        outside = np.einsum("ij,j->i", background, apart) - shift
        mean, std = _moments(outside, cohort.spread)
        middle = mean
        if len(sample):
            # The median, because a small library's sample holds the very frames looked for.
            own = float(np.median(np.einsum("ij,j->i", sample, apart))) - shift
            share = 0.5 * len(sample) / (len(sample) + _LIBRARY_HALF)
            middle += share * (own - mean)
        alike = np.einsum("ij,j->i", cohort.sentences, query)
        count = round(_ALIKE * len(alike))
        others = np.sort(np.argpartition(-alike, count)[count:]) if count else slice(None)
        return Contrast(
            apart,
            cohort.footage,
            middle,
            (mean, std),
            tail_of(outside, mean, std),
            cohort.sentences[others],
            cohort.stds[others],
            cohort.spread,
            frames,
        )

    def facts(self, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """The facts of a span of this vector ``[d]``, in the order of :data:`EVIDENCE`."""
        about = vector - self.footage
        score = float(self.query @ about)
        rivals = self.sentences @ about
        count = min(_RIVALS, len(rivals))
        best = np.partition(rivals, len(rivals) - count)[-count:]
        z_score = (score - self.background[0]) / self.background[1]
        better = int((rivals > z_score * self.stds).sum())
        return np.asarray(
            [
                (score - self.mean) / self.spread,
                (score - self.tail[0]) / self.tail[1],
                (score - float(best.mean())) / self.spread,
                -np.log((better + 0.5) / (len(rivals) + 1)),
                np.log(min(max(self.frames, 1), MOST_FRAMES)),
            ]
        )


def stand_in(frames: NDArray[np.float32], sentences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unrelated footage ``[k, d]`` of a profile that brings none, made of a library's own.

    Few frames say little of how high a query scores by chance, and the very ones that are looked
    for may be among them. Generic sentences are many, and they lie as far apart as frames do: some
    of them are moved to where the library's frames lie, which is elsewhere in most models.

    Args:
        frames: the library's, ``[n, d]``; ``sentences``: generic ones, ``[m, d]``.
    """
    if not len(frames):
        return frames
    some = sentences[:: max(1, len(sentences) // _STAND_IN)][:_STAND_IN]
    moved = some - sentences.mean(0) + frames.mean(0)
    return np.concatenate([frames, moved], dtype=np.float32)


def _moments(scores: NDArray[np.floating], spread: float) -> tuple[float, float]:
    """Mean and standard deviation of scores; where there are few, nearer to those of any query."""
    mean, variance = float(scores.mean()), float(scores.var())
    if len(scores) < _SHOWS_TAIL:
        sure = len(scores) / (len(scores) + _UNSURE)
        mean, variance = sure * mean, sure * variance + (1 - sure) * spread**2
    return mean, float(np.sqrt(variance)) + 1e-6


def tail_of(scores: NDArray[np.floating], mean: float, std: float) -> tuple[float, float]:
    """Mean and standard deviation of the highest scores; a normal tail's where there are few."""
    if len(scores) < _SHOWS_TAIL:
        return mean + _NORMAL_TAIL[0] * std, _NORMAL_TAIL[1] * std
    count = int(_TAIL * len(scores))
    best = np.partition(scores, len(scores) - count)[-count:]
    return float(best.mean()), float(best.std()) + 1e-6
