"""The built-in grounder as a policy: it reads vectors, and a grammar bounds what it may answer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge import eta
from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.search.grounders.boundaries import Boundaries
from tempo_edge.search.grounders.prompt import WIDTH, Prompt
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.grounder.grpo.objective import AnswerLogProbs
from tempo_edge.train.grounder.model.generate import generate
from tempo_edge.train.grounder.model.network import GrounderNetwork
from tempo_edge.train.grounder.model.prefill import Prefill
from tempo_edge.train.grounder.prompt_builder import PromptBuilder, allowed_tokens, answer_spans

__all__ = ["GrammarAnswers", "NanoPolicy", "collate_answers", "log_probs"]

_END, _NONE = eta.TOKEN["[end]"], eta.TOKEN[eta.NONE]


@dataclass(frozen=True)
class GrammarAnswers:
    """Span answers within the grammar, ``g`` to each of ``p`` prompts.

    Attributes:
        prompts: the ``p`` prompts.
        tokens: int64 ``[p * g, a]``, padded with ``[end]``.
        token_mask: bool ``[p * g, a]``, True where a token was chosen, and not forced by the
            grammar or padding.
        allowed: bool ``[p * g, a, words]``, the tokens that the grammar allowed there, but for
            ``none``.
        notes: float32 ``[p * g, a, WIDTH]``, the features that a prompt gives each token.
    """

    prompts: list[Prompt]
    tokens: Tensor
    token_mask: Tensor
    allowed: Tensor
    notes: Tensor


def collate_answers(
    prompts: list[Prompt], windows: Sequence[Boundaries], answers: Sequence[Sequence[int]]
) -> GrammarAnswers:
    """Put answers without ``[end]``, the first prompt's first, side by side.

    Raises:
        ValueError: one of them is ``none``, which is no span answer.
    """
    group_size = len(answers) // len(prompts)
    shape = (len(answers), max(len(answer) for answer in answers) + 1)
    tokens = np.full(shape, _END, np.int64)
    allowed = np.ones((*shape, len(eta.WORDS)), bool)
    token_mask = np.zeros(shape, bool)
    notes = np.zeros((*shape, WIDTH), np.float32)
    for row, answer in enumerate(answers):
        if answer[0] == _NONE:
            raise ValueError(f"answer {row} must not be {eta.NONE!r}")
        could = allowed_tokens(windows[row // group_size], answer)
        could[0, _NONE] = False
        tokens[row, : len(answer)] = answer
        notes[row, : len(answer)] = prompts[row // group_size].notes(answer)
        allowed[row, : len(could)] = could
        token_mask[row, : len(could)] = could.sum(axis=1) > 1
    parts = (torch.from_numpy(part) for part in (tokens, token_mask, allowed, notes))
    return GrammarAnswers(prompts, *parts)


def log_probs(model: GrounderNetwork, batch: GrammarAnswers) -> AnswerLogProbs:
    """The log-probabilities within the grammar, of refusals and of the answers' tokens."""
    group_size = len(batch.tokens) // len(batch.prompts)
    prefill = Prefill(model, batch.prompts, group_size)
    following = prefill.decode(batch.tokens[:, :-1], batch.notes[:, :-1])
    logits = torch.cat([prefill.logits[:, None], following], dim=1)
    allowed = batch.allowed.to(logits.device)
    tokens = batch.tokens.to(logits.device)
    chosen = torch.log_softmax(logits.masked_fill(~allowed, -1e9), dim=-1)
    none, spans = (functional.logsigmoid(odds) for odds in (-prefill.odds, prefill.odds))
    return AnswerLogProbs(none, spans, chosen.gather(2, tokens[..., None])[..., 0])


class NanoPolicy:
    """A :class:`~tempo_edge.train.grounder.grpo.policy.Policy` of a grounder and its text tower."""

    def __init__(self, model: GrounderNetwork, prompt_builder: PromptBuilder) -> None:
        """The reference is a copy of the model as it is now."""
        self.model = model
        self._reference = copy.deepcopy(model).eval().requires_grad_(False)
        self._prompt_builder = prompt_builder

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def rollout(
        self,
        examples: Sequence[Example],
        group_size: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[list[int]]:
        """Sampled answers without ``[end]``, each within its window's grammar, none ``none``."""
        self.model.eval()
        return generate(
            self.model,
            [self._prompt_builder.prompt(example) for example in examples],
            [example.boundaries.grammar() for example in examples for _ in range(group_size)],
            group_size=group_size,
            temperature=temperature,
            generator=generator,
            refusals=False,
        ).tokens

    def spans(self, example: Example, answer: Sequence[int]) -> list[Interval]:
        """The spans of an answer; the grammar allows none that can't be read."""
        return answer_spans(example, answer)

    def collate(
        self, examples: Sequence[Example], answers: Sequence[Sequence[int]]
    ) -> GrammarAnswers:
        prompts = [self._prompt_builder.prompt(example) for example in examples]
        return collate_answers(prompts, [example.boundaries for example in examples], answers)

    def log_probs(self, batch: GrammarAnswers) -> AnswerLogProbs:
        return log_probs(self.model, batch)

    @torch.no_grad()
    def ref_log_probs(self, batch: GrammarAnswers) -> AnswerLogProbs:
        return log_probs(self._reference, batch)

    def parameters(self) -> list[nn.Parameter]:
        return list(self.model.parameters())

    def presence_parameters(self) -> list[nn.Parameter]:
        return list(self.model.presence.parameters())

    def state(self) -> dict[str, Any]:
        return {
            "shape": self.model.config(),
            "model": self.model.state_dict(),
            "reference": self._reference.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self._reference.load_state_dict(state["reference"])
