"""One step of PIR-GRPO, on policies that are a few numbers: what it moves, and what it tells."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - the imports below need the train extra
from torch import Tensor
from torch.nn import Parameter

from tempo_edge.train.grounder.grpo.objective import AnswerLogProbs
from tempo_edge.train.grounder.grpo.pir_grpo import Chunk, GrpoSettings, PirGrpo


@dataclasses.dataclass(frozen=True)
class _Answers:
    """Answers of one word, each a choice."""

    token_mask: Tensor


class _Free:
    """A policy whose log-probabilities are its parameters; the reference is -1 throughout.

    It refuses with a chance of a half, whatever it is taught.
    """

    device = torch.device("cpu")

    def __init__(self, *said: float) -> None:
        self.said = torch.nn.Parameter(torch.tensor(said))

    def log_probs(self, batch: _Answers) -> AnswerLogProbs:
        return self._with(self.said[:, None].clone())

    def ref_log_probs(self, batch: _Answers) -> AnswerLogProbs:
        return self._with(torch.full((len(self.said), 1), -1.0))

    def _with(self, tokens: Tensor) -> AnswerLogProbs:
        half = torch.full((len(self.said) // 2,), math.log(0.5))
        return AnswerLogProbs(half, half, tokens)

    def parameters(self) -> list[Parameter]:
        return [self.said]

    def presence_parameters(self) -> list[Parameter]:
        return []


class _Judging(_Free):
    """One that learns how likely it refuses, too."""

    def __init__(self, *said: float) -> None:
        super().__init__(*said)
        self.odds = torch.nn.Parameter(torch.zeros(1))

    def _with(self, tokens: Tensor) -> AnswerLogProbs:
        prompts = len(self.said) // 2
        none, rest = (torch.nn.functional.logsigmoid(each * self.odds) for each in (1.0, -1.0))
        return AnswerLogProbs(none.expand(prompts), rest.expand(prompts), tokens)

    def parameters(self) -> list[Parameter]:
        return [self.said, self.odds]

    def presence_parameters(self) -> list[Parameter]:
        return [self.odds]


def _chunk(*rewards: float, present: bool = True) -> Chunk[Any]:
    batch = _Answers(torch.ones(len(rewards), 1, dtype=torch.bool))
    earned = torch.tensor(rewards).reshape(1, -1)
    return Chunk(batch, earned, torch.tensor([0.1]), np.array([present]))


def _run(policy: _Free, **settings: Any) -> PirGrpo[Any]:
    nothing: Any = None  # there is nothing to draw from
    return PirGrpo(
        cast(Any, policy), nothing, GrpoSettings(bfloat16=False, **{"warmup": 0, **settings})
    )


def test_passes_over_the_same_answers_end_at_the_clip() -> None:
    """What an answer was drawn with stays what it is held against, in every pass."""
    policy = _Free(0.0, 0.0)
    _run(policy, passes=2, learning_rate=0.5, kl=0.0).update([_chunk(1.0, 0.0)])
    # After the first step both are beyond the clip, so that the second pass asks for nothing.
    assert policy.said.grad is not None and policy.said.grad.tolist() == [0.0, 0.0]
    assert policy.said[0] > 0.4 and policy.said[1] < -0.4


def test_without_gains_the_policy_goes_back_to_the_reference() -> None:
    policy = _Free(0.0, -2.0)
    told = _run(policy, learning_rate=0.25, kl=0.02).update([_chunk(0.5, 0.5)])
    assert policy.said.tolist() == pytest.approx([-0.25, -1.75], abs=1e-3)
    # Of what is answered, which is half of it.
    assert told["kl"] == pytest.approx((math.exp(-1) + math.exp(1) - 2) / 4, abs=1e-6)


def test_the_rate_rises_and_falls() -> None:
    """The length of Adam's first step is its rate."""
    moved = []
    for step in (0, 4, 9):
        policy = _Free(-1.0, -1.0)
        run = _run(policy, steps=10, warmup=5, learning_rate=0.1, kl=0.0)
        run.step = step
        run.update([_chunk(1.0, 0.0)])
        moved.append(float(policy.said.detach()[0]) + 1.0)
    assert moved[:2] == pytest.approx([0.02, 0.1], abs=1e-6)
    assert 0.0 < moved[2] < 0.02


def test_a_step_tells_what_it_expects_to_earn_and_what_it_refuses() -> None:
    run = _run(_Free(0.0, 0.0), learning_rate=0.0)
    told = run.update([_chunk(0.9, 0.5), _chunk(0.1, 0.1, present=False)])
    assert told["reward"] == pytest.approx((0.5 * 0.1 + 0.5 * 0.7 + 0.1) / 2)
    assert told["refused_present"] == told["refused_absent"] == pytest.approx(0.5)
    assert told["iou_present"] == told["refusal_reward"] == pytest.approx(0.6)


@pytest.mark.parametrize(("present", "less_sure"), [(True, True), (False, False)])
def test_what_judges_refusals_learns_at_its_own_rate(present: bool, less_sure: bool) -> None:
    policy = _Judging(-1.0, -1.0)
    none = 0.1 if present else 1.1
    chunk = _chunk(*((1.0, 0.5) if present else (0.1, 0.1)), present=present)
    run = _run(policy, learning_rate=0.001, presence_rate=0.25, kl=0.0)
    run.update([replace(chunk, none_rewards=torch.tensor([none]))])
    moved = policy.odds.item()
    # Adam's first step is of the rate's length.
    assert abs(moved) == pytest.approx(0.25, rel=1e-3) and (moved < 0) is less_sure
    if present:
        assert (policy.said - -1.0).abs().max().item() == pytest.approx(0.001, rel=1e-3)
