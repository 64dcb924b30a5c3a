"""PIR-GRPO: the grounder learns from its own answers to relevant and irrelevant prompts.

For each prompt a group of answers is drawn and rewarded
(:mod:`tempo_edge.train.grounder.grpo.rewards`); answers that earned more than their group's mean
become likelier. A share of the prompts asks for what is not there, most of it nearly so (*partially
irrelevant*). The idea is Tempo-R0's (arXiv 2507.04702) on GRPO (Shao et al., 2024); the formulas
are our own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.grpo.policy import P, Policy
from tempo_edge.train.grounder.grpo.rewards import Weights, advantages, reward
from tempo_edge.train.grounder.synthetic.windows import Example, Mix, Source

Say = Callable[[str], None]


@dataclass(frozen=True)
class GrpoSettings:
    """What a run depends on besides its pictures, its profile and the policy it starts from.

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
    rewards: Weights = field(default_factory=Weights)
    mix: Mix = field(default_factory=lambda: Mix(absent=0.5, hard=0.9))

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


@dataclass
class Rollouts(Generic[P]):
    """The answers of one step: ``P`` examples with ``G`` answers each.

    ``advantages`` float32 ``[p * g]`` are what each answer is worth against its group;
    ``rewards`` are those of every answer drawn, also of groups that were drawn anew; ``refused``
    is the share of refusals among those that were kept.
    """

    packed: P
    advantages: Tensor
    rewards: NDArray[np.float64]
    refused: float


def policy_loss(
    new: Tensor,
    old: Tensor,
    reference: Tensor,
    places: Tensor,
    gain: Tensor,
    clip: float,
    kl: float,
) -> tuple[Tensor, Tensor]:
    """The clipped loss and the KL to the reference, both scalars, over the open places.

    ``new``, ``old`` and ``reference`` are log-probabilities ``[p * g, a]``, ``places`` is 1 where
    a token was chosen and ``gain`` ``[p * g]`` the advantages. The KL estimate is
    ``exp(r - n) - (r - n) - 1``, never negative.
    """
    count = places.sum().clamp(min=1.0)
    ratio = torch.exp(new - old)
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    earned = torch.minimum(ratio * gain[:, None], clipped * gain[:, None])
    apart = reference - new
    distance = ((torch.exp(apart) - apart - 1.0) * places).sum() / count
    return -(earned * places).sum() / count + kl * distance, distance.detach()


class PirGrpo(Generic[P]):
    """The state of a run: a policy, and what it draws prompts with."""

    def __init__(self, policy: Policy[P], source: Source, settings: GrpoSettings) -> None:
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

    def roll(self) -> Rollouts[P]:
        """Groups whose answers differ in what they earn, as many as a step wants or can find.

        Raises:
            DataError: there is none.
        """
        settings, policy = self.settings, self.policy
        examples: list[Example] = []
        said: list[list[int]] = []
        earned: list[NDArray[np.float64]] = []
        seen: list[float] = []
        refusals: list[bool] = []
        for _ in range(settings.tries):
            wanted = settings.prompts - len(examples)
            if not wanted:
                break
            drawn = [self._source.draw(self._rng) for _ in range(wanted)]
            with self._autocast():
                answers = policy.draw(drawn, settings.group, settings.temperature, self._generator)
            for place, example in enumerate(drawn):
                group = answers[place * settings.group : (place + 1) * settings.group]
                meant = [policy.meant(example, each) for each in group]
                paid = np.array([reward(each, example.spans, settings.rewards) for each in meant])
                seen += paid.tolist()
                if paid.std() > 1e-6:
                    examples.append(example)
                    said += group
                    earned.append(paid)
                    refusals += [each == [] for each in meant]
        if not examples:
            raise DataError(
                f"no group of answers differs in what it earns after {settings.tries} tries of "
                f"{settings.prompts} prompts: nothing to learn from; give more of either"
            )
        gain, _ = advantages(np.stack(earned))
        return Rollouts(
            policy.pack(examples, said),
            torch.from_numpy(gain.reshape(-1)),
            np.array(seen),
            float(np.mean(refusals)),
        )

    def update(self, rollouts: Rollouts[P]) -> dict[str, float]:
        """Take `passes` steps on the rollouts; returns the means that the curves show."""
        settings, policy, packed = self.settings, self.policy, rollouts.packed
        with torch.no_grad(), self._autocast():
            reference = policy.reference_shares(packed)
        places = packed.open.to(reference.device).float()
        gain = rollouts.advantages.to(reference.device)
        old = reference  # until the first pass says what the policy was that drew the answers
        distances = []
        for number in range(settings.passes):
            with self._autocast():
                new = policy.log_shares(packed)
            old = old if number else new.detach()
            loss, distance = policy_loss(
                new, old, reference, places, gain, settings.clip, settings.kl
            )
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
            self._optimizer.step()
            distances.append(float(distance))
        return {
            "reward": float(rollouts.rewards.mean()),
            "kl": float(np.mean(distances)),
            "entropy": float(-(old * places).sum() / places.sum().clamp(min=1.0)),
            "refused": rollouts.refused,
            "groups": float(len(gain) // settings.group),
        }

    def train(self, say: Say) -> dict[str, float]:
        """Go on for `every` steps or to the end; returns the means."""
        upto = min(self.settings.steps, self.step + self.settings.every)
        rows: list[dict[str, float]] = []
        started = time.monotonic()
        while self.step < upto:
            rows.append(self.update(self.roll()))
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
