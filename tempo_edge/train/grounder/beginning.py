"""How a grounder begins: not at random, but repeating the draft that its prompt carries.

A decoder of random weights must first find out that times are there to be repeated, and that takes
it longer than all else. This one begins by saying the draft's next word, so that what it has to
learn is when to depart from it. All of it is weights, which training is free to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.search.prompt import TENTHS

if TYPE_CHECKING:
    from tempo_edge.train.grounder.model import Grounder

__all__ = ["begin"]


@torch.no_grad()
def begin(model: Grounder) -> None:
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


def _speak_up(model: Grounder, table: Tensor) -> None:
    """What is asked and seen starts as loud as words; a tenth starts as the word that says it."""
    for projector in (model.query, model.sight, model.draft):
        nn.init.normal_(projector.weight, std=model.shape.hidden**-0.5)
        nn.init.zeros_(projector.bias)
    tenths = [eta.TOKEN[f".{tenth}"] for tenth in range(10)]
    model.sight.weight[:, TENTHS] = table[tenths].T


def _quieten(llama: Any, layers: int) -> None:
    """What all layers add is of the size of what they were given.

    Otherwise their random sum would drown what was said and seen.
    """
    for name, weight in llama.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.mul_((2 * layers) ** -0.5)
