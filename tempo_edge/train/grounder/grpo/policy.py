"""What PIR-GRPO asks of a model, and all that it knows of one.

An answer is a list of tokens. What they are is the policy's own matter: words of
:mod:`tempo_edge.eta` for the built-in grounder, those of its tokenizer for a hub model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from tempo_edge.evaluation.metrics.spans import Span
from tempo_edge.train.grounder.synthetic.windows import Example

__all__ = ["Packed", "Policy"]


class Packed(Protocol):
    """Answers side by side, padded to ``a`` tokens, and the prompts that they answer."""

    @property
    def open(self) -> Tensor:
        """True where a token was chosen, and not forced or padding; bool ``[p * g, a]``."""


P = TypeVar("P", bound=Packed)


class Policy(Protocol[P]):
    """A model that answers examples and can learn from how it did."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def draw(
        self,
        examples: Sequence[Example],
        copies: int,
        temperature: float,
        generator: torch.Generator,
    ) -> list[list[int]]:
        """`copies` answers to each example, those to the first one first.

        They are drawn as they will be asked for: without dropout.
        """

    def meant(self, example: Example, said: Sequence[int]) -> list[Span] | None:
        """When an answer says that the query is true; None if it can't be read."""

    def pack(self, examples: Sequence[Example], said: Sequence[Sequence[int]]) -> P:
        """Answers as :meth:`log_shares` takes them, as many to each example, in order."""

    def log_shares(self, packed: P) -> Tensor:
        """Log-probabilities of the tokens that were said, float32 ``[p * g, a]``.

        Gradients flow if they are enabled.
        """

    def reference_shares(self, packed: P) -> Tensor:
        """The same by the policy that the run started from, without gradients."""

    def parameters(self) -> list[nn.Parameter]:
        """What is trained."""

    def state(self) -> dict[str, Any]:
        """What a later `restore` needs, as tensors and plain values."""

    def restore(self, state: dict[str, Any]) -> None:
        """Become again what `state` told."""
