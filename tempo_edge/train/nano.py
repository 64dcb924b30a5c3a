"""Trains and writes the built-in profile `nano`, end to end.

    python -m tempo_edge.train.nano --data DIR --out tempo_edge/models/nano --seed 0 --work DIR

Features of the frozen towers are cached in the work folder, so an interrupted run continues and a
second run with other settings skips straight to the heads.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.data import ARCHIVES, Archive, squash

if TYPE_CHECKING:
    from tempo_edge.train.features import Towers
    from tempo_edge.train.heads import ImageHead, TextHead

BACKGROUND = 2048


@dataclasses.dataclass
class Made:
    """What a run leaves in memory: the frozen towers and the trained heads."""

    towers: Towers
    image: ImageHead
    text: TextHead


class _Clock:
    """Prints lines with the minutes since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        print(f"[{minutes:02d}:{seconds:02d}] {line}", flush=True)


def make(data: Path, out: Path, work: Path, *, seed: int, views: int, threads: int) -> Made:
    """Train both heads on the archives in `data` and write the profile to `out`."""
    import torch

    from tempo_edge.train import contrastive, corpus, export
    from tempo_edge.train.features import Towers

    torch.set_num_threads(threads)
    say = _Clock()
    with ExitStack() as stack:
        archives = {name: stack.enter_context(Archive(data, name)) for name in ARCHIVES}
        towers = Towers(work, threads=threads, say=say)
        examples = corpus.gather(towers, archives, views=views, seed=seed)
        watched = corpus.watch(towers, archives, seed=seed)
    config = contrastive.Config(seed=seed)
    say(f"training on {len(examples.label)} pictures, {len(examples.sentences)} sentences")
    image, text = contrastive.train(examples, config, say=say, check=watched)

    out.mkdir(parents=True, exist_ok=True)
    export.write_image(out / "image.onnx", towers.lite0, image)
    export.write_text(out / "text.onnx", towers.minilm, text)
    export.write_tokenizer(out / "tokenizer.json", towers.tokenizer)
    rows = export.background_rows(len(examples.label), BACKGROUND, seed)
    sample = torch.from_numpy(np.asarray(examples.views[0][rows, 0], np.float32))
    with torch.no_grad():
        export.write_background(out / "background.npy", image(sample).numpy())
    training = {
        "command": "python -m tempo_edge.train.nano --data DIR --out tempo_edge/models/nano "
        f"--seed {seed} --views {views} --work DIR",
        "seed": seed,
        "data": [f"{name}/train" for name in ARCHIVES],
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "config": dataclasses.asdict(config),
    }
    export.write_profile(out, training)
    say(f"wrote {', '.join(export.FILES)} and profile.json to {out}")
    return Made(towers, image, text)


def check(made: Made, data: Path, out: Path, work: Path, *, seed: int) -> None:
    """Print what remains of the graphs at run time and what the compact weights lose."""
    import torch

    from tempo_edge.train import export, parity
    from tempo_edge.train.backbones import IMAGE_SIZE

    say = _Clock()
    for name in ("image.onnx", "text.onnx"):
        say(f"{name} at run time: {export.runtime_operators(out / name, work)}")
    towers = made.towers
    with Archive(data, "flickr8k") as archive:
        records = archive.split("dev")
        features = towers.images(archive, records, index=0, seed=seed)
        pictures = np.stack([squash(archive.picture(r), IMAGE_SIZE) for r in records[:320]])
    with torch.no_grad():
        vectors = made.image(torch.from_numpy(features[:, 0].astype(np.float32))).numpy()
    captions = [caption for record in records for caption in record.captions]
    right = np.repeat(np.arange(len(records)), [len(record.captions) for record in records])
    parity.image_parity(towers.lite0, made.image, pictures, work=work, say=say)
    parity.text_parity(
        towers.minilm, towers.tokenizer, made.text, captions, vectors, right, work=work, say=say
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tempo_edge.train.nano", description="Train the built-in profile."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--out", type=Path, required=True, help="folder for the profile")
    parser.add_argument("--work", type=Path, help="folder for caches; default: a temporary one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--views", type=int, default=5, help="views a picture, default %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default %(default)s")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            work = options.work or Path(temporary)
            made = make(
                options.data,
                options.out,
                work,
                seed=options.seed,
                views=options.views,
                threads=options.threads,
            )
            check(made, options.data, options.out, work, seed=options.seed)
    except TempoEdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
