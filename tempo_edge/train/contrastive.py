"""The contrastive loss and the loop that trains both heads on cached features."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge.train.heads import ImageHead, TextHead

Say = Callable[[str], None]


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on besides its data; chosen on the dev splits."""

    seed: int = 0
    epochs: int = 30
    batch: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    warmup: float = 0.1
    ema: float = 0.99
    temperature: float = 0.05
    classifier_temperature: float = 1.0
    image_hidden: int = 1024
    text_hidden: int = 768
    image_dropout: float = 0.2
    text_dropout: float = 0.1
    label_weight: float = 0.3
    distill_weight: float = 0.3
    grid_share: float = 0.2


@dataclass
class Corpus:
    """Pictures and the sentences that belong to them, as features.

    `views` holds float16 arrays [N, 10, 1280], one for each view; `sentences` is float32
    [S, 384]; `spans[i]` is the half-open range of sentences of picture i; `label[i]` is the row
    of `names` that picture i is known to show, or -1; `names` holds for each label the float32
    vectors [P, 384] of its prompts; the first 1,000 labels are the classifier's classes.
    """

    views: list[NDArray[np.float16]]
    sentences: NDArray[np.float32]
    spans: NDArray[np.int64]
    label: NDArray[np.int64]
    names: NDArray[np.float32]
    classifier: tuple[NDArray[np.float32], NDArray[np.float32]] = field(repr=False)


def contrastive_loss(
    images: Tensor, texts: Tensor, temperature: Tensor | float, group: Tensor | None = None
) -> Tensor:
    """Symmetric cross-entropy between unit vectors [B, D] of pictures and their sentences.

    Pairs whose `group` (int64 [B]) agrees are all right answers for each other and share the
    target's weight; without it only the diagonal is right. Returns a scalar.
    """
    scores = images @ texts.T / temperature
    if group is None:
        target = torch.eye(len(images), dtype=scores.dtype, device=scores.device)
    else:
        target = (group[:, None] == group[None, :]).to(scores.dtype)
        target = target / target.sum(dim=1, keepdim=True)
    forth = functional.cross_entropy(scores, target)
    back = functional.cross_entropy(scores.T, target)
    return (forth + back) / 2


def name_vectors(head: TextHead, names: Tensor) -> Tensor:
    """Unit label vectors [K, 256] as the mean over prompts of `names` [K, P, 384]."""
    return functional.normalize(head(names).mean(dim=1), dim=-1)


class _Sampler:
    """Draws a view, a slot and a sentence for every picture of a batch."""

    def __init__(self, corpus: Corpus, config: Config, rng: np.random.Generator) -> None:
        self._corpus = corpus
        self._config = config
        self._rng = rng

    def epoch(self) -> list[NDArray[np.int64]]:
        """Shuffled batches of picture numbers; a last short batch is left out."""
        order = self._rng.permutation(len(self._corpus.label))
        size = min(self._config.batch, len(order))
        return [order[i : i + size] for i in range(0, len(order) - size + 1, size)]

    def features(self, rows: NDArray[np.int64]) -> Tensor:
        """One feature a picture, float32 [B, 1280]: mostly the mean, sometimes a part."""
        chosen = self._rng.integers(0, len(self._corpus.views), len(rows))
        part = self._rng.random(len(rows)) < self._config.grid_share
        slots = np.where(part, self._rng.integers(1, 10, len(rows)), 0)
        out = np.empty((len(rows), self._corpus.views[0].shape[-1]), np.float32)
        for index, features in enumerate(self._corpus.views):
            at = np.flatnonzero(chosen == index)
            whole = features[rows[at]]
            picked = whole[np.arange(len(at)), slots[at]].astype(np.float32)
            # A single cell seldom shows what the caption says; half of the mean keeps it honest.
            mean = whole[:, 0].astype(np.float32)
            out[at] = np.where(part[at, None], 0.5 * (picked + mean), mean)
        return torch.from_numpy(out)

    def texts(self, rows: NDArray[np.int64]) -> Tensor:
        """One sentence vector a picture, float32 [B, 384]."""
        first, last = self._corpus.spans[rows].T
        return torch.from_numpy(self._corpus.sentences[self._rng.integers(first, last)])


def _average(slow: nn.Module, fast: nn.Module, keep: float) -> None:
    with torch.no_grad():
        for kept, new in zip(slow.parameters(), fast.parameters(), strict=True):
            kept.lerp_(new, 1.0 - keep)


def build_heads(corpus: Corpus, config: Config) -> tuple[ImageHead, TextHead]:
    """Heads that already know the classifier's classes by name, before any training."""
    torch.manual_seed(config.seed)
    text = TextHead(corpus.sentences.shape[1], config.text_hidden, config.text_dropout)
    text.start(torch.from_numpy(corpus.sentences))
    weight, bias = (torch.from_numpy(part) for part in corpus.classifier)
    image = ImageHead(weight.shape[1], len(weight), config.image_hidden, config.image_dropout)
    sample = torch.from_numpy(corpus.views[0][:, 0].astype(np.float32))
    with torch.no_grad():
        names = name_vectors(text.eval(), torch.from_numpy(corpus.names[: len(weight)]))
    image.start(sample, weight, bias, names, config.classifier_temperature)
    return image, text


def _label_losses(
    config: Config, corpus: Corpus, features: Tensor, images: Tensor, names: Tensor, label: Tensor
) -> Tensor:
    """Right label among all labels, and agreement with the classifier about its classes."""
    loss = images.new_zeros(())
    scores = images @ names.T / config.temperature
    known = label >= 0
    if config.label_weight and bool(known.any()):
        loss = loss + config.label_weight * functional.cross_entropy(scores[known], label[known])
    if config.distill_weight:
        weight, bias = (torch.from_numpy(part) for part in corpus.classifier)
        teacher = functional.softmax(features @ weight.T + bias, dim=-1)
        loss = loss + config.distill_weight * functional.cross_entropy(
            scores[:, : len(weight)], teacher
        )
    return loss


def train(
    corpus: Corpus,
    config: Config,
    *,
    say: Say = print,
    check: Callable[[ImageHead, TextHead], str] | None = None,
) -> tuple[ImageHead, TextHead]:
    """Train both heads and return their averaged weights, in evaluation mode.

    `check` is called every few epochs with the averaged heads; what it returns is said.
    """
    image, text = build_heads(corpus, config)
    slow_image, slow_text = copy.deepcopy(image).eval(), copy.deepcopy(text).eval()
    log_scale = nn.Parameter(torch.tensor(math.log(1.0 / config.temperature)))
    parameters = [p for m in (image, text) for p in m.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        {"params": [log_scale], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))
    sampler = _Sampler(corpus, config, np.random.default_rng(config.seed))
    steps = config.epochs * len(sampler.epoch())
    warmup = max(1, round(config.warmup * steps))

    def pace(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, pace)
    prompts = torch.from_numpy(corpus.names)
    groups_of = np.where(corpus.label >= 0, corpus.label, len(corpus.names) + np.arange(len(corpus.label)))
    for epoch in range(config.epochs):
        image.train()
        text.train()
        total = 0.0
        batches = sampler.epoch()
        for rows in batches:
            features = sampler.features(rows)
            vectors = image(features)
            scale = log_scale.exp().clamp(max=100.0)
            loss = contrastive_loss(
                vectors, text(sampler.texts(rows)), 1.0 / scale, torch.from_numpy(groups_of[rows])
            )
            names = name_vectors(text, prompts)
            label = torch.from_numpy(corpus.label[rows])
            loss = loss + _label_losses(config, corpus, features, vectors, names, label)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            _average(slow_image, image, config.ema)
            _average(slow_text, text, config.ema)
            total += float(loss.detach())
        if check is not None and (epoch % 5 == 4 or epoch == config.epochs - 1):
            mean = total / len(batches)
            say(f"epoch {epoch + 1}/{config.epochs}: loss {mean:.3f}; {check(slow_image, slow_text)}")
    return slow_image, slow_text
