"""Prompts, and their answers if known, side by side as the decoder takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tempo_edge import eta
from tempo_edge.search.grounders.prompt import ANSWER, VISUAL, WIDTH, WORD, Prompt

__all__ = ["IGNORED", "PromptBatch", "collate", "frames_of"]

#: The label of a position where there is nothing to learn, as PyTorch's losses have it.
IGNORED = -100


@dataclass
class PromptBatch:
    """Prompts side by side, padded to ``t`` positions.

    Attributes:
        words: the token of each position, int64 ``[b, t]``.
        kinds: the kind of each position, int64 ``[b, t]``.
        features: the features of each position, float32 ``[b, t, WIDTH]``.
        attention_mask: 1 where there is a position, 0 at padding, int64 ``[b, t]``.
        labels: the token that should come next, int64 ``[b, t]``; :data:`IGNORED` elsewhere.
        times: at a visual token the word of its frame's seconds, ``[b, t]``, else ``IGNORED``.
        inside: at a visual token 1 if its frame shows what is asked for, else 0, int64 ``[b, t]``;
            ``IGNORED`` elsewhere.
        allowed: the tokens that the grammar allows for each label, in order, bool ``[n, words]``.
        present: 1 where the window shows what is asked for, else 0, int64 ``[b]``; ``IGNORED``
            where that is not to be learned.
    """

    words: Tensor
    kinds: Tensor
    features: Tensor
    attention_mask: Tensor
    labels: Tensor
    times: Tensor
    inside: Tensor
    allowed: Tensor
    present: Tensor

    def to(self, device: str | torch.device) -> PromptBatch:
        """The batch on another device."""
        return PromptBatch(*(getattr(self, field.name).to(device) for field in fields(self)))


def frames_of(prompt: Prompt) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each position's frame and the word of that frame's seconds, int64 ``[t]``.

    Both are -1 where the position is no visual token.
    """
    first, many = eta.TOKEN["<0"], eta.LONGEST_SECONDS
    said = (prompt.kinds == WORD) & (prompt.words >= first) & (prompt.words < first + many)
    seen = prompt.kinds == VISUAL
    number = np.cumsum(said) - 1
    seconds = prompt.words[said] - first + eta.TOKEN["0"]
    return np.where(seen, number, -1), np.where(seen, seconds[np.maximum(number, 0)], -1)


def collate(
    prompts: Sequence[Prompt],
    answers: Sequence[Sequence[int]] | None = None,
    inside: Sequence[NDArray[np.bool_]] | None = None,
    allowed: Sequence[NDArray[np.bool_]] | None = None,
    present: Sequence[int] | None = None,
) -> PromptBatch:
    """Put prompts, and their answers if given, side by side.

    With answers the padding is on the right, for training; without, on the left, so that all of
    them continue at the same place. ``inside`` tells of each frame whether it shows what was asked,
    ``allowed`` bool ``[a, words]`` of each word of an answer what else could be said; all, if None.
    ``present`` is that of :class:`PromptBatch`.
    """
    said = answers or [()] * len(prompts)
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, said, strict=True)]
    shape = (len(prompts), max(lengths))
    words, kinds, mask = (np.zeros(shape, np.int64) for _ in range(3))
    labels, times, within = (np.full(shape, IGNORED, np.int64) for _ in range(3))
    features = np.zeros((*shape, WIDTH), np.float32)
    for row, (prompt, answer, length) in enumerate(zip(prompts, said, lengths, strict=True)):
        first = 0 if answers else shape[1] - length
        middle = first + len(prompt)
        words[row, first:middle] = prompt.words
        words[row, middle : first + length] = answer
        kinds[row, first:middle] = prompt.kinds
        kinds[row, middle : first + length] = ANSWER
        features[row, first:middle] = prompt.features
        features[row, middle : first + length] = prompt.notes(answer)
        mask[row, first : first + length] = 1
        # The last position of the prompt foretells the first word of the answer.
        labels[row, middle - 1 : first + length - 1] = answer
        if inside is not None:
            frame, seconds = frames_of(prompt)
            seen = frame >= 0
            times[row, first:middle][seen] = seconds[seen]
            within[row, first:middle][seen] = inside[row][frame[seen]]
    if allowed is None:
        could = np.ones((sum(map(len, said)), len(eta.WORDS)), np.bool_)
    else:
        could = np.concatenate(allowed)
    there = np.array([IGNORED] * len(prompts) if present is None else present, np.int64)
    parts = (words, kinds, features, mask, labels, times, within, could, there)
    return PromptBatch(*(torch.from_numpy(part) for part in parts))
