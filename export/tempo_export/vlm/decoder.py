"""The language model as one step: what it reads now, and what it remembers of before.

With nothing remembered a step reads the whole prompt, with one new token it says the next word: one
graph does both, so that weights are loaded once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tempo_edge.train.data.archives import DataError
from tempo_edge.train.hub.family import HubFamily

__all__ = ["Decoder", "Embedding"]


class Embedding(nn.Module):
    """Tokens int64 ``[b, t]`` to what the decoder reads, float32 ``[b, t, hidden]``."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.table = model.get_input_embeddings()

    def forward(self, words: Tensor) -> Tensor:
        read: Tensor = self.table(words)
        return read


class _Memory:
    """A layer's keys and values, as attention asks for them: the old ones before the new."""

    def __init__(self, past: tuple[Tensor, ...]) -> None:
        self._past = past
        self.present: list[Tensor] = []

    def update(self, keys: Tensor, values: Tensor, layer: int, **_: Any) -> tuple[Tensor, Tensor]:
        both = [
            torch.cat([past, new], dim=2)
            for past, new in zip(self._past[2 * layer : 2 * layer + 2], (keys, values), strict=True)
        ]
        self.present += both
        return both[0], both[1]


class Decoder(nn.Module):
    """The layers of a language model, and its head on the last position.

    Attributes:
        layers, heads, width: how many there are, of keys and values, and how wide each is.
        deep: how many of the first layers a picture's deeper features are added behind.
    """

    def __init__(self, model: Any, family: HubFamily, deep: int) -> None:
        """Raises DataError if a layer sees a part of the past only."""
        super().__init__()
        inner = model.model
        self.reader = inner.text_model if hasattr(inner, "text_model") else inner.language_model
        self.head = model.lm_head
        config = self.reader.config
        if "sliding_attention" in (getattr(config, "layer_types", None) or ()):
            raise DataError("a layer with sliding attention can't be exported")
        # The form that needs no kernel of its own.
        config._attn_implementation = "eager"
        self.family, self.deep = family, deep
        self.layers: int = config.num_hidden_layers
        self.heads: int = config.num_key_value_heads
        self.width: int = (
            getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        )
        self.hidden: int = config.hidden_size

    def forward(self, embeds: Tensor, positions: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """One step.

        Args:
            embeds: float32 ``[b, t, hidden]``.
            positions: int64 ``[axes, b, t]``.
            rest: if there are ``deep`` features, those first, float32 ``[deep, b, t, hidden]``, 0
                where no picture is; then the keys and the values of each layer in turn, ``[b,
                heads, p, width]``.

        Returns:
            logits ``[b, words]`` of what follows the last position; then keys and values with the
            ``t`` new ones behind the old.
        """
        features, past = (rest[0], rest[1:]) if self.deep else (None, rest)
        memory = _Memory(past)
        reader: Any = self.reader
        turns = reader.rotary_emb(embeds, self.family.positions(positions))
        mask = _causal(past[0], embeds)
        read = embeds
        for number, layer in enumerate(reader.layers):
            read = layer(read, attention_mask=mask, position_embeddings=turns, cache=memory)
            if features is not None and number < self.deep:
                read = read + features[number]
        logits: Tensor = self.head(reader.norm(read[:, -1]))
        return (logits, *memory.present)


def _causal(past: Tensor, embeds: Tensor) -> Tensor:
    """The causal mask, float32 ``[1, 1, t, p + t]``: no position looks at those after it."""
    before = torch.ones_like(past[0, 0, :, 0], dtype=torch.long)
    new = torch.ones_like(embeds[0, :, 0], dtype=torch.long)
    every = torch.cat([before, new]).cumsum(0)
    own = before.sum() + new.cumsum(0)
    later = every[None, :] > own[:, None]
    return torch.zeros(later.shape).masked_fill(later, -1e9)[None, None]
