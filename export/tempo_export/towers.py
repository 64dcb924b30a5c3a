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

__all__ = ["CELLS", "ClipImages", "ClipText", "SiglipImages", "SiglipText", "cells_of"]

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


class _Images(nn.Module):
    """The beginning of every image tower: bytes to numbers of the scale of its training."""

    mean: Tensor
    deviation: Tensor
    cells: Tensor

    def __init__(self, model: Any, mean: list[float], deviation: list[float]) -> None:
        super().__init__()
        self.tower = model.vision_model
        config = model.config.vision_config
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1) * 255)
        self.register_buffer("cells", cells_of(config.image_size // config.patch_size))

    def look(self, images: Tensor) -> Any:
        """The tower's own output for pictures uint8 ``[n, s, s, 3]``."""
        pixels = images.permute(0, 3, 1, 2).to(torch.float32)
        return self.tower(pixel_values=(pixels - self.mean) / self.deviation)


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

    outside: Tensor

    def __init__(self, model: Any, mean: list[float], deviation: list[float]) -> None:
        super().__init__(model, mean, deviation)
        inside = self.cells >= 0.5 * self.cells.amax(dim=1, keepdim=True)
        self.register_buffer("outside", torch.where(inside, 0.0, -1e4))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors ``[n, d]`` and cells ``[n, 9, d]``, each of unit length."""
        seen = self.look(images)
        patches, head = seen.last_hidden_state, self.tower.head
        asked = head.probe.repeat(patches.shape[0], CELLS**2, 1)
        found = head.attention(asked, patches, patches, attn_mask=self.outside)[0]
        tokens = found + head.mlp(head.layernorm(found))
        vectors = seen.pooler_output
        return functional.normalize(vectors, dim=-1), functional.normalize(tokens, dim=-1)


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
