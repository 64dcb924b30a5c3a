"""The first weights of a grounder: as good as the similarity that its prompt carries.

A decoder of random weights must first find out that times are there to be repeated; that takes it
longer than all else. This one begins by saying the draft's next word. What it has to learn is when
to depart from that. All of it is weights, which training is free to change. Whether there is
anything to say begins as a fit of its own (:mod:`tempo_edge.train.grounder.model.presence`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.search.grounders.prompt import TENTHS

if TYPE_CHECKING:
    from tempo_edge.train.grounder.model.network import GrounderNetwork

__all__ = ["initialize"]

# How loud all else is at first, against what the decoder is to begin with.
_HUSH = 0.3


@torch.no_grad()
def initialize(model: GrounderNetwork) -> None:
    """Put a new grounder's weights where it is to begin."""
    table: Any = model.llama.get_input_embeddings().weight
    _say_alike(table)
    _speak_up(model, table)
    _quieten(model.llama, model.shape.layers)


def _say_alike(table: Tensor) -> None:
    """To repeat a time that was read is to say its other word: let both begin as one."""
    for word, token in eta.TOKEN.items():
        spoken = word.removeprefix("<").removesuffix("s>")
        table[token] = table[eta.TOKEN[spoken]]


def _speak_up(model: GrounderNetwork, table: Tensor) -> None:
    """Queries and frames start as loud as words, and a tenth as the word that says it."""
    for projector in (model.query, model.sight, model.draft):
        nn.init.normal_(projector.weight, std=model.shape.hidden**-0.5)
        nn.init.zeros_(projector.bias)
    tenths = [eta.TOKEN[f".{tenth}"] for tenth in range(10)]
    model.sight.weight[:, TENTHS] = table[tenths].T
    model.draft.weight.mul_(_HUSH)


def _quieten(llama: Any, layers: int) -> None:
    """Scale the layers down, so that all of them add less than they are given.

    Otherwise their random sum would drown the words and the frames.
    """
    for name, weight in llama.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.mul_(_HUSH * (2 * layers) ** -0.5)
