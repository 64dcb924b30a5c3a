"""The interface of a policy: all that PIR-GRPO asks of a model, and knows of one.

An answer is a list of tokens. Which tokens there are is the policy's own matter: words of
:mod:`tempo_edge.eta` for the built-in grounder, the tokenizer's for a hub model. One answer is
known to every policy beforehand, its refusal: how likely that is, a policy says without drawing it,
and what it draws are the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from tempo_edge.evaluation.metrics.spans import Interval
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.grounder.grpo.objective import AnswerLogProbs

__all__ = ["AnswerBatch", "Policy"]


class AnswerBatch(Protocol):
    """Answers side by side, padded to ``a`` tokens, and the prompts that they answer."""

    @property
    def token_mask(self) -> Tensor:
        """True where a token was chosen, and not forced or padding; bool ``[p * g, a]``."""


P = TypeVar("P", bound=AnswerBatch)


class Policy(Protocol[P]):
    """A model that answers examples and can learn from how it did."""

    @property
    def device(self) -> torch.device:
        """The device that it computes on."""

    def rollout(
        self,
        examples: Sequence[Example],
        group_size: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[list[int]]:
        """Sampled answers, `group_size` to each example, the first example's first.

        None is the refusal: they are drawn from the policy given that it does not refuse. Sampling
        is without dropout, as a search will ask.
        """

    def spans(self, example: Example, answer: Sequence[int]) -> list[Interval] | None:
        """The spans, half-open seconds, that an answer gives; None if it can't be read."""

    def collate(self, examples: Sequence[Example], answers: Sequence[Sequence[int]]) -> P:
        """Answers as :meth:`log_probs` takes them, as many to each example, in order."""

    def log_probs(self, batch: P) -> AnswerLogProbs:
        """The log-probabilities of refusals and of the answers' tokens.

        Gradients flow if they are enabled.
        """

    def ref_log_probs(self, batch: P) -> AnswerLogProbs:
        """The log-probabilities by the policy that the run started from, without gradients."""

    def parameters(self) -> list[nn.Parameter]:
        """The weights that are trained."""

    def presence_parameters(self) -> list[nn.Parameter]:
        """Those of them that judge refusals and nothing else, if there are any."""

    def state(self) -> dict[str, Any]:
        """Everything that a later :meth:`restore` needs, as tensors and plain values."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the weights that :meth:`state` returned."""
