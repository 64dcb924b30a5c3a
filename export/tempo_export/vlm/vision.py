"""Vision towers with their projectors, for pictures of one size and any number of them.

The towers of the hub models take pictures of any size, side by side in one long row. At one size
all that depends on it is a constant, and what is left has a batch. So each tower is read here once
more, over the checkpoint's own layers.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from tempo_edge.train.data.archives import DataError
from tempo_edge.train.hub.family import HubFamily, SmolVLM

__all__ = ["Vision", "vision_of"]


class Vision(nn.Module):
    """Pictures uint8 ``[n, size, size, 3]`` to what the language model reads of each.

    ``forward`` gives float32 ``[n, tokens, hidden]``, and after it, where there are ``deep``
    features, ``[deep, n, tokens, hidden]``, which are added behind the first layers.
    """

    deep = 0

    def __init__(self, family: HubFamily, size: int) -> None:
        """Raises DataError if pictures of that size would be resized."""
        super().__init__()
        self.size = size
        edge = _edge(family, size)
        if size != edge:
            raise DataError(f"picture size {size} can't be kept: pictures would become {edge}")
        images = family.images
        mean, spread = (torch.tensor(part).view(3, 1, 1) for part in _levels(images))
        self.register_buffer("mean", mean / images.rescale_factor)
        self.register_buffer("spread", spread / images.rescale_factor)

    def pixels(self, pictures: Tensor) -> Tensor:
        """Float32 ``[n, 3, size, size]`` as the tower was taught."""
        samples = pictures.permute(0, 3, 1, 2).float()
        return (samples - cast(Tensor, self.mean)) / cast(Tensor, self.spread)


def vision_of(model: Any, family: HubFamily, size: int) -> Vision:
    """The tower of a model for pictures of `size` pixels a side."""
    kind = _Smol if isinstance(family, SmolVLM) else _Qwen
    return kind(model.model, family, size).eval()


def _levels(images: Any) -> tuple[list[float], list[float]]:
    if not (images.do_rescale and images.do_normalize):
        raise DataError("the image processor must rescale and normalize")
    return list(images.image_mean), list(images.image_std)


def _edge(family: HubFamily, size: int) -> int:
    """Pixels a side of what a picture of that size becomes."""
    seen, _ = family.see([np.zeros((size, size, 3), np.uint8)])
    if "image_grid_thw" in seen:
        patches = int(seen["image_grid_thw"][0, 1])
        return patches * int(family.config.vision_config.patch_size)
    return int(seen["pixel_values"].shape[-1])


class _Smol(Vision):
    """SmolVLM2: SigLIP, and a projector that folds squares of tokens into one."""

    def __init__(self, model: Any, family: HubFamily, size: int) -> None:
        super().__init__(family, size)
        tower = model.vision_model
        self.patches = tower.embeddings.patch_embedding
        self.layers = tower.encoder.layers
        self.norm = tower.post_layernorm
        self.connector = model.connector
        self.register_buffer("places", _looked_up(tower, size))

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        seen = self.patches(self.pixels(pictures)).flatten(2).transpose(1, 2)
        seen = seen + self.places
        for layer in self.layers:
            seen = layer(seen, None)
        return (self.connector(self.norm(seen)),)


def _looked_up(tower: Any, size: int) -> Tensor:
    """The rows of the table of places ``[1, patches, width]``, as the tower itself looks them up.

    It finds them by comparing fractions, which are rounded.
    """
    found: list[Tensor] = []
    table = tower.embeddings.position_embedding
    handle = table.register_forward_hook(lambda _, __, rows: found.append(rows))
    side = size // tower.patch_size
    mask = torch.ones((1, side, side), dtype=torch.bool)
    with torch.no_grad():
        tower.embeddings(torch.zeros((1, 3, size, size)), patch_attention_mask=mask)
    handle.remove()
    return found[0].clone()


class _Qwen(Vision):
    """The towers of Qwen2-VL, Qwen2.5-VL and Qwen3-VL."""

    def __init__(self, model: Any, family: HubFamily, size: int) -> None:
        super().__init__(family, size)
        tower = self.tower = model.visual
        config = family.config.vision_config
        self.heads = config.num_heads
        self.merge = config.spatial_merge_size
        self.side = size // config.patch_size
        weight = tower.patch_embed.proj.weight
        # A picture fills a temporal patch by being repeated: its weights add up.
        self.kernel = nn.Parameter(weight.sum(dim=2), requires_grad=False)
        self.bias = getattr(tower.patch_embed.proj, "bias", None)
        grid = torch.tensor([[1, self.side, self.side]])
        self._place(grid)
        self._window(grid)
        self.deeper = list(getattr(tower, "deepstack_visual_indexes", ()))
        self.deep = len(self.deeper)

    def _place(self, grid: Tensor) -> None:
        from transformers.vision_utils import (
            get_vision_interpolation_indices_and_weights,
            get_vision_position_ids,
        )

        tower: Any = self.tower
        width = self.kernel.shape[0]
        ids = get_vision_position_ids(grid, self.merge)
        cos, sin = tower.rotary_pos_emb(torch.zeros(1, width), ids)
        self.register_buffer("cos", cos.float()[:, None])
        self.register_buffer("sin", sin.float()[:, None])
        places = torch.zeros(1, width)
        if hasattr(tower, "pos_embed"):
            rows, shares = get_vision_interpolation_indices_and_weights(
                grid,
                num_grid_per_side=tower.num_grid_per_side,
                mode=tower.interpolation_mode,
                align_corners=tower.interpolation_align_corners,
                spatial_merge_size=self.merge,
            )
            with torch.no_grad():
                places = (tower.pos_embed(rows) * shares[:, :, None]).sum(1)
        self.register_buffer("places", places)

    def _window(self, grid: Tensor) -> None:
        """Who may look at whom: one mask for layers that see everything, one for the others."""
        from transformers.vision_utils import get_vision_window_index

        tower: Any = self.tower
        full = getattr(tower, "fullatt_block_indexes", range(len(tower.blocks)))
        self.windowed = [layer not in set(full) for layer in range(len(tower.blocks))]
        if not any(self.windowed):
            return
        # The tower sorts its tokens by window; here they stay, and the mask says the same.
        order, bounds = get_vision_window_index(
            grid, self.merge, tower.window_size, tower.patch_size
        )
        unit = self.merge**2
        number = torch.searchsorted(bounds[1:] // unit, torch.arange(len(order)), right=True)
        window = torch.empty(len(order), dtype=torch.long)
        window[order] = number
        window = window.repeat_interleave(unit)
        apart = window[:, None] != window[None]
        self.register_buffer("apart", torch.zeros(apart.shape).masked_fill(apart, -1e9))

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        tower: Any = self.tower
        patch = self.kernel.shape[-1]
        seen = nn.functional.conv2d(self.pixels(pictures), self.kernel, self.bias, stride=patch)
        # What is merged later must lie side by side.
        half, merge = self.side // self.merge, self.merge
        seen = seen.reshape(-1, seen.shape[1], half, merge, half, merge)
        seen = seen.permute(0, 2, 4, 3, 5, 1).flatten(1, 4) + cast(Tensor, self.places)
        deep = []
        for number, block in enumerate(tower.blocks):
            seen = seen + self._attend(block.attn, block.norm1(seen), self.windowed[number])
            seen = seen + block.mlp(block.norm2(seen))
            if number in self.deeper:
                merger = tower.deepstack_merger_list[self.deeper.index(number)]
                deep.append(self._merged(merger, seen))
        merged = self._merged(tower.merger, seen)
        return (merged, torch.stack(deep)) if deep else (merged,)

    def _merged(self, merger: Any, seen: Tensor) -> Tensor:
        tokens = seen.shape[1] // self.merge**2
        merged: Tensor = merger(seen.flatten(0, 1))
        return merged.reshape(-1, tokens, merged.shape[-1])

    def _attend(self, layer: Any, seen: Tensor, windowed: bool) -> Tensor:
        length, width = seen.shape[1:]
        parts = layer.qkv(seen).reshape(-1, length, 3, self.heads, width // self.heads)
        queries, keys, values = (parts[:, :, number] for number in range(3))
        queries, keys = (self._turned(part).transpose(1, 2) for part in (queries, keys))
        scores = queries @ keys.transpose(2, 3) * (width // self.heads) ** -0.5
        if windowed:
            scores = scores + cast(Tensor, self.apart)
        mixed = scores.softmax(dim=-1) @ values.transpose(1, 2)
        found: Tensor = layer.proj(mixed.transpose(1, 2).flatten(2))
        return found

    def _turned(self, part: Tensor) -> Tensor:
        """Rotary position embedding of ``[n, patches, heads, size]``, halves apart."""
        low, high = part.chunk(2, dim=-1)
        across = torch.cat([-high, low], dim=-1)
        return part * cast(Tensor, self.cos) + across * cast(Tensor, self.sin)
