"""Prompts that were read once, pictures included, and can be answered many times."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tempo_edge.train.grounder.model.kv_cache import with_memory
from tempo_edge.train.hub.family import Family, ahead, following

__all__ = ["Reading"]


class Reading:
    """Prompts that can be continued in several copies each.

    ``logits`` float32 ``[p * copies, words]`` are those of the first word of an answer.
    """

    def __init__(
        self, model: Any, family: Family, inputs: dict[str, Tensor], copies: int = 1
    ) -> None:
        """`model` is wrapped by ``peft``; gradients flow if they are enabled."""
        from transformers import DynamicCache

        self._model, self._family, self._cache = model, family, DynamicCache()
        base = model.get_base_model()
        places = family.places(base, inputs)
        out = model(
            **inputs,
            position_ids=family.positions(places),
            logits_to_keep=1,
            **with_memory(base, self._cache),
        )
        self._cache.batch_repeat_interleave(copies)
        self._mask = inputs["attention_mask"].repeat_interleave(copies, dim=0)
        self._next = following(places, copies)
        self.logits: Tensor = out.logits[:, -1].float().repeat_interleave(copies, dim=0)

    def go_on(self, words: Tensor) -> Tensor:
        """Say ``words`` int64 ``[n, a]``; logits ``[n, a, words]`` of what follows each."""
        words = words.to(self._mask.device)
        self._mask = torch.cat([self._mask, torch.ones_like(words)], dim=1)
        places = ahead(self._next, words.shape[1], self._family.axes)
        self._next = self._next + words.shape[1]
        out = self._model(
            input_ids=words,
            attention_mask=self._mask,
            position_ids=self._family.positions(places),
            **with_memory(self._model.get_base_model(), self._cache),
        )
        logits: Tensor = out.logits.float()
        return logits
