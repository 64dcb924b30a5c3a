"""A pulled grounder, with or without an adapter of PIR-GRPO, put beside a profile's towers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.train import training_state as states
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.hub import load_hub
from tempo_export.vlm.bundle import export, usual_size

__all__ = ["attach"]


def attach(
    pulled: Checkpoint, folder: Path, adapter: Path | None = None, size: int | None = None
) -> dict[str, Any]:
    """Write the graphs of a grounder into the folder of a profile; gives their manifest.

    Args:
        adapter: what a PIR-GRPO run saved; without it the model is as it was published.
        size: pixels a side of a picture; by default those of 64 tokens.

    Raises:
        ProfileError: the checkpoint is altered.
        DataError: it is of no known family, or the adapter is none.
        MissingExtraError: the ``hub`` extra is not installed.
    """
    pulled.verify()
    state = None if adapter is None else states.load(adapter)
    policy = load_hub(pulled.folder, rank=1 if state is None else _rank(state, adapter))
    if state is not None:
        policy.restore(state)
    return export(
        policy,
        folder,
        size=size or usual_size(policy.family),
        source=pulled.repository,
        revision=pulled.revision,
    )


def _rank(state: dict[str, Any], path: Path | None) -> int:
    adapter = state.get("adapter") or {}
    ranks = {weight.shape[0] for name, weight in adapter.items() if ".lora_A." in name}
    if len(ranks) != 1:
        raise DataError(f"{path} must hold an adapter of one rank, has {sorted(ranks)}")
    return int(ranks.pop())
