"""How a grounder begins: not at random, but able to repeat what a threshold proposes.

A decoder of random weights must first find out that times are there to be repeated, and that takes
it longer than all else. So the proposal that a prompt carries is where this one begins: at its
first step it looks at the frames that are first in, or first out again, and says their times. All
of it is weights, which training is free to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tempo_edge import eta
from tempo_edge.search.prompt import NEARNESS, PROPOSED, SPOKEN, TENTHS, WIDTH

if TYPE_CHECKING:
    from tempo_edge.train.grounder.model import Grounder

__all__ = ["begin"]

_HANDED = 0.02  # of what attention looks at: less than the length of a word for all layers together
_LOOKED = 0.15  # of what the first look sees: three times the length of a word
_NOISE = 0.3  # what is left of random weights where others are put
_SHARP = 0.6  # of the first look: a proposed frame draws thousands of times what another does


@torch.no_grad()
def begin(model: Grounder) -> None:
    """Put a new grounder's weights where it is to begin."""
    table: Any = model.llama.get_input_embeddings().weight
    _say_alike(table)
    _speak_up(model, table)
    _quieten(model.llama, model.shape.layers)
    _hand_on(model.llama, model.shape.hidden)
    _look(model, table)


def _say_alike(table: Tensor) -> None:
    """To repeat a time that was read is to say its other word: let both begin as one."""
    for word, token in eta.TOKEN.items():
        spoken = word.removeprefix("<").removesuffix("s>")
        table[token] = table[eta.TOKEN[spoken]]


def _speak_up(model: Grounder, table: Tensor) -> None:
    """What is asked and seen starts as loud as words; a tenth starts as the word that says it."""
    for projector in (model.query, model.sight):
        nn.init.normal_(projector.weight, std=(model.shape.hidden * WIDTH) ** -0.5)
        nn.init.zeros_(projector.bias)
    tenths = [eta.TOKEN[f".{tenth}"] for tenth in range(10)]
    model.sight.weight[:, TENTHS] = table[tenths].T / SPOKEN


def _quieten(llama: Any, layers: int) -> None:
    """What a layer adds is of the size of what it was given.

    Otherwise the random sum of all layers would drown what was said and seen.
    """
    for name, weight in llama.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.mul_(0.5 / layers)


def _hand_on(llama: Any, hidden: int) -> None:
    """Attention hands on what it looks at (after Trockman and Kolter, 2023)."""
    same = torch.eye(hidden)
    for name, weight in llama.named_parameters():
        if name.endswith("v_proj.weight"):
            weight.mul_(_NOISE).add_(same)
        if name.endswith("o_proj.weight"):
            weight.mul_(_NOISE).add_(_HANDED * same)


def _look(model: Grounder, table: Tensor) -> None:
    """From ``[answer]`` one looks at frames that are first in, from ``-`` at first out again.

    Each look is one direction of what asks and one of what is asked for, in every head, in that
    pair of a head's dimensions which position turns least (Su et al., 2021).
    """
    size, same = model.shape.hidden // model.shape.heads, torch.eye(model.shape.hidden)
    attention: Any = model.llama.model.layers[0].self_attn
    attention.o_proj.weight.add_((_LOOKED - _HANDED) * same)
    _, first, after = model.sight.weight[:, PROPOSED].T
    below = model.sight.weight[:, NEARNESS.stop - 1]
    looks = (("[answer]", first - below, size // 2 - 1), ("-", after - below, size - 1))
    for word, wanted, dimension in looks:
        rows = torch.arange(model.shape.heads) * size + dimension
        for projector, direction in (
            (attention.q_proj, table[eta.TOKEN[word]]),
            (attention.k_proj, wanted),
        ):
            projector.weight[rows] = _SHARP**0.5 * nn.functional.normalize(direction, dim=0)
