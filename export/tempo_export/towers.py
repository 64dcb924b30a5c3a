"""Towers of hub encoders as modules that take what the indexer has and give what search wants.

Pictures come in as bytes and sentences as token ids; out go unit vectors of the space that both
share, and besides them what a grounder reads: vectors of nine cells of a picture, and the states of
a sentence's tokens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "CELLS",
    "ClipImages",
    "ClipText",
    "PerceptionImages",
    "PerceptionText",
    "SiglipImages",
    "SiglipText",
    "cells_of",
]

#: Cells of a picture along either edge.
CELLS = 3


def cells_of(grid: int) -> Tensor:
    """Which patches a cell covers and how much of each: ``[CELLS**2, grid**2]``, rows of sum 1.

    A patch that two cells share counts for both by what lies in either.
    """
    edges = torch.arange(grid + 1) / grid * CELLS
    low, high = edges[:-1], edges[1:]
    cell = torch.arange(CELLS)[:, None]
    along = (torch.minimum(high, cell + 1) - torch.maximum(low, cell)).clamp(min=0)
    both = torch.einsum("ay,bx->abyx", along, along).reshape(CELLS**2, grid**2)
    return both / both.sum(dim=1, keepdim=True)


class _Pixels(nn.Module):
    """The beginning of every image tower: bytes to numbers of the scale of its training."""

    mean: Tensor
    deviation: Tensor
    cells: Tensor

    def __init__(self, grid: int, mean: list[float], deviation: list[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1) * 255)
        self.register_buffer("cells", cells_of(grid))

    def pixels(self, images: Tensor) -> Tensor:
        """What the tower takes, float32 ``[n, 3, s, s]``, of pictures uint8 ``[n, s, s, 3]``."""
        pixels = images.permute(0, 3, 1, 2).to(torch.float32)
        return (pixels - self.mean) / self.deviation

    def outside(self) -> Tensor:
        """What keeps a cell from patches that don't lie in it mostly: ``[9, patches]``, added."""
        inside = self.cells >= 0.5 * self.cells.amax(dim=1, keepdim=True)
        return torch.where(inside, 0.0, -1e4)


class _Images(_Pixels):
    """An image tower of transformers."""

    def __init__(self, model: Any, mean: list[float], deviation: list[float]) -> None:
        config = model.config.vision_config
        super().__init__(config.image_size // config.patch_size, mean, deviation)
        self.tower = model.vision_model

    def look(self, images: Tensor) -> Any:
        """The tower's own output for pictures uint8 ``[n, s, s, 3]``."""
        return self.tower(pixel_values=self.pixels(images))


class ClipImages(_Images):
    """Image tower of CLIP (Radford et al., 2021)."""

    def __init__(self, model: Any, mean: list[float], deviation: list[float]) -> None:
        super().__init__(model, mean, deviation)
        self.projection = model.visual_projection

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors ``[n, d]`` and cells ``[n, 9, d]``, each of unit length."""
        seen = self.look(images)
        patches = self.tower.post_layernorm(seen.last_hidden_state[:, 1:])
        tokens = self.projection(torch.matmul(self.cells, patches))
        vectors = self.projection(seen.pooler_output)
        return functional.normalize(vectors, dim=-1), functional.normalize(tokens, dim=-1)


class SiglipImages(_Images):
    """Image tower of SigLIP and SigLIP 2 (Zhai et al., 2023; Tschannen et al., 2025).

    A cell is looked at through the same pooling head as the picture, which attends to nothing but
    the patches that lie in it mostly.
    """

    mask: Tensor

    def __init__(self, model: Any, mean: list[float], deviation: list[float]) -> None:
        super().__init__(model, mean, deviation)
        self.register_buffer("mask", self.outside())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors ``[n, d]`` and cells ``[n, 9, d]``, each of unit length."""
        seen = self.look(images)
        patches, head = seen.last_hidden_state, self.tower.head
        asked = head.probe.repeat(patches.shape[0], CELLS**2, 1)
        found = head.attention(asked, patches, patches, attn_mask=self.mask)[0]
        tokens = found + head.mlp(head.layernorm(found))
        vectors = seen.pooler_output
        return functional.normalize(vectors, dim=-1), functional.normalize(tokens, dim=-1)


class PerceptionImages(_Pixels):
    """Image tower of Perception Encoder (Bolya et al., 2025), as timm has it.

    A cell is looked at through the same pooling as the picture, which attends to nothing but the
    patches that lie in it mostly.

    Args:
        trunk: the tower, with a pooling whose one query is learnt.
    """

    mask: Tensor

    def __init__(self, trunk: Any, mean: list[float], deviation: list[float]) -> None:
        super().__init__(trunk.patch_embed.grid_size[0], mean, deviation)
        self.trunk = trunk
        patches = self.outside()
        others = torch.full((len(patches), trunk.num_prefix_tokens), -1e4)
        self.register_buffer("mask", torch.cat([others, patches], dim=1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors ``[n, d]`` and cells ``[n, 9, d]``, each of unit length."""
        seen = self.trunk.forward_features(self.pixels(images))
        vectors = self.trunk.forward_head(seen)
        tokens = self.trunk.head(self.trunk.fc_norm(self._pooled(seen)))
        return functional.normalize(vectors, dim=-1), functional.normalize(tokens, dim=-1)

    def _pooled(self, seen: Tensor) -> Tensor:
        """What the pooling makes of each cell, ``[n, 9, w]``, of ``seen`` ``[n, patches, w]``."""
        pool = self.trunk.attn_pool
        heads = (pool.num_heads, pool.head_dim)
        asked = pool.q_norm(pool.q(pool.latent).unflatten(-1, heads).transpose(1, 2))
        both = pool.kv(seen).unflatten(-1, (2, *heads)).permute(2, 0, 3, 1, 4)
        keys, values = pool.k_norm(both[0]), both[1]
        weights = (asked * pool.scale) @ keys.transpose(-2, -1) + self.mask
        found: Tensor = pool.proj((weights.softmax(dim=-1) @ values).transpose(1, 2).flatten(2))
        inner: Tensor = pool.mlp(pool.norm(found))
        return found + inner


class ClipText(nn.Module):
    """Text tower of CLIP."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower, self.projection = model.text_model, model.text_projection

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors ``[n, d]`` and states ``[n, l, w]`` of token ids int64 ``[n, l]``."""
        read = self.tower(input_ids=input_ids)
        vectors = self.projection(read.pooler_output)
        return functional.normalize(vectors, dim=-1), read.last_hidden_state


class SiglipText(nn.Module):
    """Text tower of SigLIP and SigLIP 2, which reads the last of its 64 tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.text_model

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors ``[n, d]`` and states ``[n, l, w]`` of token ids int64 ``[n, l]``."""
        read = self.tower(input_ids=input_ids)
        return functional.normalize(read.pooler_output, dim=-1), read.last_hidden_state


class PerceptionText(nn.Module):
    """Text tower of Perception Encoder, as OpenCLIP has it."""

    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower
        tower.output_tokens = True

    def forward(self, input_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors ``[n, d]`` and states ``[n, l, w]`` of token ids int64 ``[n, l]``."""
        vectors, states = self.tower(input_ids)
        return functional.normalize(vectors, dim=-1), states
