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
_NEARNESS = 0.1  # temperature of the cosine between two sentences


@dataclass(frozen=True)
class Config:
    """Everything that a run depends on besides its data; chosen on the dev splits."""

    seed: int = 0
    epochs: int = 30
    batch: int = 1024
    learning_rate: float = 3e-3
    weight_decay: float = 0.3
    warmup: float = 0.1
    ema: float = 0.99
    temperature: float = 0.05
    classifier_temperature: float = 1.0
    image_hidden: int = 2048
    text_hidden: int = 1024
    image_dropout: float = 0.4
    text_dropout: float = 0.2
    label_weight: float = 0.3
    distill_weight: float = 0.3
    grid_share: float = 0.2
    captions: int = 5
    soft: float = 0.0
    bfloat16: bool = True


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


def targets(group: Tensor, sentences: Tensor | None = None, soft: float = 0.0) -> Tensor:
    """Which sentence of a batch answers which picture: float32 [B, B], rows add up to 1.

    Pairs whose `group` (int64 [B]) agrees are all right and share the weight. A share `soft` of
    it goes to sentences that nearly say the same, by the cosine of `sentences` [B, 384].
    """
    same = (group[:, None] == group[None, :]).float()
    hard = same / same.sum(dim=1, keepdim=True)
    if sentences is None or soft <= 0.0:
        return hard
    near = functional.softmax(sentences @ sentences.T / _NEARNESS, dim=1)
    return (1.0 - soft) * hard + soft * near


def contrastive_loss(
    images: Tensor, texts: Tensor, temperature: Tensor | float, target: Tensor | None = None
) -> Tensor:
    """Symmetric cross-entropy between unit vectors [B, D] of pictures and their sentences.

    `target` is [B, B] with rows that add up to 1; without it only the diagonal is right.
    Returns a scalar.
    """
    scores = images @ texts.T / temperature
    if target is None:
        target = torch.eye(len(images), dtype=scores.dtype, device=scores.device)
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

    def prompt(self, count: int) -> int:
        """The number of the prompt that stands for every label in this step."""
        return int(self._rng.integers(count))

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


class _Trainer:
    """The state of a run: heads, their slow averages, the optimizer and its schedule."""

    def __init__(self, corpus: Corpus, config: Config) -> None:
        self.corpus = corpus
        self.config = config
        self.image, self.text = build_heads(corpus, config)
        self.slow_image = copy.deepcopy(self.image).eval()
        self.slow_text = copy.deepcopy(self.text).eval()
        self._log_scale = nn.Parameter(torch.tensor(math.log(1.0 / config.temperature)))
        self.sampler = _Sampler(corpus, config, np.random.default_rng(config.seed))
        self._prompts = torch.from_numpy(corpus.names)
        self._classifier = [torch.from_numpy(part) for part in corpus.classifier]
        # A picture without a label is in a group of its own.
        alone = len(corpus.names) + np.arange(len(corpus.label))
        self._label = torch.from_numpy(corpus.label)
        self._group = torch.from_numpy(np.where(corpus.label >= 0, corpus.label, alone))
        heads = (self.image, self.text)
        self._parameters = [p for m in heads for p in m.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            [
                {
                    "params": [p for p in self._parameters if p.ndim > 1],
                    "weight_decay": config.weight_decay,
                },
                {
                    "params": [*(p for p in self._parameters if p.ndim < 2), self._log_scale],
                    "weight_decay": 0.0,
                },
            ],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
        )
        steps = config.epochs * len(self.sampler.epoch())
        warmup = max(1, round(config.warmup * steps))

        def pace(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            return 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, pace)

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16)

    def _label_loss(self, features: Tensor, images: Tensor, names: Tensor, label: Tensor) -> Tensor:
        """Right label among all labels, and agreement with the classifier about its classes."""
        config = self.config
        loss = images.new_zeros(())
        scores = images @ names.T / config.temperature
        known = label >= 0
        if config.label_weight and bool(known.any()):
            right = functional.cross_entropy(scores[known], label[known])
            loss = loss + config.label_weight * right
        if config.distill_weight:
            with self._autocast():
                logits = functional.linear(features, *self._classifier)
            teacher = functional.softmax(logits.float(), dim=-1)
            agree = functional.cross_entropy(scores[:, : teacher.shape[1]], teacher)
            loss = loss + config.distill_weight * agree
        return loss

    def loss(self, rows: NDArray[np.int64]) -> Tensor:
        """The whole loss of a batch of pictures, a scalar."""
        features = self.sampler.features(rows)
        drawn = [self.sampler.texts(rows) for _ in range(self.config.captions)]
        # One prompt a label and step: as good as all of them in the long run, and far cheaper.
        asked = self._prompts[:, self.sampler.prompt(self._prompts.shape[1])]
        with self._autocast():
            images = self.image(features)
            read = self.text(torch.cat([*drawn, asked]))
        *said, names = read.split([*(len(rows) for _ in drawn), len(asked)])
        temperature = 1.0 / self._log_scale.exp().clamp(max=100.0)
        loss = self._label_loss(features, images, names, self._label[rows])
        for sentences, texts in zip(drawn, said, strict=True):
            target = targets(self._group[rows], sentences, self.config.soft)
            loss = loss + contrastive_loss(images, texts, temperature, target) / len(drawn)
        return loss

    def epoch(self) -> float:
        """Go over all pictures once; returns the mean loss."""
        self.image.train()
        self.text.train()
        losses: list[float] = []
        for rows in self.sampler.epoch():
            loss = self.loss(rows)
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self._parameters, 1.0)
            self._optimizer.step()
            self._schedule.step()
            _average(self.slow_image, self.image, self.config.ema)
            _average(self.slow_text, self.text, self.config.ema)
            losses.append(float(loss.detach()))
        return float(np.mean(losses))


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
    trainer = _Trainer(corpus, config)
    for epoch in range(1, config.epochs + 1):
        loss = trainer.epoch()
        if check is not None and (epoch % 5 == 0 or epoch == config.epochs):
            line = check(trainer.slow_image, trainer.slow_text)
            say(f"epoch {epoch}/{config.epochs}: loss {loss:.3f}; {line}")
    return trainer.slow_image, trainer.slow_text
