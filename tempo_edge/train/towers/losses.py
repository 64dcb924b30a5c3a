"""The losses, as pure functions of unit vectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def shared_targets(rows: Tensor, columns: Tensor) -> Tensor:
    """The share of each column in a row's answer: float32 ``[r, c]``, rows add up to 1.

    `rows` int64 [R] and `columns` int64 [C] are group numbers; columns of a row's own group share
    the weight. Every row needs at least one column of its group.
    """
    same = (rows[:, None] == columns[None, :]).float()
    return same / same.sum(dim=1, keepdim=True)


def contrastive_loss(
    images: Tensor,
    texts: Tensor,
    temperature: Tensor | float,
    image_group: Tensor,
    text_group: Tensor,
    wrong: Tensor | None = None,
) -> Tensor:
    """Symmetric cross-entropy between unit vectors of pictures [B, D] and sentences [T, D].

    A sentence is right for the pictures of its group (int64 [B] and [T]). `wrong` [H, D] are
    sentences that are right for no picture: every picture must prefer its own to them. The mean
    of both directions, a scalar; with one sentence a picture this is the loss of CLIP (Radford et
    al., 2021).
    """
    scores = images @ texts.T / temperature
    back = functional.cross_entropy(scores.T, shared_targets(text_group, image_group))
    target = shared_targets(image_group, text_group)
    if wrong is not None and len(wrong):
        scores = torch.cat([scores, images @ wrong.T / temperature], dim=1)
        target = functional.pad(target, (0, len(wrong)))
    return (functional.cross_entropy(scores, target) + back) / 2


def distillation_loss(scores: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy from `teacher` probabilities [B, K] to the softmax of `scores` [B, K].

    Teacher rows need not add up to 1: what they lack lowers the row's weight, so a classifier
    that thinks of a class left out has little to say.
    """
    return functional.cross_entropy(scores, teacher)
