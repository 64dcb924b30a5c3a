"""The two heads that carry frozen features into the shared space of 256 dimensions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge.train.onnx_graph import Graph
from tempo_edge.train.towers.backbones import GRID

DIM = 256
_GROUPS = 8
_GAIN = 4.0


class Residual(nn.Module):
    """A linear map plus a two-layer perceptron that starts as nothing."""

    def __init__(self, width: int, hidden: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.straight = nn.Linear(width, dim)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, dim, bias=False)
        self.drop = nn.Dropout(dropout)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.straight.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., width] to [..., dim], float32."""
        x = self.drop(x)
        bent: Tensor = self.down(self.drop(functional.gelu(self.up(x))))
        straight: Tensor = self.straight(x)
        return straight + bent

    @torch.no_grad()
    def load(self, hint: str, written: Mapping[str, NDArray[np.float32]]) -> None:
        """Take up the weights that a graph holds under ``hint``."""
        for part in ("straight", "up", "down"):
            layer: nn.Linear = getattr(self, part)
            layer.weight.copy_(torch.from_numpy(written[f"{hint}.{part}"]).T)
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(written[f"{hint}.{part}_bias"]))


def _build_residual(graph: Graph, x: str, module: Residual, hint: str) -> str:
    def array(value: Tensor) -> NDArray[np.float32]:
        return value.detach().cpu().float().numpy()

    straight = graph.linear(
        x, array(module.straight.weight), array(module.straight.bias), f"{hint}.straight"
    )
    up = graph.linear(x, array(module.up.weight), array(module.up.bias), f"{hint}.up")
    down = graph.linear(graph.gelu(up), array(module.down.weight), None, f"{hint}.down")
    return graph.op("Add", straight, down)


class TextHead(nn.Module):
    """The map from unit sentence vectors ``[..., 384]`` to unit vectors float32 ``[..., 256]``."""

    def __init__(self, width: int, hidden: int = 768, dropout: float = 0.1) -> None:
        super().__init__()
        self.map = Residual(width, hidden, DIM, dropout)

    @torch.no_grad()
    def start(self, sentences: Tensor) -> None:
        """Begin as the best linear sketch of the sentence space: its leading directions."""
        _, _, axes = torch.linalg.svd(sentences, full_matrices=False)
        self.map.straight.weight.copy_(axes[:DIM])

    def load(self, written: Mapping[str, NDArray[np.float32]]) -> None:
        """Take up the weights of a graph that :meth:`build` wrote, by their names there."""
        self.map.load("text_head", written)

    def forward(self, sentences: Tensor) -> Tensor:
        """Unit vectors, float32 [..., 256]."""
        # Unit sentence vectors have entries near 1/sqrt(width); the perceptron wants about 1.
        out: Tensor = self.map(sentences * sentences.shape[-1] ** 0.5)
        return functional.normalize(out.float(), dim=-1)

    def build(self, graph: Graph, sentences: str) -> str:
        """Add the head to an ONNX graph and return the name of its output."""
        width = self.map.straight.in_features
        scaled = graph.op("Mul", sentences, graph.number(width**0.5))
        return graph.unit(_build_residual(graph, scaled, self.map, "text_head"))


class ImageHead(nn.Module):
    """The map from the last feature map ``[n, 1280, h, w]`` to unit vectors float32 ``[n, 256]``.

    Besides its learnt map, the head keeps what the classifier knows: the classifier's softmax
    weighs a table with one vector a class, which starts as the vectors of the class names. It
    is what finds objects that no caption of the training set names. The learnt map reads an
    attention-weighted mean, one set of weights for each of `_GROUPS` groups of channels, which
    starts as the plain mean that the classifier reads.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, classes: int, hidden: int = 1024, dropout: float = 0.2) -> None:
        super().__init__()
        self.attend = nn.Conv2d(width, _GROUPS, 1, groups=_GROUPS, bias=False)
        self.map = Residual(width, hidden, DIM, dropout)
        self.logits = nn.Linear(width, classes)
        self.names = nn.Linear(classes, DIM, bias=False)
        # The learnt map grows to a length near 10; without this, nobody would hear the names.
        self.gain = nn.Parameter(torch.tensor(_GAIN))
        nn.init.zeros_(self.attend.weight)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    @torch.no_grad()
    def start(self, features: Tensor, weight: Tensor, bias: Tensor, names: Tensor) -> None:
        """Begin from the classifier's weights, the class names' vectors and feature statistics.

        `features` [M, width] is a sample, `weight` [classes, width] and `bias` [classes] the
        classifier, `names` [classes, 256] the unit vectors of the class names.
        """
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(1.0 / (features.std(dim=0) + 1e-3))
        self.logits.weight.copy_(weight)
        self.logits.bias.copy_(bias)
        self.names.weight.copy_(names.T)
        nn.init.normal_(self.map.straight.weight, std=0.1 / features.shape[1] ** 0.5)

    @torch.no_grad()
    def load(self, written: Mapping[str, NDArray[np.float32]]) -> None:
        """Take up the weights of a graph that :meth:`build` wrote, by their names there."""

        def take(into: Tensor, name: str, turned: bool = False) -> None:
            array = torch.from_numpy(written[name])
            into.copy_((array.T if turned else array).reshape(into.shape))

        take(self.mean, "mean")
        take(self.scale, "scale")
        take(self.attend.weight, "attend")
        self.attend.weight /= self.scale.reshape(_GROUPS, -1, 1, 1)
        take(self.logits.weight, "classifier", turned=True)
        take(self.logits.bias, "classifier_bias")
        take(self.names.weight, "names", turned=True)
        self.names.weight /= self.gain
        self.map.load("image_head", written)

    def pool(self, maps: Tensor) -> Tensor:
        """The attention-weighted mean over places, float32 [N, width]."""
        count, width, height, breadth = maps.shape
        # The statistics keep one loud channel from deciding where to look.
        seen = (maps.float() - self.mean[:, None, None]) * self.scale[:, None, None]
        weight = functional.softmax(self.attend(seen).float().flatten(2), dim=-1)
        places = maps.float().view(count, _GROUPS, width // _GROUPS, height * breadth)
        return (places * weight[:, :, None]).sum(dim=-1).flatten(1)

    def embed(self, pooled: Tensor, mean: Tensor) -> Tensor:
        """Unit vectors, float32 [..., 256], of what the map and what the classifier reads."""
        learnt: Tensor = self.map((pooled - self.mean) * self.scale)
        known: Tensor = self.names(functional.softmax(self.logits(mean).float(), dim=-1))
        return functional.normalize((learnt + self.gain * known).float(), dim=-1)

    def forward(self, maps: Tensor) -> Tensor:
        """Unit vectors, float32 [N, 256], of whole pictures."""
        return self.embed(self.pool(maps), maps.float().mean(dim=(2, 3)))

    def build(self, graph: Graph, maps: str) -> tuple[str, str]:
        """Add the head to an ONNX graph; returns the picture's vector and its nine tokens."""

        def array(value: Tensor) -> NDArray[np.float32]:
            return value.detach().cpu().float().numpy()

        width = len(self.mean)
        # (maps - mean) * scale comes before a linear map, so both can live in its weights; the
        # constant that the mean adds to every place vanishes in the softmax.
        attend = array(self.attend.weight)
        attend = attend * array(self.scale).reshape(_GROUPS, width // _GROUPS, 1, 1)
        score = graph.op("Conv", maps, graph.weight(attend, "attend"), group=_GROUPS)
        weight = graph.op(
            "Softmax", graph.op("Reshape", score, graph.ints(0, _GROUPS, 1, -1)), axis=-1
        )
        places = graph.op("Reshape", maps, graph.ints(0, _GROUPS, width // _GROUPS, -1))
        turned = graph.op("Transpose", weight, perm=[0, 1, 3, 2])
        pooled = graph.op("Reshape", graph.op("MatMul", places, turned), graph.ints(0, 1, width))
        mean = graph.op("Reshape", graph.op("GlobalAveragePool", maps), graph.ints(0, 1, width))
        cells = graph.op("AveragePool", maps, kernel_shape=[3, 3], strides=[2, 2])
        grid = graph.op(
            "Transpose",
            graph.op("Reshape", cells, graph.ints(0, width, GRID * GRID)),
            perm=[0, 2, 1],
        )
        # One matrix product for the picture and its grid: ten rows a picture through one head.
        to_map = graph.op("Concat", pooled, grid, axis=1)
        to_classes = graph.op("Concat", mean, grid, axis=1)
        centred = graph.op("Sub", to_map, graph.const(array(self.mean), "mean"))
        x = graph.op("Mul", centred, graph.const(array(self.scale), "scale"))
        learnt = _build_residual(graph, x, self.map, "image_head")
        logits = graph.linear(
            to_classes, array(self.logits.weight), array(self.logits.bias), "classifier"
        )
        share = graph.op("Softmax", logits, axis=-1)
        known = graph.linear(share, array(self.gain * self.names.weight), None, "names")
        rows = graph.unit(graph.op("Add", learnt, known))
        first = graph.op("Slice", rows, graph.ints(0), graph.ints(1), graph.ints(1))
        tokens = graph.op("Slice", rows, graph.ints(1), graph.ints(GRID * GRID + 1), graph.ints(1))
        return graph.op("Squeeze", first, graph.ints(1)), tokens
