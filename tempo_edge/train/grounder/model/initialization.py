"""The first weights of a grounder: as good as the similarity that its prompt carries.

A decoder of random weights must first find out that times are there to be repeated, and that what
is far from the query is not there; that takes it longer than all else. This one begins by saying
the draft's next word, or ``none`` where the window's best frame is no better than chance makes one.
What it has to learn is when to depart from that. All of it is weights, which training is free to
change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.search.grounders.prompt import NEARNESS, REASONS, TENTHS, Z_SCORE_SCALE

if TYPE_CHECKING:
    from tempo_edge.train.grounder.model.network import GrounderNetwork

__all__ = ["initialize"]

# The height of a window's best frame, in deviations of what its query scores by chance, at which it
# is as likely as not that the query occurs; how loud `none` is there, where 1 is how loud the
# draft's word is, which others stand beside; and how much louder with each deviation less. A
# logistic fit on made-up windows of development pictures: odds rise by 1.3 a deviation there.
_EVEN_HEIGHT = 3.05
_EVEN_LOUDNESS = 1.15
_LOUDER = 0.165

# How loud all else is at first, against what the decoder is to begin with.
_HUSH = 0.3


@torch.no_grad()
def initialize(model: GrounderNetwork) -> None:
    """Put a new grounder's weights where it is to begin."""
    table: Any = model.llama.get_input_embeddings().weight
    _say_alike(table)
    _speak_up(model, table)
    _doubt(model, table[eta.TOKEN[eta.NONE]])
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


def _doubt(model: GrounderNetwork, none: Tensor) -> None:
    """`none` is as loud as the draft's word where the best frame is as high as by chance."""
    weight, best = model.draft.weight, NEARNESS.start - REASONS.start
    weight.mul_(_HUSH)
    weight[:, best] = -_LOUDER / Z_SCORE_SCALE * none
    model.draft.bias.copy_((_EVEN_LOUDNESS + _LOUDER * _EVEN_HEIGHT) * none)


def _quieten(llama: Any, layers: int) -> None:
    """Scale the layers down, so that all of them add less than they are given.

    Otherwise their random sum would drown the words and the frames.
    """
    for name, weight in llama.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.mul_(_HUSH * (2 * layers) ** -0.5)
