"""The figures of the grounder's checkpoints on made-up windows, before any search.

``python -m benchmarks.windows --data DATA --work DIR --checkpoint NAME=FILE ...`` draws windows of
Flickr8k's test pictures, which nothing was trained or tuned on, and asks every checkpoint the same
questions. The row *similarity* is what the frames most like the query give, above the threshold
that dev's windows like best. Rows *evenly timed* show what the time stamps are worth: there each
frame is told to follow the one before after the same time, as if frames had only been counted, and
the answer is held to what was said. Needs the `train` extra.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.named_checkpoint import named_checkpoint
from tempo_edge.search.grounders.prompt import FrameTokens

if TYPE_CHECKING:
    from tempo_edge.train.grounder.examples import Example, ExampleSource


@dataclass(frozen=True)
class Evenly:
    """The windows of another source, with the same time from each frame to the next."""

    source: ExampleSource

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
        example = self.source.draw(rng)
        looks, edges = evenly(example.looks, float(example.edges[-1]))
        return replace(example, looks=tuple(looks), edges=edges)


def evenly(
    looks: Sequence[FrameTokens], end: float
) -> tuple[list[FrameTokens], NDArray[np.float64]]:
    """Frames told to follow each other after equal times.

    Gives them with their boundaries float64 ``[n + 1]``; ``end`` and all times are in seconds.
    """
    edges = np.linspace(0.0, end, len(looks) + 1)
    return [replace(look, seconds=float(at)) for look, at in zip(looks, edges, strict=False)], edges


def measure(
    data: Path, work: Path, checkpoints: Sequence[tuple[str, Path]], count: int, seed: int
) -> dict[str, dict[str, float]]:
    """Figures in percent of similarity alone and of each checkpoint, on the same windows."""
    from tempo_edge.models import load_profile
    from tempo_edge.train.data.archives import Archive
    from tempo_edge.train.grounder.held_out_windows import HeldOutWindows
    from tempo_edge.train.grounder.model.checkpoint_files import load_grounder
    from tempo_edge.train.grounder.prompt_builder import PromptBuilder
    from tempo_edge.train.grounder.synthetic import feature_bank
    from tempo_edge.train.grounder.synthetic.mix import Mix
    from tempo_edge.train.grounder.synthetic.windows import SyntheticWindows

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    profile = load_profile("nano")
    prompt_builder, sources = PromptBuilder(profile), {}
    with Archive(data, "flickr8k") as archive:
        for split in ("dev", "test"):
            pictures = feature_bank.build(work, profile, archive, split, say=say)
            sources[split] = SyntheticWindows(pictures, Mix())
    threshold, _ = HeldOutWindows(
        sources["dev"], prompt_builder, count=count, seed=seed
    ).best_threshold()
    trial = HeldOutWindows(sources["test"], prompt_builder, count=count, seed=seed)
    evenly = HeldOutWindows(Evenly(sources["test"]), prompt_builder, count=count, seed=seed)
    rows = {"similarity": trial.by_similarity(threshold)}
    for name, path in checkpoints:
        say(f"{name}: {path.name}")
        model = load_grounder(path)
        rows[name] = trial(model)
        rows[f"{name}, evenly timed"] = evenly(model)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with flickr8k")
    parser.add_argument("--work", type=Path, required=True, help="where encoded pictures are kept")
    parser.add_argument(
        "--checkpoint",
        type=named_checkpoint,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="as training writes them; repeat for more",
    )
    parser.add_argument("--count", type=int, default=1000, help="how many windows")
    parser.add_argument("--seed", type=int, default=7, help="which windows")
    options = parser.parse_args(arguments)
    rows: dict[str, Any] = measure(
        options.data, options.work, options.checkpoint, options.count, options.seed
    )
    print(json.dumps({**describe(), "windows": options.count, "seed": options.seed, **rows}))
    names = list(rows["similarity"])
    print("| system | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names), sep="\n")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[each]:.1f}" for each in names) + " |")


if __name__ == "__main__":
    main()
