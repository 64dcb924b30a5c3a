"""The vectors of labels, from the sentences that name them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tempo_edge.train.towers.encoders import TrainedTextTower
from tempo_edge.train.towers.tokens import Encode

__all__ = ["label_vectors"]

_PROMPTS = 3  # prompts of a label whose mean stands for it


@torch.no_grad()
def label_vectors(
    text: TrainedTextTower, encode: Encode, prompts: Sequence[Sequence[str]]
) -> Tensor:
    """One unit vector for each label, float32 [K, 256]: the mean of its first prompts."""
    chosen = [list(each[:_PROMPTS]) for each in prompts]
    vectors = text(encode([prompt for each in chosen for prompt in each]))
    means = torch.stack(
        [part.mean(dim=0) for part in vectors.split([len(each) for each in chosen])]
    )
    return functional.normalize(means, dim=-1)
