"""PIR-GRPO: the grounder learns from its own answers to relevant and irrelevant prompts.

For each prompt a group of answers is drawn and rewarded
(:mod:`tempo_edge.train.grounder.grpo.rewards`); answers that earned more than their group's mean
become likelier. A share of the prompts asks for what is not there, most of it nearly so (*partially
irrelevant*). The idea is Tempo-R0's (arXiv 2507.04702) on GRPO (Shao et al., 2024); the formulas
are our own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.annotated_windows import AnnotatedVideos
from tempo_edge.train.grounder.examples import Example, ExampleSource
from tempo_edge.train.grounder.grpo.policy import P, Policy
from tempo_edge.train.grounder.grpo.rewards import RewardWeights, advantages, reward
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.progress_log import Say


@dataclass(frozen=True)
class GrpoSettings:
    """The settings of a run: all that it depends on besides pictures, profile and first policy.

    ``tries`` bounds how many examples are drawn for each prompt of a step until its group's answers
    differ in what they earn.
    """

    seed: int = 0
    steps: int = 300
    prompts: int = 16
    group: int = 8
    tries: int = 4
    passes: int = 1
    learning_rate: float = 1e-4
    temperature: float = 1.0
    clip: float = 0.2
    kl: float = 0.02
    every: int = 25
    bfloat16: bool = True
    archives: tuple[str, ...] = ("flickr8k", "coco_thumbs")
    rewards: RewardWeights = field(default_factory=RewardWeights)
    mix: Mix = field(default_factory=lambda: Mix(absent=0.5, hard=0.9))
    videos: AnnotatedVideos = field(default_factory=AnnotatedVideos)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed {self.seed} must not be negative")
        for name in ("steps", "prompts", "tries", "passes", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if self.group < 2:
            raise ValueError(f"group {self.group} must be at least 2 answers")
        if not 0.0 < self.clip < 1.0:
            raise ValueError(f"clip {self.clip} must be within (0, 1)")


@dataclass(frozen=True)
class _Group:
    """One example with ``g`` sampled answers: rewards float64 ``[g]``, and which are refusals."""

    example: Example
    answers: list[list[int]]
    rewards: NDArray[np.float64]
    refused: list[bool]


@dataclass
class Rollouts(Generic[P]):
    """The answers of one step: ``p`` examples with ``g`` answers each.

    Attributes:
        batch: the answers, as the policy collates them.
        advantages: float32 ``[p * g]``, each answer's against its group.
        rewards: of every answer drawn, also in groups that were drawn anew.
        refused: the share of refusals among the answers that were kept, in [0, 1].
    """

    batch: P
    advantages: Tensor
    rewards: NDArray[np.float64]
    refused: float


def policy_loss(
    log_probs: Tensor,
    old_log_probs: Tensor,
    ref_log_probs: Tensor,
    token_mask: Tensor,
    advantages: Tensor,
    clip: float,
    kl: float,
) -> tuple[Tensor, Tensor]:
    """The clipped loss and the KL to the reference, scalars: means over the masked tokens.

    The three log-probabilities are float32 ``[p * g, a]``, by the policy that learns, the one that
    drew the answers and the reference; ``token_mask`` of that shape is 1 where a token was chosen,
    and ``advantages`` are ``[p * g]``. The clipped surrogate is that of PPO (Schulman et al.,
    2017). The KL estimate is ``exp(r - n) - (r - n) - 1``, never negative (Schulman, 2020), as GRPO
    has it.
    """
    count = token_mask.sum().clamp(min=1.0)
    ratio = torch.exp(log_probs - old_log_probs)
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    surrogate = torch.minimum(ratio * advantages[:, None], clipped * advantages[:, None])
    apart = ref_log_probs - log_probs
    distance = ((torch.exp(apart) - apart - 1.0) * token_mask).sum() / count
    return -(surrogate * token_mask).sum() / count + kl * distance, distance.detach()


class PirGrpo(Generic[P]):
    """The state of a run: a policy, its optimizer, and the source of its examples."""

    def __init__(self, policy: Policy[P], source: ExampleSource, settings: GrpoSettings) -> None:
        self.settings = settings
        self.policy = policy
        self.step = 0
        self.curves: list[dict[str, float]] = []
        self._source = source
        self._rng = np.random.default_rng(settings.seed)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._optimizer = torch.optim.AdamW(
            policy.parameters(), lr=settings.learning_rate, weight_decay=0.0
        )

    def _autocast(self) -> torch.autocast:
        kind = self.policy.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=self.settings.bfloat16)

    def rollout(self) -> Rollouts[P]:
        """Groups whose answers differ in what they earn, as many as a step wants or can find.

        Raises:
            DataError: there is none.
        """
        settings, kept, rewards = self.settings, list[_Group](), list[float]()
        for _ in range(settings.tries):
            wanted = settings.prompts - len(kept)
            if not wanted:
                break
            for group in self._groups(wanted):
                rewards += group.rewards.tolist()
                if group.rewards.std() > 1e-6:
                    kept.append(group)
        if not kept:
            raise DataError(
                f"no group of answers differs in what it earns after {settings.tries} tries of "
                f"{settings.prompts} prompts: nothing to learn from; give more of either"
            )
        gains, _ = advantages(np.stack([group.rewards for group in kept]))
        return Rollouts(
            self.policy.collate(
                [group.example for group in kept],
                [answer for group in kept for answer in group.answers],
            ),
            torch.from_numpy(gains.reshape(-1)),
            np.array(rewards),
            float(np.mean([refused for group in kept for refused in group.refused])),
        )

    def _groups(self, count: int) -> list[_Group]:
        """New examples, with a group of sampled answers each and what the answers earned."""
        settings, policy, size = self.settings, self.policy, self.settings.group
        examples = [self._source.draw(self._rng) for _ in range(count)]
        with self._autocast():
            answers = policy.rollout(examples, size, settings.temperature, self._generator)
        groups = []
        for place, example in enumerate(examples):
            own = answers[place * size : (place + 1) * size]
            spans = [policy.spans(example, answer) for answer in own]
            rewards = [reward(each, example.spans, settings.rewards) for each in spans]
            groups.append(_Group(example, own, np.array(rewards), [each == [] for each in spans]))
        return groups

    def update(self, rollouts: Rollouts[P]) -> dict[str, float]:
        """Take `passes` steps on the rollouts; returns the means that the curves show."""
        settings, policy, batch = self.settings, self.policy, rollouts.batch
        with torch.no_grad(), self._autocast():
            ref_log_probs = policy.ref_log_probs(batch)
        token_mask = batch.token_mask.to(ref_log_probs.device).float()
        gains = rollouts.advantages.to(ref_log_probs.device)
        old = ref_log_probs  # until the first pass says what the policy was that drew the answers
        distances = []
        for number in range(settings.passes):
            with self._autocast():
                new = policy.log_probs(batch)
            old = old if number else new.detach()
            loss, distance = policy_loss(
                new, old, ref_log_probs, token_mask, gains, settings.clip, settings.kl
            )
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
            self._optimizer.step()
            distances.append(float(distance))
        return {
            "reward": float(rollouts.rewards.mean()),
            "kl": float(np.mean(distances)),
            "entropy": float(-(old * token_mask).sum() / token_mask.sum().clamp(min=1.0)),
            "refused": rollouts.refused,
            "groups": float(len(gains) // settings.group),
        }

    def train(self, say: Say) -> dict[str, float]:
        """Go on for `every` steps or to the end; returns the means."""
        upto = min(self.settings.steps, self.step + self.settings.every)
        rows: list[dict[str, float]] = []
        started = time.monotonic()
        while self.step < upto:
            rows.append(self.update(self.rollout()))
            self.step += 1
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
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
            "step": self.step,
            "curves": self.curves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, as if nothing had come between."""
        self.policy.restore(state)
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
        self._rng.bit_generator.state = state["rng"]
        self.step, self.curves = state["step"], state["curves"]
