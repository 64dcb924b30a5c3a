"""Likeness: how a span resembles an example, beside unrelated footage.

Two pictures are nearer to each other than a picture is to any sentence, and what every picture has
in common makes up most of that. So both are taken less the mean of all footage, and what is left is
held against unrelated footage twice: how near that comes to the example by chance, and how near it
comes to the span. What comes out means the same for every profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.models.description import Description
from tempo_edge.models.registry import EXAMPLE_CALIBRATION
from tempo_edge.quantization import unit
from tempo_edge.search.calibrate import FEATURES, Calibration, NullDistribution, log_odds
from tempo_edge.search.contrast import EVIDENCE, MOST_FRAMES, tail_of

__all__ = [
    "BOTH_FEATURES",
    "EXAMPLE_FEATURES",
    "ExampleJudge",
    "Likeness",
    "WordsToo",
    "combined",
]

#: The facts of a span by an example: the cosine of both, how far that is above the best part of
#: what unrelated footage has with the example, the same with the span, how few of it come nearer to
#: the span, and the logarithm of the number of frames.
_EVIDENCE = ("nearness", "above_footage", "span_above_footage", "footage_rank", "frames_seen")

_OF_CURVE = FEATURES[len(EVIDENCE) :]

EXAMPLE_FEATURES = (*_EVIDENCE, *_OF_CURVE)

#: The facts of a span by words and an example: the log-odds of it by each of them alone.
BOTH_FEATURES = ("words", "example", *_OF_CURVE)

# Unrelated footage that shows what the example shows is no contrast to it: this share is left out.
_ALIKE = 0.01


@dataclass(frozen=True)
class Likeness:
    """What one example is held against.

    Attributes:
        vector: the example's unit vector less the mean of footage, made a unit again, ``[d]``.
        centre: that mean, ``[d]``; ``footage``: unrelated footage less it, unit vectors ``[m, d]``.
        tail: mean and standard deviation of the best part of what footage has with the example.
        frames: how many the library holds where the example is asked for.
    """

    vector: NDArray[np.float32]
    centre: NDArray[np.float32]
    footage: NDArray[np.float32]
    tail: tuple[float, float]
    frames: int

    @staticmethod
    def of(vector: NDArray[np.float32], footage: NDArray[np.float32], frames: int) -> Likeness:
        """The likeness to a unit vector ``[d]`` over unrelated frames ``[m, d]``."""
        centre = footage.mean(0)
        apart, crowd = unit(vector - centre), unit(footage - centre)
        return Likeness(apart, centre, crowd, _tail(crowd, apart), frames)

    def facts(self, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """The facts of a span of this vector ``[d]``."""
        span = unit(vector - self.centre)
        near = float(self.vector @ span)
        mean, std = _tail(self.footage, span)
        nearer = int((self.footage @ span > near).sum())
        return np.asarray(
            [
                near,
                (near - self.tail[0]) / self.tail[1],
                (near - mean) / std,
                -np.log((nearer + 0.5) / (len(self.footage) + 1)),
                np.log(min(max(self.frames, 1), MOST_FRAMES)),
            ]
        )


def _tail(footage: NDArray[np.float32], vector: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation of the highest cosines ``[m]``, less those that show the same."""
    # einsum stays on this thread: waking a pool of them costs more than the sum itself.
    cosines = np.einsum("ij,j->i", footage, vector)
    count = len(cosines) - round(_ALIKE * len(cosines))
    others = np.partition(cosines, count - 1)[:count] if count else cosines
    return tail_of(others, float(others.mean()), float(others.std()) + 1e-6)


@dataclass(frozen=True)
class WordsToo:
    """Words and an example at once: a span must answer both.

    Attributes:
        words: how the words score by chance, with ``judge``: how spans are judged by them.
        vector: the words' unit vector ``[d]``.
        example: how the example does, with ``like``.
    """

    words: NullDistribution
    judge: Calibration
    vector: NDArray[np.float32]
    example: NullDistribution
    like: Calibration

    def facts(self, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """The facts of a span of this vector ``[d]``: its log-odds by each alone."""
        peak = float(self.vector @ vector)
        floor = self.words.background_mean
        by_words = self.words.features(peak, peak, floor, vector)
        near = self.example.features(0.0, 0.0, 0.0, vector)
        return np.asarray(
            [log_odds(self.judge.confidence(by_words)), log_odds(self.like.confidence(near))]
        )


def combined(
    words: NDArray[np.float32], example: NDArray[np.float32], footage: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The unit vector ``[d]`` that frames are near to by the sum of two z-scores.

    A frame's similarity to words and that to an example vary by chance, the one less than the
    other; each counts in its own standard deviations over unrelated footage ``[m, d]``.
    """
    spreads = [float((footage @ each).std()) + 1e-6 for each in (words, example)]
    return np.asarray(unit(words / spreads[0] + example / spreads[1]), dtype=np.float32)


@dataclass(frozen=True)
class ExampleJudge:
    """How likely a span shows what an example shows: ``alone``, and with ``words`` beside it."""

    alone: Calibration
    words: Calibration

    @staticmethod
    @cache
    def shipped(path: Path = EXAMPLE_CALIBRATION) -> ExampleJudge:
        """The judge that the program brings, fitted by ``tempo_edge.evaluation.example_fitting``.

        Raises:
            ProfileError: its file can't be read.
        """
        about = Description.read(path)
        return ExampleJudge(
            Calibration.of(about.part("alone"), EXAMPLE_FEATURES),
            Calibration.of(about.part("with_words"), BOTH_FEATURES),
        )

    @staticmethod
    def weighing(
        alone: Sequence[float], words: Sequence[float], bias: tuple[float, float] = (0.0, 0.0)
    ) -> ExampleJudge:
        """One with these weights of the first facts of each, and no threshold."""
        judges = []
        for given, names, shift in zip(
            (alone, words), (EXAMPLE_FEATURES, BOTH_FEATURES), bias, strict=True
        ):
            weights = np.zeros(len(names))
            weights[: len(given)] = given
            judges.append(Calibration(weights, shift, 0.0))
        return ExampleJudge(*judges)
