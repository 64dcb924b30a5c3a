"""Small heads that make one vector of a shot's frames, and how they learn to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks._shots import Shots
from tempo_edge.train.towers.losses import contrastive_loss

__all__ = ["HEADS", "fit", "pooled", "weights"]

_WIDTH = 32
_TEMPERATURE, _RATE, _DECAY, _BATCH = 0.05, 1e-3, 0.1, 64


class _Residual(nn.Module, ABC):
    """The mean of the frames, and what `_more` adds to it; nothing at the beginning."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    @abstractmethod
    def _more(self, frames: Tensor) -> Tensor:
        """States ``[n, w]`` of frames ``[n, f, d]``, which `up` makes vectors of."""

    def forward(self, frames: Tensor) -> Tensor:
        """Unit vectors ``[n, d]`` of frames ``[n, f, d]``."""
        vectors: Tensor = frames.mean(dim=1) + self.up(self._more(frames))
        return functional.normalize(vectors, dim=-1)


class _Perceptron(_Residual):
    """A perceptron over the mean: the control, which learns as much and sees no time."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, 2 * _WIDTH)
        self.down = nn.Linear(dim, 2 * _WIDTH)

    def _more(self, frames: Tensor) -> Tensor:
        return functional.gelu(self.down(frames.mean(dim=1)))


class _Recurrent(_Residual):
    """A GRU over the frames in their order."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, _WIDTH)
        self.down = nn.Linear(dim, _WIDTH)
        self.cell = nn.GRU(_WIDTH, _WIDTH, batch_first=True)

    def _more(self, frames: Tensor) -> Tensor:
        last: Tensor = self.cell(self.down(frames))[1][0]
        return last


class _Transformer(_Residual):
    """Two layers of attention between the frames, which know their place in the shot."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim, _WIDTH)
        self.down, self.time = nn.Linear(dim, _WIDTH), nn.Linear(1, _WIDTH)
        layer = nn.TransformerEncoderLayer(_WIDTH, 2, 2 * _WIDTH, 0.1, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2)

    def _more(self, frames: Tensor) -> Tensor:
        at = torch.linspace(0.0, 1.0, frames.shape[1])[None, :, None]
        states: Tensor = self.layers(self.down(frames) + self.time(at))
        return states.mean(dim=1)


class _Attention(nn.Module):
    """A mean of the frames by learned weights; the plain mean at the beginning."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.hidden, self.weigh = nn.Linear(dim, _WIDTH), nn.Linear(_WIDTH, 1, bias=False)
        nn.init.zeros_(self.weigh.weight)

    def forward(self, frames: Tensor) -> Tensor:
        """Unit vectors ``[n, d]`` of frames ``[n, f, d]``."""
        share = self.weigh(torch.tanh(self.hidden(frames))).softmax(dim=1)
        return functional.normalize((share * frames).sum(dim=1), dim=-1)


#: Makers of heads by their names, for vectors of so many dimensions.
HEADS: dict[str, Callable[[int], nn.Module]] = {
    "perceptron on the mean (no time)": _Perceptron,
    "attention pooling": _Attention,
    "GRU": _Recurrent,
    "transformer, 2 layers": _Transformer,
}


def weights(head: nn.Module) -> int:
    """The number of a head's weights."""
    return sum(parameter.numel() for parameter in head.parameters())


def fit(
    make: Callable[[int], nn.Module],
    shots: Sequence[Shots],
    read: Callable[[str], NDArray[np.float32]],
    *,
    epochs: int,
    seed: int,
) -> nn.Module:
    """A head trained so that shots and what is said of them find each other.

    Every step has as many shots of one kind as of another, and an epoch is one round of the most
    numerous kind. Shots of one label are right for each other's sentences.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = make(shots[0].frames.shape[2])
    optimizer = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=_DECAY)
    frames = [torch.from_numpy(some.frames) for some in shots]
    each = _BATCH // len(shots)
    groups = _groups(shots)
    steps = epochs * max(1, max(len(some) for some in shots) // each)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        picks = [rng.integers(len(some), size=each) for some in shots]
        vectors = torch.cat([head(of[pick]) for of, pick in zip(frames, picks, strict=True)])
        said = [
            read(some.said[row][int(rng.integers(len(some.said[row])))])
            for some, pick in zip(shots, picks, strict=True)
            for row in pick
        ]
        group = torch.from_numpy(
            np.concatenate([of[pick] for of, pick in zip(groups, picks, strict=True)])
        )
        texts = torch.from_numpy(np.stack(said))
        loss = contrastive_loss(vectors, texts, _TEMPERATURE, group[:, None] == group[None])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        rates.step()
    return head.eval()


def _groups(shots: Sequence[Shots]) -> list[NDArray[np.int64]]:
    """A number for each shot, the same for those of one label."""
    known: dict[object, int] = {}
    return [
        np.array(
            [
                known.setdefault(label or (part, row), len(known))
                for row, label in enumerate(labels)
            ],
            np.int64,
        )
        for part, labels in enumerate(some.labels for some in shots)
    ]


def pooled(head: nn.Module, shots: Shots) -> NDArray[np.float32]:
    """Unit vectors float32 ``[n, d]`` of shots by a head."""
    with torch.no_grad():
        vectors: Tensor = head(torch.from_numpy(shots.frames))
    return np.asarray(vectors.numpy(), np.float32)
