"""Checkpoints of the grounder: its sizes and its weights, as a training writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tempo_edge.train import training_state
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.grounder.model.network import DecoderShape, GrounderNetwork

__all__ = ["load_grounder", "save_grounder"]


def save_grounder(path: Path, model: GrounderNetwork, figures: dict[str, float]) -> None:
    """Write a model with the figures that it had on dev, as :func:`load_grounder` reads it."""
    state = {"shape": model.config(), "model": model.state_dict(), "figures": figures}
    training_state.save(path, state)


def load_grounder(path: Path) -> GrounderNetwork:
    """The model of a checkpoint that a training wrote, the best or the last one.

    Raises:
        DataError: the file is missing, or holds something else.
    """
    if not path.exists():
        raise DataError(f"{path} is missing")
    state: dict[str, Any] = training_state.load(path)
    try:
        shape = {**state["shape"]}
        sizes = {name: int(shape[name]) for name in ("hidden", "layers", "heads", "inner")}
        model = GrounderNetwork(DecoderShape(**sizes, dropout=float(shape["dropout"])))
        model.load_state_dict(state["model"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"{path} holds no grounder: {' '.join(str(error).split())}") from error
    return model
