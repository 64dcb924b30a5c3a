"""Whether a small head that sees a shot's frames in time beats their mean and their best.

``python -m benchmarks.temporal_pooling --data DIR [--profile-dir DIR] [--seeds 3]`` trains heads on
the clips of ``action_frames`` that are trained on and on still shots (views of Flickr8k's training
pictures), over the vectors of a profile that stays as it is. It measures by the other clips and by
still shots of dev pictures: is a clip called what it does, does a sentence find the clips that it
tells of, and a caption its still shot? A head's figure is the mean over seeds. Differences are to
the mean of the frames, with the bounds of 95 % of a paired bootstrap over clips and shots.

A clip has two frames in that archive: the mean of its best two is its mean, and what a head can
learn there of an order of events is little.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks._shot_heads import HEADS, fit, pooled, weights
from benchmarks._shots import Shots, clips, still_shots
from benchmarks.machine import describe
from benchmarks.pooling import POOLS, Pool
from benchmarks.scoring import difference_cells
from tempo_edge.models.registry import BUILT_IN, read_profile
from tempo_edge.quantization import unit
from tempo_edge.train.data.label_prompts import asked
from tempo_edge.train.towers.retrieval import ranking

__all__ = ["Measured", "Outcome", "main", "of_scores"]

_Floats = NDArray[np.float32]
_Score = Callable[[Shots, _Floats], _Floats]

_RESAMPLES = 200
_POOLS = ("best frame", "mean of the best 2", "half best, half mean", "mean")
_BASE = "mean"


@dataclass(frozen=True)
class Outcome:
    """What one way to pool makes of every measured clip and still shot.

    Attributes:
        named: 1 where a clip's own name is the nearest, 0 where another is, and NaN for a clip
            that has captions alone, ``[c]``.
        scores: of each sentence for each clip, ``[q, c]``; ``right``: where it tells of the clip.
        found: the share of a still shot's captions that find it first, ``[s]``.
    """

    named: NDArray[np.float64]
    scores: _Floats
    right: NDArray[np.bool_]
    found: NDArray[np.float64]

    def figures(self, clips: NDArray[np.int64], shots: NDArray[np.int64]) -> list[float]:
        """Percent named right, mean average precision, percent found first, of some of each."""
        ranked = ranking(self.scores[:, clips], self.right[:, clips])
        return [
            100 * float(np.nanmean(self.named[clips])),
            ranked["mean_ap"],
            100 * float(self.found[shots].mean()),
        ]


@dataclass(frozen=True)
class Measured:
    """The clips and still shots to measure by, and the vectors of what is asked.

    Attributes:
        names: vectors of all labels ``[k, d]``, in the order of ``labels``.
        sentences: what is said of the clips, each once, and ``captions`` of the still shots, all
            of them; ``owners``: the row of the shot of each.
    """

    clips: Shots
    still: Shots
    labels: list[str]
    names: _Floats
    sentences: list[str]
    asked: _Floats
    captions: _Floats
    owners: NDArray[np.int64]

    @staticmethod
    def of(clips: Shots, still: Shots, read: Callable[[str], _Floats]) -> Measured:
        """The questions for labelled clips and for still shots."""
        labels = sorted(set(clips.labels) - {""})
        names = [np.mean([read(text) for text in asked(each, "action")], axis=0) for each in labels]
        sentences = sorted({text for said in clips.said for text in said})
        return Measured(
            clips,
            still,
            labels,
            unit(np.stack(names)),
            sentences,
            np.stack([read(text) for text in sentences]),
            np.stack([read(text) for said in still.said for text in said]),
            np.repeat(np.arange(len(still)), [len(said) for said in still.said]),
        )

    def outcome(self, score: _Score) -> Outcome:
        """What comes of a way to score shots ``[q, n]`` for sentences."""
        nearest = score(self.clips, self.names).argmax(axis=0)
        named = [
            float(self.labels[row] == own) if own else np.nan
            for row, own in zip(nearest, self.clips.labels, strict=True)
        ]
        right = [[text in said for said in self.clips.said] for text in self.sentences]
        found = score(self.still, self.captions).argmax(axis=1) == self.owners
        times = np.bincount(self.owners)
        return Outcome(
            named=np.array(named),
            scores=score(self.clips, self.asked),
            right=np.array(right),
            found=np.bincount(self.owners, weights=found) / times,
        )


def of_scores(pool: Pool) -> _Score:
    """A way to score shots by the scores of their frames."""

    def score(shots: Shots, texts: _Floats) -> _Floats:
        scores = np.einsum("qd,nfd->qnf", texts, shots.frames)
        flat = pool(scores.reshape(-1, scores.shape[2]))
        return np.asarray(flat.reshape(scores.shape[:2]), np.float32)

    return score


def _one_frame(shots: Shots, texts: _Floats) -> _Floats:
    return np.asarray(texts @ shots.frames[:, 0].T, np.float32)


def _mean_vector(shots: Shots, texts: _Floats) -> _Floats:
    return np.asarray(texts @ unit(shots.frames.mean(axis=1)).T, np.float32)


def table(outcomes: dict[str, tuple[int, list[Outcome]]], seed: int) -> list[str]:
    """Lines of a GitHub table: each way's weights, figures and differences to the mean."""
    rng = np.random.default_rng(seed)
    base = outcomes[_BASE][1]
    sizes = len(base[0].named), len(base[0].found)
    everyone = tuple(np.arange(size) for size in sizes)
    again = [tuple(rng.integers(size, size=size) for size in sizes) for _ in range(_RESAMPLES)]

    def figures(runs: Sequence[Outcome], of: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
        return np.asarray(np.mean([run.figures(*of) for run in runs], axis=0), np.float64)

    plain = np.array([figures(base, of) for of in again])
    lines = [
        "| a shot's vector or score | weights | clip's name | clips by sentence, mAP | "
        "still shot by caption, R@1 |",
        "|---|---:|---|---|---|",
    ]
    for name, (size, runs) in outcomes.items():
        measured = figures(runs, everyone)
        cells = [f"{value:.1f}" for value in measured]
        if runs is not base:
            moved = np.array([figures(runs, of) for of in again]) - plain
            cells = difference_cells(measured.tolist(), moved)
        lines.append(f"| {name} | {size} | {' | '.join(cells)} |")
    return lines


def _by(head: nn.Module) -> _Score:
    return lambda shots, texts: np.asarray(texts @ pooled(head, shots).T, np.float32)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the archives of pictures")
    parser.add_argument("--profile-dir", type=Path, default=BUILT_IN / "nano")
    parser.add_argument("--pictures", type=int, default=1000, help="still shots to train on")
    parser.add_argument("--measured", type=int, default=400, help="still shots to measure by")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3, help="heads of each kind")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    options = _parser().parse_args(arguments)
    profile = read_profile(options.profile_dir)
    read = cache(lambda text: np.asarray(profile.text_tower.encode([text])[0], np.float32))
    trained, held_out = clips(profile, options.data)
    still = still_shots(profile, options.data, "train", options.pictures, seed=0)
    unseen = still_shots(profile, options.data, "dev", options.measured, seed=0)
    measured = Measured.of(held_out, unseen, read)
    outcomes: dict[str, tuple[int, list[Outcome]]] = {
        "first frame": (0, [measured.outcome(_one_frame)]),
        "mean of vectors": (0, [measured.outcome(_mean_vector)]),
        **{name: (0, [measured.outcome(of_scores(POOLS[name]))]) for name in _POOLS},
    }
    for name, make in HEADS.items():
        heads = [
            fit(make, [trained, still], read, epochs=options.epochs, seed=seed)
            for seed in range(options.seeds)
        ]
        runs = [measured.outcome(_by(head)) for head in heads]
        outcomes[name] = (weights(heads[0]), runs)
    facts = {
        "clips": [len(trained), len(held_out)],
        "still shots": [len(still), len(unseen)],
        "frames": [held_out.frames.shape[1], unseen.frames.shape[1]],
        "seeds": options.seeds,
    }
    print(json.dumps({**describe(), **facts}))
    print("\n".join(table(outcomes, seed=0)), flush=True)


if __name__ == "__main__":
    main()
