"""Trains both towers together, from a corpus and a recipe, in steps that can be interrupted."""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tempo_edge.train.data.neighbours import nearest_neighbours
from tempo_edge.train.precision import autocast
from tempo_edge.train.progress_log import Say
from tempo_edge.train.schedule import decaying_groups, rate_share
from tempo_edge.train.towers.batches import BatchSampler, TowerBatch
from tempo_edge.train.towers.corpus import Corpus
from tempo_edge.train.towers.encoders import TrainedImageTower, TrainedTextTower
from tempo_edge.train.towers.heads import DIM
from tempo_edge.train.towers.label_vectors import label_vectors
from tempo_edge.train.towers.losses import (
    contrastive_loss,
    distillation_loss,
    margin_loss,
    retrieval_loss,
)
from tempo_edge.train.towers.recipe import TowerRecipe
from tempo_edge.train.towers.tokens import Encode


def _average(slow: nn.Module, fast: nn.Module, keep: float) -> None:
    """Move the weights of `slow` towards `fast`, all but a share `keep`; frozen ones stay."""
    with torch.no_grad():
        for kept, new in zip(slow.parameters(), fast.parameters(), strict=True):
            if new.requires_grad:
                kept.lerp_(new, 1.0 - keep)


class Trainer:
    """The state of a run: towers, their slow averages, optimizer, schedule and batches."""

    def __init__(
        self,
        image: TrainedImageTower,
        text: TrainedTextTower,
        corpus: Corpus,
        encode: Encode,
        recipe: TowerRecipe,
    ) -> None:
        self.image, self.text = image, text
        self.recipe = recipe
        self._corpus = corpus
        self._encode = encode
        self._device = next(image.parameters()).device
        text.eval()
        with torch.no_grad():
            first = text.reader(encode([said[0] for said in corpus.captioned.captions]))
        near = nearest_neighbours(first.cpu().numpy()) if recipe.neighbours > 1 else None
        self.batches = BatchSampler(corpus, recipe, near)
        self._log_scale = nn.Parameter(torch.tensor(math.log(1.0 / recipe.temperature)))
        for module, rate in ((image.trunk, recipe.trunk_rate), (text.reader, recipe.reader_rate)):
            if not rate:
                module.requires_grad_(False)
        self.slow_image = copy.deepcopy(image).eval()
        self.slow_text = copy.deepcopy(text).eval()
        self._optimizer = torch.optim.AdamW(self._groups(), betas=(0.9, 0.98))
        self._peaks = [group["lr"] for group in self._optimizer.param_groups]
        self._total = recipe.epochs * self.batches.steps
        self._warmup = max(1, round(recipe.warmup * self._total))
        self.step = 0
        self.epoch = 0
        self.curves: list[dict[str, float]] = []
        self._label_vectors = torch.empty(0)

    def _groups(self) -> list[dict[str, Any]]:
        recipe = self.recipe
        parts = (
            (self.image.trunk, recipe.trunk_rate, recipe.trunk_decay),
            (self.text.reader, recipe.reader_rate, recipe.trunk_decay),
            (self.image.head, recipe.head_rate, recipe.head_decay),
            (self.text.head, recipe.head_rate, recipe.head_decay),
        )
        groups: list[dict[str, Any]] = []
        for module, rate, decay in parts:
            groups += decaying_groups(module, rate, decay)
        groups.append({"params": [self._log_scale], "lr": recipe.head_rate, "weight_decay": 0.0})
        return [group for group in groups if group["params"]]

    def _autocast(self) -> torch.autocast:
        return autocast(self._device.type, self.recipe.bfloat16)

    def _embed_images(self, maps: NDArray[np.float16]) -> tuple[Tensor, Tensor]:
        """Unit vectors and class logits of kept maps; some look at a part, as tokens do."""
        kept = torch.from_numpy(np.ascontiguousarray(maps)).to(self._device).permute(0, 3, 1, 2)
        kind = self._device.type
        with self._autocast():
            fast = torch.is_autocast_enabled(kind)
            kept = kept.to(torch.get_autocast_dtype(kind) if fast else torch.float32)
            last = self.image.trunk(kept)
            head = self.image.head
            pooled, mean = head.pool(last), last.float().mean(dim=(2, 3))
            if self.recipe.grid_share:
                side = max(1, last.shape[-1] // 2)
                cells = functional.avg_pool2d(last.float(), side, stride=side).flatten(2)
                pick = torch.from_numpy(self.batches.rng.integers(0, cells.shape[2], len(maps)))
                cell = cells[torch.arange(len(maps)), :, pick.to(self._device)]
                part = self.batches.rng.random(len(maps)) < self.recipe.grid_share
                use = torch.from_numpy(part).to(self._device)[:, None]
                # A cell alone seldom shows what the caption says; half of the mean keeps it honest.
                pooled = torch.where(use, 0.5 * (cell + mean), pooled)
            vectors: Tensor = head.embed(pooled, mean)
            logits: Tensor = head.logits(mean).float()
        return vectors, logits

    def _label_loss(self, images: Tensor, prompts: Tensor, batch: TowerBatch) -> Tensor:
        """Labelled pictures and their prompts find each other, and each its name among all."""
        recipe = self.recipe
        loss = images.new_zeros(())
        if not recipe.label_weight and not recipe.distill_weight:
            return loss
        scores = images @ self._label_vectors.T / recipe.temperature
        first = len(batch.label) - len(batch.prompts)
        if recipe.label_weight and batch.prompts:
            named, told = self._tensor(batch.named), self._tensor(batch.told)
            pairs = contrastive_loss(images[first:], prompts, recipe.temperature, named, told=told)
            among = self._among(scores[first:], batch.label[first:])
            loss = loss + recipe.label_weight * (pairs + among) / 2
        if recipe.distill_weight:
            teacher = self._teacher(batch)
            agree = distillation_loss(scores[:, : teacher.shape[1]], teacher)
            loss = loss + recipe.distill_weight * agree
        return loss

    def _among(self, scores: Tensor, label: NDArray[np.int64]) -> Tensor:
        """Each labelled picture finds its name among all labels of its pool, a scalar."""
        labels = self._corpus.labels
        same = self._tensor(labels.group[label][:, None] == labels.group[None, :])
        pool = self._tensor(labels.pool[label][:, None] == labels.pool[None, :])
        share = functional.log_softmax(scores.masked_fill(~(pool | same), -torch.inf), dim=1)
        # A name that two archives have is one: their vectors share the weight.
        found: Tensor = torch.logsumexp(share.masked_fill(~same, -torch.inf), dim=1)
        return -found.mean()

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    def _teacher(self, batch: TowerBatch) -> Tensor:
        """The untouched classifier's probabilities for the known classes, float32 ``[b, k]``."""
        classes = batch.classes[:, self._corpus.labels.rows].astype(np.float32)
        return torch.from_numpy(classes).to(self._device)

    def _anchor_loss(self, logits: Tensor, batch: TowerBatch) -> Tensor:
        """The classifier inside still says of every picture what the untouched one says."""
        if not self.recipe.anchor_weight:
            return logits.new_zeros(())
        return self.recipe.anchor_weight * distillation_loss(logits, self._teacher(batch))

    def loss(self, batch: TowerBatch) -> Tensor:
        """The whole loss of a batch, a scalar."""
        images, logits = self._embed_images(batch.maps)
        read = self._read(batch)
        captions, short, wrong, prompts = (
            torch.stack([read[each] for each in some]) if some else images.new_zeros(0, DIM)
            for some in (batch.captions, batch.short, batch.wrong, batch.prompts)
        )
        captioned = images[: len(batch.label) - len(batch.prompts)]
        temperature = 1.0 / self._log_scale.exp().clamp(max=100.0)
        loss = contrastive_loss(captioned, captions, temperature, self._tensor(batch.said), wrong)
        if batch.short:
            share = len(batch.short) / len(captioned)
            meant = self._tensor(batch.meant)
            loss = loss + share * retrieval_loss(short, captioned, temperature, meant)
        if batch.margins:
            places, right, changed = zip(*batch.margins, strict=True)
            better, worse = (torch.stack([read[each] for each in s]) for s in (right, changed))
            margin = margin_loss(images[list(places)], better, worse, temperature)
            loss = loss + self.recipe.swap_weight * margin
        return loss + self._label_loss(images, prompts, batch) + self._anchor_loss(logits, batch)

    def _read(self, batch: TowerBatch) -> dict[str, Tensor]:
        """The unit vector ``[256]`` of each sentence of a batch; each is read once."""
        texts = [*batch.captions, *batch.short, *batch.wrong, *batch.prompts]
        texts = list(dict.fromkeys([*texts, *(text for _, *two in batch.margins for text in two)]))
        with self._autocast():
            vectors = self.text(self._encode(texts)).float()
        return dict(zip(texts, vectors, strict=True))

    def train_epoch(self, say: Say) -> dict[str, float]:
        """Go over all captioned pictures once; returns and keeps the means of the epoch."""
        if self.recipe.label_weight or self.recipe.distill_weight:
            self._label_vectors = label_vectors(
                self.slow_text, self._encode, self._corpus.labels.prompts
            )
        self.image.train(), self.text.train()
        losses: list[float] = []
        started = time.monotonic()
        learning = [p for group in self._optimizer.param_groups for p in group["params"]]
        for batch in self.batches.epoch():
            share = rate_share(self.step, self._warmup, self._total)
            for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
                group["lr"] = peak * share
            loss = self.loss(batch)
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(learning, 1.0)
            self._optimizer.step()
            self.step += 1
            # A young average follows fast, or it would still hold where the run began.
            keep = min(self.recipe.ema, (1.0 + self.step) / (10.0 + self.step))
            _average(self.slow_image, self.image, keep)
            _average(self.slow_text, self.text, keep)
            losses.append(float(loss.detach()))
        self.epoch += 1
        means = {"epoch": float(self.epoch), "loss": float(np.mean(losses))}
        self.curves.append(means)
        took = time.monotonic() - started
        say(
            f"epoch {self.epoch}/{self.recipe.epochs}: loss {means['loss']:.3f}, {took:.0f} s, "
            f"temperature {math.exp(-float(self._log_scale.detach())):.4f}"
        )
        return means

    def state(self) -> dict[str, Any]:
        """Everything that a later `restore` needs, as tensors and plain values."""
        return {
            "modules": {name: getattr(self, name).state_dict() for name in _MODULES},
            "log_scale": self._log_scale.detach(),
            "optimizer": self._optimizer.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "batch_rng": self.batches.rng.bit_generator.state,
            "step": self.step,
            "epoch": self.epoch,
            "curves": self.curves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, as if nothing had come between."""
        for name in _MODULES:
            getattr(self, name).load_state_dict(state["modules"][name])
        with torch.no_grad():
            self._log_scale.copy_(state["log_scale"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch_rng"])
        self.batches.rng.bit_generator.state = state["batch_rng"]
        self.step, self.epoch, self.curves = state["step"], state["epoch"], state["curves"]


_MODULES = ("image", "text", "slow_image", "slow_text")
