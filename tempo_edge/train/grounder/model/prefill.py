"""Prompts that the decoder has read once, and whose answers it can read in several copies."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tempo_edge.search.grounders.prompt import ANSWER, Prompt
from tempo_edge.train.grounder.model.collate import collate
from tempo_edge.train.grounder.model.kv_cache import kv_cache_arguments
from tempo_edge.train.grounder.model.network import GrounderNetwork

__all__ = ["Prefill"]


class Prefill:
    """Prompts that have been read once and can be continued in several copies each.

    ``logits`` float32 ``[p * group_size, words]`` belong to the first token of an answer, and
    ``odds`` float32 ``[p]`` are the log-odds that each window shows what it is asked for.
    """

    def __init__(
        self, model: GrounderNetwork, prompts: Sequence[Prompt], group_size: int = 1
    ) -> None:
        """Read the prompts; gradients flow if they are enabled."""
        from transformers import DynamicCache

        self._model = model
        self._device = next(model.parameters()).device
        batch = collate(prompts)
        features = batch.features.to(self._device)
        embedded = model.embed(batch.words.to(self._device), batch.kinds.to(self._device), features)
        mask, self._cache = batch.attention_mask.to(self._device), DynamicCache()
        decoder = model.llama.model
        out = decoder(
            inputs_embeds=embedded,
            attention_mask=mask,
            **kv_cache_arguments(decoder, self._cache),
        )
        last = out.last_hidden_state[:, -1]
        self.odds: Tensor = model.presence(last, features[:, -1])
        if group_size > 1:
            self._cache.batch_repeat_interleave(group_size)
        self._mask = mask.repeat_interleave(group_size, dim=0)
        logits: Tensor = model.llama.lm_head(last).float()
        self.logits = logits.repeat_interleave(group_size, dim=0)

    def decode(self, tokens: Tensor, notes: Tensor) -> Tensor:
        """The logits float32 ``[n, a, words]`` of what follows each of ``tokens`` int64 ``[n, a]``.

        ``notes`` float32 ``[n, a, WIDTH]`` are the prompt's, of each word.
        """
        tokens, notes = tokens.to(self._device), notes.to(self._device)
        self._mask = torch.cat([self._mask, torch.ones_like(tokens)], dim=1)
        out = self._model.llama(
            inputs_embeds=self._model.embed(tokens, torch.full_like(tokens, ANSWER), notes),
            attention_mask=self._mask,
            **kv_cache_arguments(self._model.llama, self._cache),
        )
        logits: Tensor = out.logits.float()
        return logits
