"""How sure a policy shall be before it answers, and what a rightful refusal earns for that.

A prompt is there with chance ``c``, as far as a policy can tell. To answer it earns ``u`` if it is
there, the IoU of what is answered, and nothing if it isn't; to refuse it earns nothing if it is
there, and ``R`` if it isn't. (What both earn for their form is the same and drops out.) So to
answer pays where

    c u > (1 - c) R,    that is,    c > R / (R + u).

With ``R`` = 1, as it was for long, and a ``u`` of 0.78 that is "answer only above 0.56", and the
better the spans become, the lower it falls. To be told instead *where* the point lies, ``c* = a``,

    R = a / (1 - a) u,

where ``u`` is the mean IoU of the present prompts that are answered: the chance that each is
answered weighs it, for what is refused anyhow has no part in the choice. It is known only from what
policies answer, so it is a running mean over the steps. At ``a`` = 1/2 a rightful refusal earns
what a rightful answer does.

``c`` is the chance among the prompts of the training. Where fewer or more of what is asked is
there, the point moves with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["OperatingPoint"]

_KEPT = 0.9  # of the running mean at each step: its memory is some ten steps
_UNKNOWN = 1.0  # before any present prompt was answered: that of the truth
# Spans that hit nothing at all would make refusals worthless, and be what is left to say.
_LEAST = 0.1


class OperatingPoint:
    """The reward of a rightful refusal, from what present prompts' answers have earned so far."""

    def __init__(self, answer_above: float) -> None:
        """`answer_above` is the chance of being there above which an answer shall pay."""
        if not 0.0 < answer_above < 1.0:
            raise ValueError(f"answer_above {answer_above} must be within (0, 1)")
        self._odds = answer_above / (1.0 - answer_above)
        #: The running mean of what answers to present prompts earn; None before the first.
        self.earned: float | None = None

    def see(self, earned: NDArray[np.float64], answered: NDArray[np.float64]) -> None:
        """Take in the present prompts of a step.

        `earned` ``[n]`` is the mean reward of each one's answers, without that of their form, and
        `answered` ``[n]`` the chance that it is answered.
        """
        weight = float(answered.sum())
        if weight <= 0.0:
            return
        now = float((earned * answered).sum() / weight)
        self.earned = now if self.earned is None else _KEPT * self.earned + (1.0 - _KEPT) * now

    @property
    def refusal_reward(self) -> float:
        """What a rightful refusal earns."""
        earned = _UNKNOWN if self.earned is None else self.earned
        return self._odds * max(earned, _LEAST)
