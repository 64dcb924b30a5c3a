"""PIR-GRPO: the grounder learns from its own answers to relevant and irrelevant prompts.

For each prompt a group of span answers is drawn and rewarded
(:mod:`tempo_edge.train.grounder.grpo.rewards`); answers that earned more than their group's mean
become likelier, and so does the refusal where it would have earned more
(:mod:`tempo_edge.train.grounder.grpo.objective`). A share of the prompts asks for what is not
there, most of it nearly so (*partially irrelevant*). The idea is Tempo-R0's (arXiv 2507.04702) on
GRPO (Shao et al., 2024); the formulas are our own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tempo_edge.train.grounder.annotated_windows import AnnotatedVideos
from tempo_edge.train.grounder.examples import Example, ExampleSource
from tempo_edge.train.grounder.grpo.objective import AnswerLogProbs, objective
from tempo_edge.train.grounder.grpo.operating_point import OperatingPoint
from tempo_edge.train.grounder.grpo.policy import P, Policy
from tempo_edge.train.grounder.grpo.quotas import draw_by_kind, quotas, shares_of
from tempo_edge.train.grounder.grpo.rewards import RewardWeights, reward
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.precision import autocast
from tempo_edge.train.progress_log import Say
from tempo_edge.train.schedule import rate_share


@dataclass(frozen=True)
class GrpoSettings:
    """The settings of a run: all that it depends on besides pictures, profile and first policy.

    A step is of ``prompts`` with ``group`` answers each, read ``chunk`` prompts at once: less takes
    less memory and more time, and changes nothing else.

    What judges refusals and nothing else learns at ``presence_rate``: it is a few hundred weights,
    whose slope is known exactly of every prompt.

    At a ``temperature`` other than 1 answers are drawn from another policy than the one that
    learns, and a step is no longer the slope of the expected reward.
    """

    seed: int = 0
    steps: int = 200
    prompts: int = 48
    group: int = 6
    chunk: int = 8
    passes: int = 1
    learning_rate: float = 2e-5
    presence_rate: float = 1e-3
    warmup: int = 10
    temperature: float = 1.0
    clip: float = 0.2
    kl: float = 0.05
    every: int = 25
    bfloat16: bool = True
    archives: tuple[str, ...] = ("flickr8k", "coco_thumbs")
    rewards: RewardWeights = field(default_factory=RewardWeights)
    mix: Mix = field(default_factory=lambda: Mix(absent=0.5, hard=0.9))
    videos: AnnotatedVideos = field(default_factory=AnnotatedVideos)

    def __post_init__(self) -> None:
        for name in ("seed", "warmup"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} must not be negative")
        for name in ("steps", "prompts", "chunk", "passes", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if self.group < 2:
            raise ValueError(f"group {self.group} must be at least 2 answers")
        if not 0.0 < self.clip < 1.0:
            raise ValueError(f"clip {self.clip} must be within (0, 1)")


@dataclass(frozen=True)
class Chunk(Generic[P]):
    """Prompts that are read at once, with ``g`` span answers to each of ``p``.

    Attributes:
        batch: the answers, as the policy collates them.
        rewards: what each earned, float32 ``[p, g]``.
        none_rewards: what a refusal earns, float32 ``[p]``.
        present: True where what is asked for is there, bool ``[p]``.
    """

    batch: P
    rewards: Tensor
    none_rewards: Tensor
    present: NDArray[np.bool_]


class PirGrpo(Generic[P]):
    """The state of a run: a policy, its optimizer, and the source of its examples."""

    def __init__(
        self,
        policy: Policy[P],
        source: ExampleSource,
        settings: GrpoSettings,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        """`shares` are those of the kinds of prompts; by default those of the settings' mix."""
        self.settings = settings
        self.policy = policy
        self.step = 0
        self.curves: list[dict[str, float]] = []
        self._source = source
        self._shares = shares_of(settings.mix) if shares is None else shares
        self._point = OperatingPoint(settings.rewards.answer_above)
        self._rng = np.random.default_rng(settings.seed)
        self._generator = torch.Generator().manual_seed(settings.seed)
        judging = policy.presence_parameters()
        others = [each for each in policy.parameters() if all(each is not one for one in judging)]
        self._optimizer = torch.optim.AdamW(
            [{"params": params} for params in (others, judging) if params], weight_decay=0.0
        )

    def _autocast(self) -> torch.autocast:
        return autocast(self.policy.device.type, self.settings.bfloat16)

    def rollout(self) -> list[Chunk[P]]:
        """The prompts of a step, in the quotas of the mix, and their answers.

        Raises:
            DataError: the source does not come up with a kind of prompt.
        """
        settings = self.settings
        wanted = quotas(self._shares, settings.prompts, self._rng)
        examples = draw_by_kind(self._source, wanted, self._rng)
        examples.sort(key=lambda example: len(example.looks))  # less of a chunk is padding
        return [
            self._chunk(examples[start : start + settings.chunk])
            for start in range(0, len(examples), settings.chunk)
        ]

    def _chunk(self, examples: list[Example]) -> Chunk[P]:
        """Examples with a group of sampled answers each, and what these earned."""
        settings, policy, size = self.settings, self.policy, self.settings.group
        with self._autocast():
            answers = policy.rollout(examples, size, settings.temperature, self._generator)
        weights, refusal = settings.rewards, self._point.refusal_reward
        rewards = []
        for place, answer in enumerate(answers):
            example = examples[place // size]
            rewards.append(reward(policy.spans(example, answer), example.spans, weights, refusal))
        none = [reward([], example.spans, weights, refusal) for example in examples]
        return Chunk(
            policy.collate(examples, answers),
            torch.tensor(rewards).reshape(len(examples), size),
            torch.tensor(none),
            np.array([bool(example.spans) for example in examples]),
        )

    def update(self, chunks: list[Chunk[P]]) -> dict[str, float]:
        """Take `passes` steps on the rollouts; returns the means that the curves show."""
        settings, policy = self.settings, self.policy
        share = rate_share(self.step, settings.warmup, settings.steps)
        rates = settings.learning_rate, settings.presence_rate
        for group, rate in zip(self._optimizer.param_groups, rates, strict=False):
            group["lr"] = rate * share
        drawn = [self._drawn(chunk) for chunk in chunks]
        prompts = sum(len(chunk.present) for chunk in chunks)
        firsts, distances = list[AnswerLogProbs](), list[float]()
        for number in range(settings.passes):
            self._optimizer.zero_grad()
            for place, (chunk, (ref, mask)) in enumerate(zip(chunks, drawn, strict=True)):
                with self._autocast():
                    new = policy.log_probs(chunk.batch)
                if not number:
                    firsts.append(new.detach())
                rewards, none = (
                    part.to(mask.device) for part in (chunk.rewards, chunk.none_rewards)
                )
                found = objective(
                    new, firsts[place].tokens, ref, mask, rewards, none, settings.clip
                )
                # A mean over all prompts of the step, of which these are some.
                torch.autograd.backward((settings.kl * found.kl - found.gain).sum() / prompts)
                distances.append(float(found.kl.detach().sum()))
            nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
            self._optimizer.step()
        masks = [mask for _, mask in drawn]
        return {"kl": sum(distances) / prompts / settings.passes} | self._means(
            chunks, firsts, masks
        )

    def _drawn(self, chunk: Chunk[P]) -> tuple[AnswerLogProbs, Tensor]:
        """The reference's log-probabilities of a chunk, and 1 where a token was chosen."""
        with torch.no_grad(), self._autocast():
            ref = self.policy.ref_log_probs(chunk.batch)
        return ref, chunk.batch.token_mask.to(ref.tokens.device).float()

    def _means(
        self, chunks: list[Chunk[P]], drawn_with: list[AnswerLogProbs], masks: list[Tensor]
    ) -> dict[str, float]:
        """What a step's rollouts show; the operating point takes in what they earned."""
        weights = self.settings.rewards
        present = np.concatenate([chunk.present for chunk in chunks])
        none = torch.cat([chunk.none_rewards for chunk in chunks]).double().numpy()
        earned = torch.cat([chunk.rewards.mean(dim=1) for chunk in chunks]).double().numpy()
        refused = torch.cat([each.none for each in drawn_with]).exp().double().cpu().numpy()
        self._point.see((earned - weights.form)[present], 1.0 - refused[present])
        chosen = sum(float(mask.sum()) for mask in masks)
        told = sum(
            float((each.tokens * mask).sum()) for each, mask in zip(drawn_with, masks, strict=True)
        )
        means = {
            "reward": refused * none + (1.0 - refused) * earned,
            "refused_present": refused[present],
            "refused_absent": refused[~present],
            "iou_present": (earned - weights.form)[present],
        }
        return {
            **{name: float(row.mean()) if len(row) else math.nan for name, row in means.items()},
            "entropy": -told / max(1.0, chosen),
            "refusal_reward": self._point.refusal_reward,
        }

    def train(self, say: Say) -> dict[str, float]:
        """Go on for `every` steps or to the end; returns the means."""
        upto = min(self.settings.steps, self.step + self.settings.every)
        rows: list[dict[str, float]] = []
        started = time.monotonic()
        while self.step < upto:
            rows.append(self.update(self.rollout()))
            self.step += 1
        means = _means_of(rows)
        took = (time.monotonic() - started) / len(rows)
        told = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        say(f"pir-grpo step {self.step}/{self.settings.steps}: {told}, {took:.1f} s a step")
        return means

    def state(self) -> dict[str, Any]:
        """Everything that a later `restore` needs, as tensors and plain values."""
        return {
            **self.policy.state(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
            "rng": self._rng.bit_generator.state,
            "earned": self._point.earned,
            "step": self.step,
            "curves": self.curves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, as if nothing had come between."""
        self.policy.restore(state)
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
        self._rng.bit_generator.state = state["rng"]
        self._point.earned = state["earned"]
        self.step, self.curves = state["step"], state["curves"]


def _means_of(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over the steps that have it; not of one that none has."""
    means = {}
    for name in rows[0]:
        known = [row[name] for row in rows if not math.isnan(row[name])]
        if known:
            means[name] = float(np.mean(known))
    return means
