"""The chance that what is asked for is there: a judgement apart from the words of an answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tempo_edge.search.grounders.prompt import EVIDENCE, Z_SCORE_SCALE

__all__ = ["Presence"]

# A logistic fit on made-up windows of one half of the development pictures: what the log-odds gain
# with a standard deviation of the best frame's z-score and with a nat of the query's
# log-probability among its counterfactuals, and where they begin.
_WEIGHTS, _BIAS = (1.014, 0.348), -2.311


class Presence(nn.Module):
    """A logistic of the evidence for a query, and a residual of what the decoder has read.

    The logistic begins as it was fitted, the residual at nothing, and both are free to change. A
    word among others would not do: ``none`` would compete with all the times that an answer can
    begin with, and be the likeliest where those only share what stands against it.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(_WEIGHTS) / Z_SCORE_SCALE)
        self.bias = nn.Parameter(torch.tensor([_BIAS]))
        self.residual = nn.Parameter(torch.zeros(hidden))

    def forward(self, states: Tensor, features: Tensor) -> Tensor:
        """The log-odds float32 ``[n]`` that a window shows what is asked for.

        ``states`` ``[n, hidden]`` are the decoder's last ones at ``[answer]``, and ``features``
        ``[n, WIDTH]`` those of that position.
        """
        evidence = features[:, EVIDENCE].float() @ self.weights
        odds: Tensor = evidence + states.float() @ self.residual + self.bias
        return odds
