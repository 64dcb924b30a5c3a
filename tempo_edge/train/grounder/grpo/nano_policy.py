"""The built-in grounder as a policy: it reads vectors, and a grammar bounds what it may say."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.evaluation.metrics.spans import Span
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import WIDTH, Prompt
from tempo_edge.train.grounder.model.network import Grounder, Reading, answer
from tempo_edge.train.grounder.prompt_builder import Asker, meant, replay
from tempo_edge.train.grounder.synthetic.windows import Example

_END = eta.TOKEN["[end]"]


@dataclass(frozen=True)
class Spoken:
    """Answers within the grammar, ``g`` to each of ``p`` prompts.

    ``words`` int64 ``[p * g, a]`` are padded with ``[end]``; ``open`` bool of that shape is True
    where a word was chosen, and not forced by the grammar or padding; ``allowed`` bool
    ``[p * g, a, words]`` is what could be said there. ``notes`` float32 ``[p * g, a, WIDTH]`` are
    the prompts' of each word.
    """

    prompts: list[Prompt]
    words: Tensor
    open: Tensor
    allowed: Tensor
    notes: Tensor


def pack_answers(
    prompts: list[Prompt], windows: Sequence[Boundaries], tokens: Sequence[Sequence[int]]
) -> Spoken:
    """Answers without ``[end]``, those to the first prompt first, side by side."""
    copies = len(tokens) // len(prompts)
    shape = (len(tokens), max(len(said) for said in tokens) + 1)
    words = np.full(shape, _END, np.int64)
    allowed = np.ones((*shape, len(eta.WORDS)), bool)
    open_places = np.zeros(shape, bool)
    notes = np.zeros((*shape, WIDTH), np.float32)
    for row, said in enumerate(tokens):
        masks = replay(windows[row // copies], said)
        words[row, : len(said)] = said
        notes[row, : len(said)] = prompts[row // copies].notes(said)
        allowed[row, : len(masks)] = masks
        open_places[row, : len(masks)] = masks.sum(axis=1) > 1
    parts = (torch.from_numpy(part) for part in (words, open_places, allowed, notes))
    return Spoken(prompts, *parts)


def log_shares(model: Grounder, spoken: Spoken) -> Tensor:
    """Log-probabilities of the words that were said, within the grammar, float32 ``[p * g, a]``."""
    reading = Reading(model, spoken.prompts, len(spoken.words) // len(spoken.prompts))
    following = reading.go_on(spoken.words[:, :-1], spoken.notes[:, :-1])
    logits = torch.cat([reading.logits[:, None], following], dim=1)
    logits = logits.masked_fill(~spoken.allowed.to(logits.device), -1e9)
    shares = torch.log_softmax(logits, dim=-1)
    words = spoken.words.to(logits.device)
    return shares.gather(2, words[..., None])[..., 0]


class NanoPolicy:
    """A :class:`~tempo_edge.train.grounder.grpo.policy.Policy` of a grounder and its text tower."""

    def __init__(self, model: Grounder, asker: Asker) -> None:
        """The reference is a copy of the model as it is now."""
        self.model = model
        self._reference = copy.deepcopy(model).eval().requires_grad_(False)
        self._asker = asker

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def draw(
        self,
        examples: Sequence[Example],
        copies: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[list[int]]:
        """Answers without ``[end]``, each within its window's grammar."""
        self.model.eval()
        return answer(
            self.model,
            [self._asker.prompt(example) for example in examples],
            [example.boundaries.grammar() for example in examples for _ in range(copies)],
            copies=copies,
            temperature=temperature,
            generator=generator,
        ).tokens

    def meant(self, example: Example, said: Sequence[int]) -> list[Span]:
        """The spans of an answer; the grammar lets none be said that can't be read."""
        return meant(example, said)

    def pack(self, examples: Sequence[Example], said: Sequence[Sequence[int]]) -> Spoken:
        prompts = [self._asker.prompt(example) for example in examples]
        return pack_answers(prompts, [example.boundaries for example in examples], said)

    def log_shares(self, packed: Spoken) -> Tensor:
        return log_shares(self.model, packed)

    @torch.no_grad()
    def reference_shares(self, packed: Spoken) -> Tensor:
        return log_shares(self._reference, packed)

    def parameters(self) -> list[nn.Parameter]:
        return list(self.model.parameters())

    def state(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "reference": self._reference.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self._reference.load_state_dict(state["reference"])
