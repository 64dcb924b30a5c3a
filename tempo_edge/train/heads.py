"""The two heads that carry frozen features into the shared space of 256 dimensions."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge.train.graph import Graph

DIM = 256


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
    """From unit sentence vectors [..., 384] to unit vectors [..., 256]."""

    def __init__(self, width: int, hidden: int = 768, dropout: float = 0.1) -> None:
        super().__init__()
        self.map = Residual(width, hidden, DIM, dropout)

    @torch.no_grad()
    def start(self, sentences: Tensor) -> None:
        """Begin as the best linear sketch of the sentence space: its leading directions."""
        _, _, axes = torch.linalg.svd(sentences, full_matrices=False)
        self.map.straight.weight.copy_(axes[:DIM])

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
    """From pooled features [..., 1280] to unit vectors [..., 256].

    Besides its learnt map, the head keeps what the classifier knows: the classifier's softmax
    weighs a table with one vector a class, which starts as the vectors of the class names. It
    is what finds objects that no caption of the training set names.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, classes: int, hidden: int = 1024, dropout: float = 0.2) -> None:
        super().__init__()
        self.map = Residual(width, hidden, DIM, dropout)
        self.logits = nn.Linear(width, classes)
        self.names = nn.Linear(classes, DIM, bias=False)
        self.logits.requires_grad_(False)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    @torch.no_grad()
    def start(
        self, features: Tensor, weight: Tensor, bias: Tensor, names: Tensor, temperature: float
    ) -> None:
        """Begin from the classifier's weights, the class names' vectors and feature statistics.

        `features` [M, width] is a sample, `weight` [classes, width] and `bias` [classes] the
        classifier, `names` [classes, 256] the unit vectors of the class names.
        """
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(1.0 / (features.std(dim=0) + 1e-3))
        self.logits.weight.copy_(weight / temperature)
        self.logits.bias.copy_(bias / temperature)
        self.names.weight.copy_(names.T)
        nn.init.normal_(self.map.straight.weight, std=0.1 / features.shape[1] ** 0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Unit vectors, float32 [..., 256]."""
        learnt: Tensor = self.map((features - self.mean) * self.scale)
        known: Tensor = self.names(functional.softmax(self.logits(features), dim=-1))
        return functional.normalize((learnt + known).float(), dim=-1)

    def build(self, graph: Graph, features: str) -> str:
        """Add the head to an ONNX graph and return the name of its output."""

        def array(value: Tensor) -> NDArray[np.float32]:
            return value.detach().cpu().float().numpy()

        centred = graph.op("Sub", features, graph.const(array(self.mean), "mean"))
        x = graph.op("Mul", centred, graph.const(array(self.scale), "scale"))
        learnt = _build_residual(graph, x, self.map, "image_head")
        weight, bias = array(self.logits.weight), array(self.logits.bias)
        logits = graph.linear(features, weight, bias, "classifier")
        share = graph.op("Softmax", logits, axis=-1)
        known = graph.linear(share, array(self.names.weight), None, "names")
        return graph.unit(graph.op("Add", learnt, known))
