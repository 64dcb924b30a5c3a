"""Prompts that were read once, pictures included, and can be answered many times."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tempo_edge.train.grounder.model.kv_cache import kv_cache_arguments
from tempo_edge.train.hub.family import HubFamily, ahead, following

__all__ = ["HubPrefill"]


class HubPrefill:
    """Prompts that can be continued in several copies each.

    ``logits`` float32 ``[p * group_size, words]`` belong to the first token of an answer.
    """

    def __init__(
        self, model: Any, family: HubFamily, inputs: dict[str, Tensor], group_size: int = 1
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
            **kv_cache_arguments(base, self._cache),
        )
        self._cache.batch_repeat_interleave(group_size)
        self._mask = inputs["attention_mask"].repeat_interleave(group_size, dim=0)
        self._next = following(places, group_size)
        self.logits: Tensor = out.logits[:, -1].float().repeat_interleave(group_size, dim=0)

    def weigh(self, tokens: Tensor, temperature: float) -> Tensor:
        """The log-probability of each of ``tokens`` ``[a]`` after each copy, ``[n, a]``.

        What is read to find out is forgotten again.
        """
        mask, places = self._mask, self._next
        said = self.log_probs(tokens.expand(len(mask), -1), temperature)
        self._cache.crop(1 - len(tokens))
        self._mask, self._next = mask, places
        return said

    def log_probs(self, tokens: Tensor, temperature: float = 1.0) -> Tensor:
        """The log-probability float32 ``[n, a]`` of each of ``tokens`` ``[n, a]``, read in turn."""
        tokens = tokens.to(self.logits.device)
        logits = torch.cat([self.logits[:, None], self.decode(tokens[:, :-1])], dim=1)
        # In place: of a large vocabulary there is no room for one more copy.
        said = torch.log_softmax(logits.div_(temperature), dim=-1)
        return said.gather(2, tokens[..., None])[..., 0]

    def decode(self, tokens: Tensor) -> Tensor:
        """The logits float32 ``[n, a, words]`` of what follows each of ``tokens`` ``[n, a]``."""
        tokens = tokens.to(self._mask.device)
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)], dim=1)
        places = ahead(self._next, tokens.shape[1], self._family.axes)
        self._next = self._next + tokens.shape[1]
        out = self._model(
            input_ids=tokens,
            attention_mask=self._mask,
            position_ids=self._family.positions(places),
            **kv_cache_arguments(self._model.get_base_model(), self._cache),
        )
        logits: Tensor = out.logits.float()
        return logits
