"""Caption pretraining: the text tower learns from captions alone, before it meets pictures.

Five people who describe one picture choose other words for the same things. Two of their
sentences are drawn together, and each must find the other among all sentences of the batch and
their minimal pairs, which say nearly the same and are wrong.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tempo_edge.evaluation.minimal_pairs import swap
from tempo_edge.train.precision import autocast
from tempo_edge.train.progress_log import Say
from tempo_edge.train.towers.encoders import SentenceEncoder
from tempo_edge.train.towers.losses import contrastive_loss
from tempo_edge.train.towers.tokens import Encode


@dataclass(frozen=True)
class PretrainingSettings:
    """The settings of the pretraining: all that it depends on besides its captions."""

    seed: int = 0
    epochs: int = 2
    batch: int = 512
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warmup: float = 0.1
    temperature: float = 0.05
    swapped: float = 0.25
    bfloat16: bool = True


def pretrain(
    encoder: SentenceEncoder,
    groups: Sequence[Sequence[str]],
    encode: Encode,
    settings: PretrainingSettings,
    *,
    say: Say = print,
) -> None:
    """Train `encoder` in place on groups of captions, each group of one picture."""
    rng = np.random.default_rng(settings.seed)
    parameters = [p for p in encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    device = parameters[0].device
    steps = settings.epochs * (len(groups) // settings.batch)
    warmup = max(1, round(settings.warmup * steps))
    step, started = 0, time.monotonic()
    encoder.train()
    for epoch in range(1, settings.epochs + 1):
        losses: list[float] = []
        order = rng.permutation(len(groups))
        for at in range(0, len(order) - settings.batch + 1, settings.batch):
            pairs = [rng.permutation(groups[row])[:2] for row in order[at : at + settings.batch]]
            first, second = [str(p[0]) for p in pairs], [str(p[1]) for p in pairs]
            wanted = max(1, round(settings.swapped * len(pairs)))
            changed = [swap(sentence, rng) for sentence in second[:wanted]]
            wrong = [each.sentence for each in changed if each is not None]
            for group in optimizer.param_groups:
                rise, fall = (step + 1) / warmup, (steps - step) / max(1, steps - warmup)
                group["lr"] = settings.learning_rate * min(1.0, rise, fall)
            with autocast(device.type, settings.bfloat16):
                vectors = encoder(encode([*first, *second, *wrong]))
            ours, theirs, changed_vectors = vectors.split([len(first), len(second), len(wrong)])
            right = torch.eye(len(first), dtype=torch.bool, device=device)
            loss = contrastive_loss(ours, theirs, settings.temperature, right, changed_vectors)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            losses.append(float(loss.detach()))
            step += 1
            if step % 10 == 0:
                took = (time.monotonic() - started) / step
                recent = float(np.mean(losses[-10:]))
                say(f"reading step {step}/{steps}: loss {recent:.3f}, {took:.1f} s a step")
        say(f"reading epoch {epoch}/{settings.epochs}: loss {float(np.mean(losses)):.3f}")
