"""What PIR-GRPO climbs: the expected reward of a policy, its refusal term exactly.

A policy ``pi`` that is asked something refuses with chance ``q``, and else says a span answer ``s``
drawn from ``pi+(s) = pi(s) / (1 - q)``: the policy with ``none`` masked. The reward that it may
expect is

    J = q r_none + (1 - q) V,    V = the mean of r(s) over s drawn from pi+,

and by the rule for products

    dJ = dq (r_none - V) + (1 - q) dV.

Nothing in the first term is drawn but V: ``q`` is the chance of *one* answer that is known without
saying it, and so is what it earns. GRPO draws refusals like all other answers (Shao et al., 2024,
arXiv 2402.03300), and so learns of ``none`` only from groups that hold it and others. Here every
prompt tells of it, and what little noise is left is that of V, which the mean reward of the group
estimates without bias. (The refusal term is our own.)

The second term is that of GRPO over the ``G`` answers drawn from ``pi+``,

    dV = the mean over answers of  A_i d log pi+(s_i),    A_i = r_i - mean of the others' r
                                                            = G / (G - 1) (r_i - mean r).

It is centred and not divided by the group's standard deviation, and the log-probabilities of an
answer's tokens are summed, over the constant number of answers, and not divided by its length: both
divisions would pay some prompts and some answers more than others (Dr. GRPO, Liu et al., 2025,
arXiv 2503.20783). Both terms are then of one scale, that of J, as they must be to be added. The
weight ``1 - q`` of the second is a number and passes no gradient on: its own slope is in the first
term already, and would come once more, times whatever the surrogate of these answers happens to be.

The distance to the reference splits likewise (the chain rule of KL),

    KL = q log(q / q_ref) + (1 - q) log((1 - q) / (1 - q_ref)) + (1 - q) KL(pi+ || pi+_ref),

the first two exactly, the last by the estimate of Schulman (2020) that GRPO has, token by token;
here ``1 - q`` does pass its gradient on, since the slope of it is nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["AnswerLogProbs", "Objective", "advantages", "objective"]


@dataclass(frozen=True)
class AnswerLogProbs:
    """The log-probabilities of ``p`` prompts' refusals, and of ``g`` span answers to each.

    Attributes:
        none: that a prompt is refused, ``log q``, float32 ``[p]``.
        spans: that it is not, ``log(1 - q)``, float32 ``[p]``.
        tokens: each token of each answer, given that it is no refusal, float32 ``[p * g, a]``.
    """

    none: Tensor
    spans: Tensor
    tokens: Tensor

    def detach(self) -> AnswerLogProbs:
        """The log-probabilities without their gradients."""
        return AnswerLogProbs(self.none.detach(), self.spans.detach(), self.tokens.detach())


@dataclass(frozen=True)
class Objective:
    """What a step climbs, prompt by prompt.

    Attributes:
        gain: goes up as the expected reward does, float32 ``[p]``; only its gradient means
            something.
        kl: the distance to the reference in nats an answer, float32 ``[p]``.
    """

    gain: Tensor
    kl: Tensor


def advantages(rewards: Tensor) -> Tensor:
    """The advantage of each answer over the mean of its group's others, ``[p, g]``.

    ``rewards`` are ``[p, g]``, of ``p`` prompts' groups of ``g`` answers. In a group whose answers
    all earn the same, advantages are 0.

    >>> advantages(torch.tensor([[1.0, 0.0, 0.5]])).tolist()
    [[0.75, -0.75, 0.0]]
    """
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise ValueError(f"rewards of shape {tuple(rewards.shape)} must be [prompts, answers >= 2]")
    size = rewards.shape[1]
    return (rewards - rewards.mean(dim=1, keepdim=True)) * (size / (size - 1))


def objective(
    new: AnswerLogProbs,
    old_tokens: Tensor,
    ref: AnswerLogProbs,
    token_mask: Tensor,
    rewards: Tensor,
    none_rewards: Tensor,
    clip: float,
) -> Objective:
    """The objective above, of ``p`` prompts with ``g`` answers each.

    ``new`` is of the policy that learns, ``old_tokens`` float32 ``[p * g, a]`` of the one that drew
    the answers, ``ref`` of the reference. ``token_mask`` ``[p * g, a]`` is 1 where a token was
    chosen, ``rewards`` are ``[p, g]``, and ``none_rewards`` ``[p]`` is what a refusal earns.

    Where answers serve for several steps, the ratio of new to old chances is clipped as PPO's is
    (Schulman et al., 2017). The refusal term needs no ratio: it is drawn from nothing.
    """
    prompts, group = rewards.shape
    refused, answered = new.none.exp(), new.spans.exp()
    gains = advantages(rewards).reshape(-1, 1)
    ratio = torch.exp(new.tokens - old_tokens)
    surrogate = torch.minimum(ratio * gains, ratio.clamp(1.0 - clip, 1.0 + clip) * gains)
    spans = (surrogate * token_mask).sum(dim=1).reshape(prompts, group).mean(dim=1)
    gain = refused * (none_rewards - rewards.mean(dim=1)) + answered.detach() * spans

    apart = ref.tokens - new.tokens
    distance = ((torch.exp(apart) - apart - 1.0) * token_mask).sum(dim=1)
    distance = distance.reshape(prompts, group).mean(dim=1)
    kl = refused * (new.none - ref.none) + answered * (new.spans - ref.spans + distance)
    return Objective(gain, kl)
