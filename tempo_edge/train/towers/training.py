"""A run of the towers from beginning to end: its pictures, its stages, its checkpoints.

The stem's output for every picture, the pretrained sentence encoder and a checkpoint of every epoch
are kept in the work folder: an interrupted run goes on where it was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tempo_edge.train import training_state
from tempo_edge.train.data.archives import ARCHIVES, Archive
from tempo_edge.train.data.flickr30k import read_captions
from tempo_edge.train.progress_log import Say
from tempo_edge.train.towers import backbones
from tempo_edge.train.towers.caption_pretraining import PretrainingSettings, pretrain
from tempo_edge.train.towers.corpus import Archives, Corpus, gather
from tempo_edge.train.towers.encoders import SentenceEncoder, TrainedImageTower, TrainedTextTower
from tempo_edge.train.towers.feature_cache import FeatureCache
from tempo_edge.train.towers.heads import ImageHead, TextHead
from tempo_edge.train.towers.label_vectors import label_vectors
from tempo_edge.train.towers.recipe import TowerRecipe
from tempo_edge.train.towers.start import Start, read_profile
from tempo_edge.train.towers.stem import FrozenStem
from tempo_edge.train.towers.tokens import Encode, tokenize
from tempo_edge.train.towers.trainer import Trainer
from tempo_edge.train.towers.trunk import Trunk
from tempo_edge.train.towers.validation import Validation

__all__ = ["load_towers", "train"]


def _key(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _pretrain(
    encoder: SentenceEncoder,
    data: Path,
    archives: Archives,
    encode: Encode,
    recipe: TowerRecipe,
    work: Path,
    say: Say,
) -> None:
    """Pretrain the sentence encoder on captions alone, or take up what an earlier run learned."""
    if not recipe.reading_epochs:
        return
    settings = PretrainingSettings(
        seed=recipe.seed, epochs=recipe.reading_epochs, bfloat16=recipe.bfloat16
    )
    path = work / f"reading-{_key(dataclasses.asdict(settings))}.pt"
    if path.exists():
        encoder.load_state_dict(training_state.load(path))
        return
    records = [r for split in ("dev", "test") for r in archives["flickr8k"].split(split)]
    groups = read_captions(data, [caption for r in records for caption in r.captions])
    torch.manual_seed(recipe.seed)
    pretrain(encoder, groups, encode, settings, say=say)
    training_state.save(path, encoder.state_dict())


def load_towers(recipe: TowerRecipe, start: Start, device: str) -> tuple[Trunk, SentenceEncoder]:
    """Both backbones with their first weights."""
    trunk = Trunk(start.trunk, recipe.frozen).to(device)
    return trunk, SentenceEncoder(start.reader, recipe.frozen_layers).to(device)


def _build(
    data: Path,
    archives: Archives,
    recipe: TowerRecipe,
    start: Start,
    work: Path,
    device: str,
    say: Say,
) -> tuple[Trainer, Validation]:
    """A trainer at its beginning, and the validation that follows it."""
    encode = tokenize(backbones.load_minilm()[1])
    lite0 = backbones.load_lite0()
    classifier = backbones.classifier(lite0)
    trunk, encoder = load_towers(recipe, start, device)
    stem = FrozenStem(
        start.trunk,
        backbones.fold(lite0) if start.digest else start.trunk,
        classifier,
        frozen=recipe.frozen,
        size=recipe.size,
        threads=torch.get_num_threads(),
    )
    cache = FeatureCache(work / "kept", stem, size=recipe.size, seed=recipe.seed, say=say)
    gathered = gather(cache, archives, recipe.archives, recipe.views)
    validation = Validation(cache, archives, encode)
    if not start.digest:  # what was written has read its captions
        _pretrain(encoder, data, archives, encode, recipe, work, say)
    torch.manual_seed(recipe.seed)
    if start.image_head is None or start.text_head is None:
        image, text = _begin(trunk, encoder, gathered, encode, recipe, classifier)
    else:
        image, text = _go_on(trunk, encoder, start, recipe)
    say(
        f"{len(gathered.captioned)} captioned and {len(gathered.labelled)} labelled pictures, "
        f"{len(gathered.labels.names)} labels"
    )
    return Trainer(image, text, gathered, encode, recipe), validation


def _go_on(
    trunk: Trunk, encoder: SentenceEncoder, start: Start, recipe: TowerRecipe
) -> tuple[TrainedImageTower, TrainedTextTower]:
    """Towers with the heads of a profile; raises DataError where their sizes are others."""
    device = next(encoder.parameters()).device
    image, text = start.heads(recipe)
    return (
        TrainedImageTower(trunk, image.to(device)),
        TrainedTextTower(encoder, text.to(device)).eval(),
    )


def _begin(
    trunk: Trunk,
    encoder: SentenceEncoder,
    corpus: Corpus,
    encode: Encode,
    recipe: TowerRecipe,
    classifier: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> tuple[TrainedImageTower, TrainedTextTower]:
    """Towers whose heads already know the classifier's classes by name."""
    device = next(encoder.parameters()).device
    head = TextHead(384, recipe.text_hidden, recipe.text_dropout)
    text = TrainedTextTower(encoder, head.to(device)).eval()
    said = [some[0] for some in corpus.captioned.captions[:2000]]
    with torch.no_grad():
        names = [each[0] for each in corpus.labels.prompts]
        head.start(encoder(encode([*said, *names])))
    rows = corpus.labels.rows
    vectors = label_vectors(text, encode, corpus.labels.prompts[: len(rows)])
    image = ImageHead(1280, len(rows), recipe.image_hidden, recipe.image_dropout)
    sample = np.arange(0, len(corpus.captioned), max(1, len(corpus.captioned) // 512))
    maps = corpus.captioned.maps(sample, np.zeros_like(sample), np.zeros(len(sample)))
    with torch.no_grad():
        kept = torch.from_numpy(maps.astype(np.float32))
        last = trunk(kept.permute(0, 3, 1, 2).to(device))
    weight, bias = (torch.from_numpy(part[rows]) for part in classifier)
    image.start(last.mean(dim=(2, 3)).cpu(), weight, bias, vectors.cpu())
    return TrainedImageTower(trunk, image.to(device)), text


def train(
    data: Path,
    recipe: TowerRecipe,
    work: Path,
    *,
    device: str,
    threads: int,
    say: Say,
    profile: Path | None = None,
) -> Trainer:
    """Train by `recipe`, going on from the work folder's checkpoint; returns the finished run.

    The run begins with the weights of a written `profile`, or of the backbones' packages.
    """
    torch.set_num_threads(threads)
    start = Start.from_packages() if profile is None else read_profile(profile)
    with ExitStack() as stack:
        archives = {name: stack.enter_context(Archive(data, name)) for name in ARCHIVES}
        trainer, validation = _build(data, archives, recipe, start, work, device, say)
    path = work / f"run-{_key(dataclasses.asdict(recipe), start.digest)}.pt"
    if path.exists():
        trainer.restore(training_state.load(path))
        say(f"going on after epoch {trainer.epoch}")
    while trainer.epoch < recipe.epochs:
        means = trainer.train_epoch(say)
        if trainer.epoch % 2 == 0 or trainer.epoch == recipe.epochs:
            means.update(validation(trainer.slow_image, trainer.slow_text))
            say(", ".join(f"{name} {value:g}" for name, value in means.items()))
        training_state.save(path, trainer.state())
    return trainer
