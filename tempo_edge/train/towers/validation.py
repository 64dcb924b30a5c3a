"""Follows a run on pictures it does not train on: what is found, named and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tempo_edge.train.data.archives import Record, Vocabulary
from tempo_edge.train.data.held_out import animals_split, imagenet_classes, imagenet_split
from tempo_edge.train.data.label_prompts import asked
from tempo_edge.train.precision import autocast
from tempo_edge.train.towers.corpus import Archives
from tempo_edge.train.towers.counting import Counting
from tempo_edge.train.towers.encoders import TrainedImageTower, TrainedTextTower
from tempo_edge.train.towers.feature_cache import FeatureCache
from tempo_edge.train.towers.label_vectors import label_vectors
from tempo_edge.train.towers.pair_preferences import pairs, preferences
from tempo_edge.train.towers.retrieval import Floats, ranking, retrieval, top1
from tempo_edge.train.towers.tokens import Encode
from tempo_edge.train.towers.typed_queries import drawn_queries

_BATCH = 128


@dataclass(frozen=True)
class _Labelled:
    """Pictures to be named: their maps, and the row of each one's name among a vocabulary's."""

    maps: NDArray[np.float16]
    vocabulary: Vocabulary
    right: list[int]


class Validation:
    """The figures of a run on Flickr8k dev, sports and places dev, animals and ImageNet samples.

    Dev pictures are sought by their captions and by a few words of them, and told from captions
    with one word changed. The animals are those that no run trains on. The samples are unseen ones
    of classes that training sees, and of classes that were held out.
    """

    def __init__(self, feature_cache: FeatureCache, archives: Archives, encode: Encode) -> None:
        """Keep the pictures' maps and encode the captions once; all archives are open."""
        self._cache, self._archives, self._encode = feature_cache, archives, encode
        dev = archives["flickr8k"].split("dev")
        self._dev = feature_cache.view(archives["flickr8k"], dev, 0).maps
        captions = [caption for record in dev for caption in record.captions]
        self._right = np.repeat(np.arange(len(dev)), [len(record.captions) for record in dev])
        self._pairs = pairs([record.captions for record in dev])
        short, self._short_right = drawn_queries(dev)
        self._sentences = {
            "captions": encode(captions),
            "changed": encode([pair.changed.sentence for pair in self._pairs]),
            "short": encode(short),
        }
        self._prompts: dict[Vocabulary, list[list[str]]] = {}
        self._labelled = {
            "sports": self._of_dev("sports100", "sport"),
            "places": self._of_dev("places100", "place"),
            **self._breadth(),
        }
        animals = archives["animals"].split("train")
        _, measured = animals_split(animals)
        self._animals = self._trained_maps("animals", animals, measured)
        self._counting = Counting(animals, measured)
        self._ask("count", self._counting.labels)

    def _ask(self, vocabulary: Vocabulary, labels: Sequence[str]) -> None:
        self._prompts[vocabulary] = [asked(label, vocabulary) for label in labels]

    def _trained_maps(
        self, name: str, records: Sequence[Record], chosen: Sequence[Record]
    ) -> NDArray[np.float16]:
        """The maps of some records, out of the view of their whole split that training keeps."""
        place = {record.file: row for row, record in enumerate(records)}
        maps = self._cache.view(self._archives[name], records, 0).maps
        return maps[[place[record.file] for record in chosen]]

    def _of_dev(self, name: str, vocabulary: Vocabulary) -> _Labelled:
        archive = self._archives[name]
        labels = sorted({record.label for record in archive.records})
        self._ask(vocabulary, labels)
        records = archive.split("dev")
        maps = self._cache.view(archive, records, 0).maps
        return _Labelled(maps, vocabulary, [labels.index(record.label) for record in records])

    def _breadth(self) -> dict[str, _Labelled]:
        """ImageNet samples, among all names: unseen ones of seen classes, and held-out classes."""
        records = self._archives["imagenet_samples"].split("train")
        classes = imagenet_classes(self._archives["imagenet_samples"].records)
        place = {record.wnid: row for row, record in enumerate(classes)}
        self._ask("object", [record.label for record in classes])
        _, unseen, held_out = imagenet_split(records)
        return {
            name: _Labelled(
                self._trained_maps("imagenet_samples", records, some),
                "object",
                [place[record.wnid] for record in some],
            )
            for name, some in (("seen", unseen), ("held_out", held_out))
        }

    @staticmethod
    def _embed(image: TrainedImageTower, maps: NDArray[np.float16]) -> Floats:
        device = next(image.parameters()).device
        parts: list[Tensor] = []
        for start in range(0, len(maps), _BATCH):
            batch = torch.from_numpy(np.array(maps[start : start + _BATCH]))
            batch = batch.to(device, torch.float32).permute(0, 3, 1, 2)
            with torch.no_grad(), autocast(device.type):
                parts.append(image(batch).float().cpu())
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    def __call__(self, image: TrainedImageTower, text: TrainedTextTower) -> dict[str, float]:
        """Figures in percent for two towers in evaluation mode."""
        device_type = next(image.parameters()).device.type
        with torch.no_grad(), autocast(device_type):
            texts = {
                kind: text(sentences).float().cpu().numpy()
                for kind, sentences in self._sentences.items()
            }
            names: dict[Vocabulary, Floats] = {
                vocabulary: label_vectors(text, self._encode, prompts).float().cpu().numpy()
                for vocabulary, prompts in self._prompts.items()
            }
        dev = self._embed(image, self._dev)
        found = retrieval(texts["captions"], dev, self._right)
        out = {"dev_r1": found["r1"], "dev_r5": found["r5"], "dev_r10": found["r10"]}
        out["short"] = ranking(texts["short"] @ dev.T, self._short_right)["mean_ap"]
        true = texts["captions"][[pair.caption for pair in self._pairs]]
        told = preferences(self._pairs, dev, true, texts["changed"])
        out["pairs"] = told["all"][0]
        for name, labelled in self._labelled.items():
            pictures = self._embed(image, labelled.maps)
            out[name] = top1(pictures, names[labelled.vocabulary], labelled.right)
        animals = self._counting.shares(self._embed(image, self._animals), names["count"])
        out["counts"], out["counts_balanced"] = animals["right"], animals["balanced"]
        return out
