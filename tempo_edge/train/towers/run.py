"""Trains and writes the built-in profile `nano`.

    python -m tempo_edge.train.towers.run --data DIR --out DIR --work DIR [--recipe full] [--seed 0]

What the frozen stem makes of the pictures, the finished reading stage and a checkpoint of every
epoch are kept in the work folder: an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tempo_edge._text import note
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.data.archives import ARCHIVES, Archive, squash
from tempo_edge.train.progress_log import Clock
from tempo_edge.train.towers.recipe import RECIPES, Recipe, override

if TYPE_CHECKING:
    from tempo_edge.train.towers.corpus import Archives, Corpus
    from tempo_edge.train.towers.encoders import ImageTower, Reader, TextTower
    from tempo_edge.train.towers.trainer import Encode, Trainer
    from tempo_edge.train.towers.trunk import Trunk
    from tempo_edge.train.towers.validation import Watch

Say = Callable[[str], None]
BACKGROUND = 2048


def _key(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def tokenize(tokenizer: str) -> Encode:
    """A function from sentences to token numbers, cut at the profile's 64 tokens."""
    from tokenizers import Tokenizer

    from tempo_edge.train.towers.profile_files import MAX_TOKENS

    loaded = Tokenizer.from_str(tokenizer)
    loaded.enable_truncation(MAX_TOKENS)
    loaded.no_padding()
    known: dict[str, list[int]] = {}

    def encode(sentences: Sequence[str]) -> list[list[int]]:
        fresh = [sentence for sentence in dict.fromkeys(sentences) if sentence not in known]
        for sentence, encoded in zip(fresh, loaded.encode_batch(fresh), strict=True):
            known[sentence] = encoded.ids
        return [known[sentence] for sentence in sentences]

    return encode


def _read(
    reader: Reader,
    data: Path,
    archives: Archives,
    encode: Encode,
    recipe: Recipe,
    work: Path,
    say: Say,
) -> None:
    """The reading stage, or what an earlier run left of it."""
    import torch

    from tempo_edge.train import training_state
    from tempo_edge.train.data import flickr30k
    from tempo_edge.train.towers import caption_pretraining

    if not recipe.reading_epochs:
        return
    settings = caption_pretraining.Settings(
        seed=recipe.seed, epochs=recipe.reading_epochs, bfloat16=recipe.bfloat16
    )
    path = work / f"reading-{_key(dataclasses.asdict(settings))}.pt"
    if path.exists():
        reader.load_state_dict(training_state.load(path))
        return
    records = [r for split in ("dev", "test") for r in archives["flickr8k"].split(split)]
    groups = flickr30k.flickr30k(data, [caption for r in records for caption in r.captions])
    torch.manual_seed(recipe.seed)
    caption_pretraining.read(reader, groups, encode, settings, say=say)
    training_state.save(path, reader.state_dict())


def load_towers(recipe: Recipe, device: str) -> tuple[Trunk, Reader]:
    """Both backbones as their packages hold them."""
    from tempo_edge.train.towers import backbones
    from tempo_edge.train.towers.encoders import Reader
    from tempo_edge.train.towers.trunk import Trunk

    trunk = Trunk(backbones.fold(backbones.load_lite0()), recipe.frozen)
    return trunk.to(device), Reader(backbones.load_minilm()[0]).to(device)


def build(
    data: Path, archives: Archives, recipe: Recipe, work: Path, device: str, say: Say
) -> tuple[Trainer, Watch]:
    """A trainer at its beginning, and what watches it."""
    import torch

    from tempo_edge.train.towers import backbones, corpus
    from tempo_edge.train.towers.feature_cache import Keeper
    from tempo_edge.train.towers.trainer import Trainer
    from tempo_edge.train.towers.validation import Watch

    encode = tokenize(backbones.load_minilm()[1])
    classifier = backbones.classifier(backbones.load_lite0())
    trunk, reader = load_towers(recipe, device)
    keeper = Keeper(work / "kept", trunk, classifier, size=recipe.size, seed=recipe.seed, say=say)
    gathered = corpus.gather(keeper, archives, recipe.archives, recipe.views)
    watched = Watch(keeper, archives, encode)
    _read(reader, data, archives, encode, recipe, work, say)
    torch.manual_seed(recipe.seed)
    image, text = _start(trunk, reader, gathered, encode, recipe, classifier)
    say(
        f"{len(gathered.captioned)} captioned and {len(gathered.labelled)} labelled pictures, "
        f"{len(gathered.labels.names)} labels"
    )
    return Trainer(image, text, gathered, encode, recipe), watched


def _start(
    trunk: Trunk,
    reader: Reader,
    corpus: Corpus,
    encode: Encode,
    recipe: Recipe,
    classifier: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> tuple[ImageTower, TextTower]:
    """Towers whose heads already know the classifier's classes by name."""
    import torch

    from tempo_edge.train.towers.encoders import ImageTower, TextTower
    from tempo_edge.train.towers.heads import ImageHead, TextHead
    from tempo_edge.train.towers.trainer import name_vectors

    device = next(reader.parameters()).device
    head = TextHead(384, recipe.text_hidden, recipe.text_dropout)
    text = TextTower(reader, head.to(device)).eval()
    said = [some[0] for some in corpus.captioned.captions[:2000]]
    with torch.no_grad():
        names = [each[0] for each in corpus.labels.prompts]
        head.start(reader(encode([*said, *names])))
    rows = corpus.labels.rows
    vectors = name_vectors(text, encode, corpus.labels.prompts[: len(rows)])
    image = ImageHead(1280, len(rows), recipe.image_hidden, recipe.image_dropout)
    sample = np.arange(0, len(corpus.captioned), max(1, len(corpus.captioned) // 512))
    maps = corpus.captioned.maps(sample, np.zeros_like(sample)).astype(np.float32)
    with torch.no_grad():
        last = trunk(torch.from_numpy(maps).permute(0, 3, 1, 2).to(device))
    weight, bias = (torch.from_numpy(part[rows]) for part in classifier)
    image.start(last.mean(dim=(2, 3)).cpu(), weight, bias, vectors.cpu())
    return ImageTower(trunk, image.to(device)), text


def train(
    data: Path, recipe: Recipe, work: Path, *, device: str, threads: int, say: Say
) -> Trainer:
    """Train by `recipe`, going on from the work folder's checkpoint; returns the finished run."""
    import torch

    from tempo_edge.train import training_state

    torch.set_num_threads(threads)
    with ExitStack() as stack:
        archives = {name: stack.enter_context(Archive(data, name)) for name in ARCHIVES}
        trainer, watched = build(data, archives, recipe, work, device, say)
    path = work / f"run-{_key(dataclasses.asdict(recipe))}.pt"
    if path.exists():
        trainer.restore(training_state.load(path))
        say(f"going on after epoch {trainer.epoch}")
    while trainer.epoch < recipe.epochs:
        means = trainer.train_epoch(say)
        if trainer.epoch % 2 == 0 or trainer.epoch == recipe.epochs:
            means.update(watched(trainer.slow_image, trainer.slow_text))
            say(", ".join(f"{name} {value:g}" for name, value in means.items()))
        training_state.save(path, trainer.state())
    return trainer


def write(trainer: Trainer, data: Path, out: Path, command: str) -> None:
    """Write the averaged towers of a finished run to the profile folder `out`."""
    from tempo_edge.train.towers import backbones, profile_files

    image, text = trainer.slow_image.cpu(), trainer.slow_text.cpu()
    out.mkdir(parents=True, exist_ok=True)
    profile_files.write_image(out / "image.onnx", image.trunk.tensors(), image.head)
    profile_files.write_text(out / "text.onnx", text.reader.tensors(), text.head)
    profile_files.write_tokenizer(out / "tokenizer.json", backbones.load_minilm()[1])
    vectors = _vectors(out, data, trainer.recipe)
    profile_files.write_background(out / "background.npy", vectors)
    training = {
        "command": command,
        "seed": trainer.recipe.seed,
        "data": [f"{name}/train" for name in trainer.recipe.archives],
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "recipe": dataclasses.asdict(trainer.recipe),
        "curves": trainer.curves,
    }
    profile_files.write_profile(out, training)


def _vectors(folder: Path, data: Path, recipe: Recipe) -> NDArray[np.float32]:
    """Vectors of a fixed sample of training pictures, through the files just written."""
    from tempo_edge.train.towers import profile_files
    from tempo_edge.train.towers.corpus import trained_on
    from tempo_edge.train.towers.profile_report import Profile

    profile = Profile(folder)
    with ExitStack() as stack:
        archives = {name: stack.enter_context(Archive(data, name)) for name in recipe.archives}
        seen = [
            (archives[name], record)
            for name, some in trained_on(archives, recipe.archives).items()
            for record in some
        ]
        rows = profile_files.background_rows(len(seen), BACKGROUND, recipe.seed)
        chosen = [seen[row] for row in rows]
        return np.concatenate(
            [
                profile.pictures(archive, [record for of, record in chosen if of is archive])[0]
                for archive in archives.values()
            ]
        )


def check(trainer: Trainer, data: Path, out: Path, work: Path, say: Say) -> None:
    """Print what remains of the graphs at run time and what the compact weights lose."""
    from tempo_edge.train.towers import backbones, parity, profile_files
    from tempo_edge.train.towers.profile_report import Profile

    for name in ("image.onnx", "text.onnx"):
        say(f"{name} at run time: {profile_files.runtime_operators(out / name, work)}")
    profile = Profile(out)
    with Archive(data, "flickr8k") as archive:
        records = archive.split("dev")
        pictures = np.stack([squash(archive.picture(r), backbones.IMAGE_SIZE) for r in records])
        ranges = np.stack(
            [squash(archive.picture(r), backbones.IMAGE_SIZE) for r in archive.split("train")[:128]]
        )
        vectors, _ = profile.pictures(archive, records)
    captions = [caption for record in records for caption in record.captions]
    texts, _ = profile.sentences(captions)
    right = np.repeat(np.arange(len(records)), [len(record.captions) for record in records])
    image, text = trainer.slow_image, trainer.slow_text
    parity.image_parity(
        image.trunk.tensors(), image.head, ranges, pictures, texts, right, work=work, say=say
    )
    parity.text_parity(
        text.reader.tensors(),
        backbones.load_minilm()[1],
        text.head,
        captions,
        vectors,
        right,
        work=work,
        say=say,
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options that every run has: its data, its folder, its settings and its machine."""
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--work", type=Path, required=True, help="folder for caches, checkpoints")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, default %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default %(default)s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tempo_edge.train.towers.run", description="Train the built-in profile."
    )
    add_run_options(parser)
    parser.add_argument("--out", type=Path, help="folder for the profile; without it none is made")
    parser.add_argument("--recipe", choices=RECIPES, default="full")
    parser.add_argument("--curves", type=Path, help="PNG to draw the run to")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    say = Clock(partial(print, flush=True))
    try:
        recipe = override(
            dataclasses.replace(RECIPES[options.recipe], seed=options.seed), options.set
        )
        trainer = train(
            options.data,
            recipe,
            options.work,
            device=options.device,
            threads=options.threads,
            say=say,
        )
        if options.curves:
            from tempo_edge.train.towers import curves

            curves.draw(options.curves, trainer.curves, f"recipe {options.recipe}")
        if options.out:
            changed = "".join(f" --set {setting}" for setting in options.set)
            command = (
                "python -m tempo_edge.train.towers.run --data DIR --work DIR --out DIR "
                f"--recipe {options.recipe} --seed {options.seed}{changed}"
            )
            write(trainer, options.data, options.out, command)
            say(f"wrote the profile to {options.out}")
            check(trainer, options.data, options.out, options.work, say)
    except (TempoEdgeError, ValueError) as error:
        note(f"error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
