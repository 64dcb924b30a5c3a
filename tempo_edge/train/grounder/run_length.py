"""The length of a training: that of its settings, or less where there is little to learn from."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TypeVar

from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings
from tempo_edge.train.grounder.sft import DRAWN_AHEAD, SftSettings

__all__ = ["PASSES", "for_sentences", "shortened"]

_Settings = TypeVar("_Settings", SftSettings, GrpoSettings)

#: How often a sentence is asked for where it is there: three times over 192 sentences cost
#: nothing on held-out videos, 27 times two points of R1@0.7 (docs/training.md).
PASSES = 4


def shortened(settings: _Settings, steps: int) -> _Settings:
    """The same training in another number of steps.

    It is looked at as often as the whole one, and warms up for the same share.
    """
    share = steps / settings.steps
    rounds = max(1, round(share * settings.every / DRAWN_AHEAD))
    warmup = max(1, round(share * settings.warmup))
    return replace(settings, steps=steps, every=DRAWN_AHEAD * rounds, warmup=warmup)


def for_sentences(settings: _Settings, sentences: int) -> _Settings:
    """The same training with `PASSES` over so many sentences, if that is fewer steps."""
    size = settings.batch if isinstance(settings, SftSettings) else settings.prompts
    present = size * (1.0 - settings.mix.absent)
    steps = math.ceil(PASSES * sentences / present) if present else settings.steps
    return settings if steps >= settings.steps else shortened(settings, max(1, steps))
