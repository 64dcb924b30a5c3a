"""Trains an adapter of a hub model by PIR-GRPO, from beginning to end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tempo_edge.train.data.archives import Archive
from tempo_edge.train.grounder.grpo.pir_grpo import GrpoSettings, PirGrpo
from tempo_edge.train.grounder.synthetic.pictured_windows import PicturedWindows
from tempo_edge.train.hub.loading import load_hub
from tempo_edge.train.progress_log import Say
from tempo_edge.train.run_folder import RunFolder

__all__ = ["HubSettings", "train"]


@dataclass(frozen=True)
class HubSettings:
    """The settings of a run: all that it depends on besides its pictures and its checkpoint.

    ``archive`` names the captioned pictures, ``size`` is the side of a frame in pixels, and
    ``rank`` is LoRA's. ``seed`` takes the place of that of ``grpo``, whose archives and videos
    do not count.
    """

    seed: int = 0
    archive: str = "flickr8k"
    size: int = 224
    rank: int = 16
    grpo: GrpoSettings = field(
        default_factory=lambda: GrpoSettings(
            steps=300, prompts=16, group=8, chunk=1, learning_rate=1e-4
        )
    )

    def __post_init__(self) -> None:
        for name in ("size", "rank"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} must be at least 1")
        if self.seed < 0:
            raise ValueError(f"seed {self.seed} must not be negative")


def train(
    settings: HubSettings, model: Path, data: Path, out: Path, *, device: str, say: Say = print
) -> Path:
    """Train to the end, from where the folder `out` was left; returns the newest adapter.

    Raises:
        MissingExtraError: ``peft`` is not installed.
        DataError: the checkpoint or the archive can't be read, or `out` is of another run.
    """
    grpo = dataclasses.replace(settings.grpo, seed=settings.seed)
    torch.manual_seed(settings.seed)  # LoRA begins at random
    with Archive(data, settings.archive) as archive:
        source = PicturedWindows(archive, "train", grpo.mix, size=settings.size)
        run = PirGrpo(load_hub(model, rank=settings.rank, device=device), source, grpo)
        folder = RunFolder(out, {**dataclasses.asdict(settings), "model": model.name})
        folder.finish(run, grpo.steps, say)
    return folder.last
