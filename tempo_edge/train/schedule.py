"""The learning rate of a run over its steps, and the weights that decay."""

from __future__ import annotations

import math
from typing import Any

from torch import nn


def rate_share(step: int, warmup: int, total: int) -> float:
    """The share of the peak rate at `step`: a rise over `warmup` steps, then half a cosine to 0."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def decaying_groups(module: nn.Module, rate: float, decay: float) -> list[dict[str, Any]]:
    """Optimizer groups of a module's learning weights; biases and norms do not decay."""
    learning = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in learning if p.ndim > 1], "lr": rate, "weight_decay": decay},
        {"params": [p for p in learning if p.ndim < 2], "lr": rate, "weight_decay": 0.0},
    ]
