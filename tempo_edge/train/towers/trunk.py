"""EfficientNet-Lite0 as a PyTorch module, arranged so that two CPU cores can train it.

Batch normalisation is folded into the convolutions before training: statistics of 13,000 pictures
would not be better than those of the 1.3 million that they come from, and nothing is left to
normalise. Depthwise filters keep their values: in bfloat16 on a CPU the gradient of one 5x5
depthwise filter costs forty times its use (58 against 1.4 ms for 480 channels of 10x10), and they
hold 5 % of the weights.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge.train.towers.backbones import BLOCKS, Convolution, Tensors, convolutions


class _Conv(nn.Module):
    """A convolution with TensorFlow's SAME padding, dense 1x1 or depthwise."""

    def __init__(self, about: Convolution, tensors: Tensors) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(tensors[f"{about.name}.weight"].copy()))
        self.bias = nn.Parameter(torch.from_numpy(tensors[f"{about.name}.bias"].copy()))
        self.about = about
        if about.depthwise:
            self.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        about = self.about
        before, after = about.padding
        if before != after:
            x = functional.pad(x, (before, after, before, after))
            before = 0
        if not about.depthwise:
            return functional.conv2d(x, self.weight, self.bias, about.stride, before)
        # A bias inside the convolution would bring the slow filter gradient back with it.
        if about.stride == 1 or x.device.type != "cpu":
            y = functional.conv2d(x, self.weight, None, about.stride, before, 1, len(self.weight))
        else:  # in bfloat16 this gradient takes thirty times as long
            with torch.autocast("cpu", enabled=False):
                y = functional.conv2d(
                    x.float(), self.weight, None, about.stride, before, 1, len(self.weight)
                ).to(x.dtype)
        return y + self.bias.to(y.dtype)[:, None, None]


class _Block(nn.Module):
    """An inverted bottleneck: widen, filter each channel, narrow; plus its input if it fits."""

    def __init__(self, index: int, tensors: Tensors) -> None:
        super().__init__()
        parts = convolutions(index)
        self.widen = _Conv(parts[0], tensors) if len(parts) == 3 else None
        self.depthwise = _Conv(parts[-2], tensors)
        self.narrow = _Conv(parts[-1], tensors)
        widest = tensors[f"{parts[0].name}.weight"].shape[1 if len(parts) == 3 else 0]
        self.residual = parts[-2].stride == 1 and len(tensors[f"{parts[-1].name}.weight"]) == widest

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.widen is None else functional.relu6(self.widen(x))
        y: Tensor = self.narrow(functional.relu6(self.depthwise(wide)))
        return x + y if self.residual else y


class Trunk(nn.Module):
    """All layers from pixels to the last feature map, split at `frozen` blocks.

    `stem` holds the first convolution and the first `frozen` blocks, which never learn and whose
    output can be kept; `top` holds the others.
    """

    def __init__(self, tensors: Tensors, frozen: int) -> None:
        """Build from folded tensors (`backbones.fold`); `frozen` is 0 to 16."""
        super().__init__()
        if not 0 <= frozen <= len(BLOCKS):
            raise ValueError(f"frozen={frozen}: 0 to {len(BLOCKS)} blocks can be frozen")
        first, last = convolutions(-1)[0], convolutions(len(BLOCKS))[0]
        self.first = _Conv(first, tensors)
        blocks = [_Block(index, tensors) for index in range(len(BLOCKS))]
        self.stem = nn.Sequential(*blocks[:frozen])
        self.top = nn.Sequential(*blocks[frozen:])
        self.last = _Conv(last, tensors)
        nn.Module.to(self, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.first.requires_grad_(False)
        self.stem.requires_grad_(False)

    @torch.no_grad()
    def stem_features(self, pictures: Tensor) -> Tensor:
        """The stem's output float ``[n, c, h/s, w/s]`` of pictures uint8 ``[n, h, w, 3]``.

        The definition: a run takes it from :class:`~tempo_edge.train.towers.stem.FrozenStem`, which
        is faster.
        """
        x = (pictures.permute(0, 3, 1, 2).float() - 127.0) / 128.0
        x = x.contiguous(memory_format=torch.channels_last)
        features: Tensor = self.stem(functional.relu6(self.first(x)))
        return features

    def forward(self, stem_features: Tensor) -> Tensor:
        """The last feature map ``[n, 1280, h, w]`` from the stem's output."""
        return functional.relu6(self.last(self.top(stem_features)))

    def tensors(self) -> Tensors:
        """Folded tensors by their names, float32, for the ONNX graph."""
        out: Tensors = {}
        for module in self.modules():
            if isinstance(module, _Conv):
                for part in ("weight", "bias"):
                    value: Tensor = getattr(module, part)
                    array = value.detach().cpu().float().contiguous().numpy()
                    out[f"{module.about.name}.{part}"] = np.array(array)
        return out
