"""PIR-GRPO: the grounder learns from its own answers to relevant and irrelevant prompts.

For each prompt a group of answers is drawn and paid (:mod:`tempo_edge.train.rewards`); answers that
earned more than their group's mean become likelier. A share of the prompts asks for what is not
there, most of it nearly so (*partially irrelevant*). The idea is Tempo-R0's (arXiv 2507.04702) on
GRPO (Shao et al., 2024); the formulas are our own.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.search.boundaries import Boundaries
from tempo_edge.search.prompt import Prompt
from tempo_edge.train.grounder.asking import Asker, boundaries, meant
from tempo_edge.train.grounder.model import Grounder, Reading, answer
from tempo_edge.train.grounder.windows import Example, Mix, Source
from tempo_edge.train.rewards import Weights, advantages, reward

Say = Callable[[str], None]
_END = eta.TOKEN["[end]"]


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
    passes: int = 2
    learning_rate: float = 1e-4
    temperature: float = 1.0
    clip: float = 0.2
    kl: float = 0.02
    every: int = 25
    bfloat16: bool = True
    archives: tuple[str, ...] = ("flickr8k", "coco_thumbs")
    views: int = 6
    rewards: Weights = field(default_factory=Weights)
    mix: Mix = field(default_factory=lambda: Mix(absent=0.5, hard=0.9))

    def __post_init__(self) -> None:
        for name in ("steps", "prompts", "tries", "passes", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if self.group < 2:
            raise ValueError(f"group {self.group} must be at least 2 answers")
        if not 0.0 < self.clip < 1.0:
            raise ValueError(f"clip {self.clip} must be within (0, 1)")


@dataclass
class Rollouts:
    """The answers of one step: ``P`` examples with ``G`` answers each.

    ``words`` int64 ``[p * g, a]`` are padded with ``[end]``; ``open`` bool of that shape is True
    where a word was chosen, and not forced by the grammar or padding; ``allowed`` bool
    ``[p * g, a, words]`` is what could be said there; ``advantages`` float32 ``[p * g]``.
    """

    examples: list[Example]
    words: Tensor
    open: Tensor
    allowed: Tensor
    advantages: Tensor
    rewards: NDArray[np.float64]


def replay(window: Boundaries, tokens: Sequence[int]) -> NDArray[np.bool_]:
    """What was allowed before each of ``tokens`` and before ``[end]``, bool ``[a + 1, words]``."""
    grammar = window.grammar()
    masks = []
    for token in [*tokens, _END]:
        masks.append(grammar.allowed())
        grammar.take(token)
    return np.stack(masks)


def pack_answers(
    windows: Sequence[Boundaries], tokens: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor, Tensor]:
    """Words, open places and allowed words of answers side by side, as :class:`Rollouts` has."""
    longest = max(len(said) for said in tokens) + 1
    words = np.full((len(tokens), longest), _END, np.int64)
    allowed = np.ones((len(tokens), longest, len(eta.WORDS)), bool)
    open_places = np.zeros((len(tokens), longest), bool)
    for row, (window, said) in enumerate(zip(windows, tokens, strict=True)):
        masks = replay(window, said)
        words[row, : len(said)] = said
        allowed[row, : len(masks)] = masks
        open_places[row, : len(masks)] = masks.sum(axis=1) > 1
    return torch.from_numpy(words), torch.from_numpy(open_places), torch.from_numpy(allowed)


def log_shares(
    model: Grounder, prompts: Sequence[Prompt], rollouts: Rollouts, copies: int
) -> Tensor:
    """Log-probabilities of the words that were said, within the grammar, float32 ``[p * g, a]``."""
    reading = Reading(model, prompts, copies)
    following = reading.go_on(rollouts.words[:, :-1])
    logits = torch.cat([reading.logits[:, None], following], dim=1)
    logits = logits.masked_fill(~rollouts.allowed.to(logits.device), -1e9)
    shares = torch.log_softmax(logits, dim=-1)
    words = rollouts.words.to(logits.device)
    return shares.gather(2, words[..., None])[..., 0]


def policy_loss(
    new: Tensor, old: Tensor, reference: Tensor, rollouts: Rollouts, clip: float, kl: float
) -> tuple[Tensor, Tensor]:
    """The clipped loss and the KL to the reference, both scalars, over the open words.

    ``new``, ``old`` and ``reference`` are log-probabilities ``[p * g, a]``. The KL estimate is
    ``exp(r - n) - (r - n) - 1``, never negative.
    """
    places = rollouts.open.to(new.device).float()
    count = places.sum().clamp(min=1.0)
    gain = rollouts.advantages.to(new.device)[:, None]
    ratio = torch.exp(new - old)
    earned = torch.minimum(ratio * gain, ratio.clamp(1.0 - clip, 1.0 + clip) * gain)
    apart = reference - new
    distance = ((torch.exp(apart) - apart - 1.0) * places).sum() / count
    return -(earned * places).sum() / count + kl * distance, distance.detach()


class PirGrpo:
    """The state of a run: policy, the policy it started from, and what it draws prompts with."""

    def __init__(
        self, start: Grounder, source: Source, asker: Asker, settings: GrpoSettings
    ) -> None:
        self.settings = settings
        self.model = start
        self.reference = copy.deepcopy(start).eval().requires_grad_(False)
        self.step = 0
        self.curves: list[dict[str, float]] = []
        self._source, self._asker = source, asker
        self._device = next(start.parameters()).device
        self._rng = np.random.default_rng(settings.seed)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=0.0
        )

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self.settings.bfloat16)

    def _answers(self, examples: Sequence[Example]) -> list[list[int]]:
        settings = self.settings
        windows = [boundaries(example) for example in examples]
        # Answers are drawn as they will be asked for: without dropout.
        self.model.eval()
        with self._autocast():
            return answer(
                self.model,
                [self._asker.prompt(example) for example in examples],
                [each.grammar() for each in windows for _ in range(settings.group)],
                copies=settings.group,
                temperature=settings.temperature,
                generator=self._generator,
            ).tokens

    def roll(self) -> Rollouts:
        """Groups whose answers differ in what they earn, as many as a step wants or can find."""
        settings = self.settings
        examples: list[Example] = []
        tokens: list[list[int]] = []
        earned: list[NDArray[np.float64]] = []
        seen: list[float] = []
        for _ in range(settings.tries):
            wanted = settings.prompts - len(examples)
            if not wanted:
                break
            drawn = [self._source.draw(self._rng) for _ in range(wanted)]
            said = self._answers(drawn)
            for place, example in enumerate(drawn):
                group = said[place * settings.group : (place + 1) * settings.group]
                paid = np.array(
                    [reward(meant(example, s), example.spans, settings.rewards) for s in group]
                )
                seen += paid.tolist()
                if paid.std() > 1e-6:
                    examples.append(example)
                    tokens += group
                    earned.append(paid)
        if not examples:
            raise RuntimeError(
                "no group of answers differs in what it earns: nothing to learn from"
            )
        gain, _ = advantages(np.stack(earned))
        windows = [boundaries(example) for example in examples for _ in range(settings.group)]
        words, open_places, allowed = pack_answers(windows, tokens)
        return Rollouts(
            examples,
            words,
            open_places,
            allowed,
            torch.from_numpy(gain.reshape(-1)),
            np.array(seen),
        )

    def update(self, rollouts: Rollouts) -> dict[str, float]:
        """Take `passes` steps on the rollouts; returns the means that the curves show."""
        settings = self.settings
        prompts = [self._asker.prompt(example) for example in rollouts.examples]
        with torch.no_grad(), self._autocast():
            old = log_shares(self.model, prompts, rollouts, settings.group)
            reference = log_shares(self.reference, prompts, rollouts, settings.group)
        distances = []
        for _ in range(settings.passes):
            with self._autocast():
                new = log_shares(self.model, prompts, rollouts, settings.group)
            loss, distance = policy_loss(new, old, reference, rollouts, settings.clip, settings.kl)
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._optimizer.step()
            distances.append(float(distance))
        places = rollouts.open.to(old.device).float()
        refused = (rollouts.words[:, 0] == eta.TOKEN[eta.NONE]).float()
        return {
            "reward": float(rollouts.rewards.mean()),
            "kl": float(np.mean(distances)),
            "entropy": float(-(old * places).sum() / places.sum().clamp(min=1.0)),
            "refused": float(refused.mean()),
            "groups": float(len(rollouts.examples)),
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
            "model": self.model.state_dict(),
            "reference": self.reference.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "generator": self._generator.get_state(),
            "rng": self._rng.bit_generator.state,
            "step": self.step,
            "curves": self.curves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, as if nothing had come between."""
        self.model.load_state_dict(state["model"])
        self.reference.load_state_dict(state["reference"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._generator.set_state(state["generator"])
        self._rng.bit_generator.state = state["rng"]
        self.step, self.curves = state["step"], state["curves"]
