"""The losses, as pure functions of unit vectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def shared_targets(right: Tensor) -> Tensor:
    """The share of each column in a row's answer: float32 ``[r, c]``, rows add up to 1.

    ``right`` bool ``[r, c]`` says which columns are right for a row: they share the weight. A row
    for which none is right has no weight at all.
    """
    same = right.float()
    return same / same.sum(dim=1, keepdim=True).clamp(min=1.0)


def contrastive_loss(
    images: Tensor,
    texts: Tensor,
    temperature: Tensor | float,
    right: Tensor,
    wrong: Tensor | None = None,
    told: Tensor | None = None,
) -> Tensor:
    """Symmetric cross-entropy between unit vectors of pictures and of sentences, a scalar.

    With one sentence a picture this is the loss of CLIP (Radford et al., 2021).

    Args:
        images: ``[b, d]``.
        texts: ``[t, d]``.
        temperature: divides the cosines.
        right: bool ``[b, t]``, which sentences are right for which pictures.
        wrong: ``[h, d]``, sentences that are right for no picture: every picture must prefer its
            own to them.
        told: bool ``[b, t]``, which pairs are told to be right or wrong; others are left out. All,
            unless given.
    """
    scores = images @ texts.T / temperature
    if told is not None:
        scores = scores.masked_fill(~(told | right), -torch.inf)
    back = _cross_entropy(scores.T, right.T)
    if wrong is not None and len(wrong):
        scores = torch.cat([scores, images @ wrong.T / temperature], dim=1)
        right = functional.pad(right, (0, len(wrong)))
    return (_cross_entropy(scores, right) + back) / 2


def _cross_entropy(scores: Tensor, right: Tensor) -> Tensor:
    """The mean over rows that have an answer; pairs that are left out have a score of -inf."""
    log_share = functional.log_softmax(scores, dim=1).masked_fill(~right, 0.0)
    loss = -(shared_targets(right) * log_share).sum(dim=1)
    return loss.sum() / right.any(dim=1).sum().clamp(min=1)


def retrieval_loss(
    texts: Tensor, images: Tensor, temperature: Tensor | float, right: Tensor
) -> Tensor:
    """Cross-entropy from sentences ``[t, d]`` to pictures ``[b, d]`` alone, a scalar.

    ``right`` bool ``[t, b]``. For sentences so short that they are right for many pictures: to be
    one of many is nothing that a picture need prefer to its own caption.
    """
    return _cross_entropy(texts @ images.T / temperature, right)


def margin_loss(
    images: Tensor, right: Tensor, wrong: Tensor, temperature: Tensor | float
) -> Tensor:
    """The mean of ``log(1 + exp(-(i.r - i.w) / temperature))`` over triples, a scalar.

    Each picture ``[m, d]`` must prefer its right sentence to its wrong one, however well other
    sentences of the batch fit; 0 where there are no triples.
    """
    if not len(images):
        return images.new_zeros(())
    gap = (images * (right - wrong)).sum(dim=1) / temperature
    return functional.softplus(-gap).mean()


def distillation_loss(scores: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy from `teacher` probabilities [B, K] to the softmax of `scores` [B, K].

    Teacher rows need not add up to 1: what they lack lowers the row's weight, so a classifier
    that thinks of a class left out has little to say.
    """
    return functional.cross_entropy(scores, teacher)
