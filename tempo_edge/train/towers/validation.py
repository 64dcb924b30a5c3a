"""Follows a run on pictures it does not train on: dev retrieval, sports, and breadth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tempo_edge.train.data.archives import Record
from tempo_edge.train.data.held_out import imagenet_classes, imagenet_split
from tempo_edge.train.data.label_prompts import asked
from tempo_edge.train.towers.corpus import Archives, sports
from tempo_edge.train.towers.encoders import TrainedImageTower, TrainedTextTower
from tempo_edge.train.towers.feature_cache import FeatureCache
from tempo_edge.train.towers.label_vectors import label_vectors
from tempo_edge.train.towers.retrieval import retrieval, top1
from tempo_edge.train.towers.tokens import Encode

_BATCH = 128


class Validation:
    """The figures of a run on Flickr8k dev, sports dev, and unseen ImageNet samples.

    The samples are of classes that training sees, and of classes that were held out.
    """

    def __init__(self, feature_cache: FeatureCache, archives: Archives, encode: Encode) -> None:
        """Keep the dev pictures' maps and encode the questions once."""
        self._encode = encode
        dev = archives["flickr8k"].split("dev")
        self._dev = feature_cache.view(archives["flickr8k"], dev, 0).maps
        self._captions = encode([caption for record in dev for caption in record.captions])
        self._right = np.repeat(np.arange(len(dev)), [len(record.captions) for record in dev])
        games = archives["sports100"].split("dev")
        self._games = feature_cache.view(archives["sports100"], games, 0).maps
        labels = sports(archives)
        self._sports = [asked(label, "sport") for label in labels]
        self._game = np.array([labels.index(record.label) for record in games])
        records = archives["imagenet_samples"].split("train")
        classes = imagenet_classes(archives["imagenet_samples"].records)
        place = {record.wnid: row for row, record in enumerate(classes)}
        maps = feature_cache.view(archives["imagenet_samples"], records, 0).maps
        where = {record.file: row for row, record in enumerate(records)}
        self._classes = [asked(record, "object") for record in classes]
        _, unseen, held_out = imagenet_split(records)

        def part(some: Sequence[Record]) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
            rows = [where[record.file] for record in some]
            return maps[rows], np.array([place[record.wnid] for record in some])

        self._breadth = {"seen": part(unseen), "held_out": part(held_out)}

    @staticmethod
    def _embed(image: TrainedImageTower, maps: NDArray[np.float16]) -> Tensor:
        device = next(image.parameters()).device
        parts = []
        for start in range(0, len(maps), _BATCH):
            batch = torch.from_numpy(np.array(maps[start : start + _BATCH]))
            batch = batch.to(device, torch.bfloat16).permute(0, 3, 1, 2)
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
                parts.append(image(batch).float().cpu())
        return torch.cat(parts)

    def __call__(self, image: TrainedImageTower, text: TrainedTextTower) -> dict[str, float]:
        """Figures in percent for two towers in evaluation mode."""
        device_type = next(image.parameters()).device.type
        with torch.no_grad(), torch.autocast(device_type, torch.bfloat16):
            texts = text(self._captions).float().cpu().numpy()
            games = label_vectors(text, self._encode, self._sports).float().cpu()
            classes = label_vectors(text, self._encode, self._classes).float().cpu()
        found = retrieval(texts, self._embed(image, self._dev).numpy(), self._right)
        out = {"dev_r1": found["r1"], "dev_r5": found["r5"], "dev_r10": found["r10"]}

        def right_share(
            maps: NDArray[np.float16], names: Tensor, right: NDArray[np.int64]
        ) -> float:
            return top1(self._embed(image, maps).numpy(), names.numpy(), right.tolist())

        out["sports"] = right_share(self._games, games, self._game)
        for name, (maps, right) in self._breadth.items():
            out[name] = right_share(maps, classes, right)
        return out
