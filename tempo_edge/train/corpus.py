"""Puts the archives' cached features together: what is trained on, and what is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tempo_edge.train.contrastive import Corpus, name_vectors
from tempo_edge.train.data import ARCHIVES, Archive, Record, imagenet_classes
from tempo_edge.train.evaluate import retrieval
from tempo_edge.train.features import Towers
from tempo_edge.train.heads import ImageHead, TextHead
from tempo_edge.train.prompts import ASKED, SPORT_ASKED, class_prompts, sentences

Archives = Mapping[str, Archive]


def sports(archives: Archives) -> list[str]:
    """The names of the sports, in their order as labels."""
    return sorted({record.label for record in archives["sports100"].records})


def train_records(archives: Archives, names: Sequence[str] = ARCHIVES) -> list[Record]:
    """The train records of the named archives, one archive after the other."""
    return [record for name in names for record in archives[name].split("train")]


def gather(
    towers: Towers, archives: Archives, *, views: int, seed: int, names: Sequence[str] = ARCHIVES
) -> Corpus:
    """The training corpus of the named archives with `views` views a picture."""
    records = train_records(archives, names)
    features = [
        np.concatenate(
            [
                towers.images(archives[n], archives[n].split("train"), index=index, seed=seed)
                for n in names
            ]
        )
        for index in range(views)
    ]
    said = [sentences(record) for record in records]
    ends = np.cumsum([len(each) for each in said])
    spans = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1).astype(np.int64)
    classes = imagenet_classes(archives["imagenet_samples"].records)
    prompts = [class_prompts(record) for record in classes]
    number = {record.wnid: i for i, record in enumerate(classes)}
    if "sports100" in names:
        labels = sports(archives)
        number.update({label: len(classes) + i for i, label in enumerate(labels)})
        asked = [[t.format(label) for t in SPORT_ASKED] for label in labels]
        prompts += [each * (len(prompts[0]) // len(each)) for each in asked]
    return Corpus(
        views=features,
        sentences=towers.texts([sentence for each in said for sentence in each]),
        spans=spans,
        label=np.array([number.get(r.wnid or r.label, -1) for r in records], np.int64),
        names=towers.texts([p for each in prompts for p in each]).reshape(
            len(prompts), len(prompts[0]), -1
        ),
        classifier=(towers.lite0["_fc.weight"], towers.lite0["_fc.bias"]),
    )


@dataclass
class Watch:
    """Dev features, to follow a run: Flickr8k dev, sports dev and the ImageNet samples."""

    pictures: torch.Tensor
    captions: torch.Tensor
    right: NDArray[np.int64]
    labelled: list[tuple[str, torch.Tensor, torch.Tensor, torch.Tensor]]

    @torch.no_grad()
    def __call__(self, image: ImageHead, text: TextHead) -> str:
        """One line of figures for two heads in evaluation mode."""
        found = retrieval(text(self.captions).numpy(), image(self.pictures).numpy(), self.right)
        line = f"dev R@1 {found['r1']} R@5 {found['r5']} R@10 {found['r10']}"
        for name, features, names, label in self.labelled:
            guess = (image(features) @ name_vectors(text, names).T).argmax(dim=1)
            line += f", {name} {100.0 * float((guess == label).float().mean()):.1f}"
        return line


def _means(towers: Towers, archive: Archive, records: list[Record], seed: int) -> torch.Tensor:
    features = towers.images(archive, records, index=0, seed=seed)
    return torch.from_numpy(features[:, 0].astype(np.float32))


def watch(towers: Towers, archives: Archives, *, seed: int) -> Watch:
    """Features of the dev splits (view 0) and of the ImageNet samples."""
    flickr = archives["flickr8k"]
    dev = flickr.split("dev")
    labelled = []
    wnids = imagenet_classes(archives["imagenet_samples"].records)
    for name, labels, templates, split in (
        ("sports100", sports(archives), SPORT_ASKED, "dev"),
        ("imagenet_samples", [record.label for record in wnids], ASKED, "train"),
    ):
        records = archives[name].split(split)
        place = {label: i for i, label in enumerate(labels)}
        if name == "imagenet_samples":
            place = {record.wnid: i for i, record in enumerate(wnids)}
        names = towers.texts([t.format(label) for label in labels for t in templates])
        right = torch.tensor([place[record.wnid or record.label] for record in records])
        features = _means(towers, archives[name], records, seed)
        prompts = torch.from_numpy(names.reshape(len(labels), len(templates), -1))
        labelled.append((name, features, prompts, right))
    return Watch(
        pictures=_means(towers, flickr, dev, seed),
        captions=torch.from_numpy(towers.texts([c for r in dev for c in r.captions])),
        right=np.repeat(np.arange(len(dev)), [len(r.captions) for r in dev]),
        labelled=labelled,
    )
