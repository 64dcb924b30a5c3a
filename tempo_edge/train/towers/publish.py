"""Writes the profile of a finished run, and compares its files with what was trained."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.train.data.archives import Archive, squash
from tempo_edge.train.data.held_out import trained_on
from tempo_edge.train.progress_log import Say
from tempo_edge.train.towers import backbones, parity, profile_files
from tempo_edge.train.towers.heads import ImageHead, TextHead
from tempo_edge.train.towers.profile_sessions import ProfileSessions
from tempo_edge.train.towers.recipe import TowerRecipe
from tempo_edge.train.towers.trainer import Trainer

__all__ = ["BACKGROUND", "Towers", "check", "write", "write_towers"]

#: How many training pictures stand for what a library may hold.
BACKGROUND = 2048


def write(trainer: Trainer, data: Path, out: Path, command: str) -> None:
    """Write the averaged towers of a finished run to the profile folder `out`."""
    towers = Towers.of(trainer)
    write_towers(towers, data, out, trainer.recipe, command, {"curves": trainer.curves})


@dataclasses.dataclass(frozen=True)
class Towers:
    """Both towers as they are written: the backbones' tensors by their names, and the heads."""

    trunk: backbones.Tensors
    image_head: ImageHead
    reader: backbones.Tensors
    text_head: TextHead

    @classmethod
    def of(cls, trainer: Trainer) -> Towers:
        """The averaged towers of a run."""
        image, text = trainer.slow_image.cpu(), trainer.slow_text.cpu()
        return cls(image.trunk.tensors(), image.head, text.reader.tensors(), text.head)


def write_towers(
    towers: Towers,
    data: Path,
    out: Path,
    recipe: TowerRecipe,
    command: str,
    more: Mapping[str, Any],
) -> None:
    """Write towers that `recipe` taught, their background and how they came about.

    `more` is kept in the manifest beside command, seed, data, date and recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    profile_files.write_image(out / "image.onnx", towers.trunk, towers.image_head)
    profile_files.write_text(out / "text.onnx", towers.reader, towers.text_head)
    profile_files.write_tokenizer(out / "tokenizer.json", backbones.load_minilm()[1])
    profile_files.write_background(out / "background.npy", _vectors(out, data, recipe))
    training = {
        "command": command,
        "seed": recipe.seed,
        "data": [f"{name}/train" for name in recipe.archives],
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "recipe": dataclasses.asdict(recipe),
        **more,
    }
    profile_files.write_profile(out, training)


def _vectors(folder: Path, data: Path, recipe: TowerRecipe) -> NDArray[np.float32]:
    """Vectors of a fixed sample of training pictures, through the files just written."""
    profile = ProfileSessions(folder)
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


def check(towers: Towers, data: Path, out: Path, work: Path, say: Say) -> None:
    """Print what remains of the graphs at run time and what the compact weights lose."""
    for name in ("image.onnx", "text.onnx"):
        say(f"{name} at run time: {profile_files.runtime_operators(out / name, work)}")
    profile = ProfileSessions(out)
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
    parity.image_parity(
        towers.trunk, towers.image_head, ranges, pictures, texts, right, work=work, say=say
    )
    parity.text_parity(
        towers.reader,
        backbones.load_minilm()[1],
        towers.text_head,
        captions,
        vectors,
        right,
        work=work,
        say=say,
    )
