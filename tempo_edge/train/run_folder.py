"""The folder of a training run: its settings, its newest state, its log and its curves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tempo_edge._files import atomic_write
from tempo_edge.evaluation import plots
from tempo_edge.train import training_state
from tempo_edge.train.data.archives import DataError
from tempo_edge.train.progress_log import Say

__all__ = ["RunFolder", "TrainingRun"]

# What of the figures on made-up dev windows is drawn.
_FIGURES = (
    "r1_at_0.7_at_85",
    "answered",
    "false_alarms_lookalike_at_85",
    "false_alarms_swap_at_85",
    "auroc_hard",
    "auroc_hard_blind",
)

# What of a run's losses and rewards is drawn.
_LOSSES = (
    *("answer", "when", "whether"),
    *("reward", "kl", "entropy", "refused_present", "refused_absent"),
)


class TrainingRun(Protocol):
    """A training that can be stopped and continued."""

    step: int
    curves: list[dict[str, float]]

    def train(self, say: Say) -> dict[str, float]:
        """Go on for some steps; returns the means over them."""

    def state(self) -> dict[str, Any]:
        """Everything that a later :meth:`restore` needs, as tensors and plain values."""

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` returned, as if nothing had come between."""


class RunFolder:
    """A folder that one run writes into: ``settings.json``, ``last.pt``, log and curves."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Make the folder, or take up one that was begun with the same settings.

        Raises:
            DataError: it was begun with others.
        """
        path.mkdir(parents=True, exist_ok=True)
        self.path, self.last, self.best = path, path / "last.pt", path / "best.pt"
        self._same_settings(settings)

    def _same_settings(self, settings: Mapping[str, Any]) -> None:
        path = self.path / "settings.json"
        text = json.dumps(settings, indent=1, default=str) + "\n"
        if not path.exists():
            with atomic_write(path) as draft:
                draft.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise DataError(f"{path} was written for other settings: choose another folder")

    def resume(self, run: TrainingRun, say: Say) -> None:
        """Let a run go on from where the folder was left, if it was.

        Raises:
            DataError: ``last.pt`` is of another run.
        """
        if not self.last.exists():
            return
        try:
            run.restore(training_state.load(self.last))
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise DataError(
                f"{self.last} is of another run: {reason}: choose another folder"
            ) from error
        say(f"going on after step {run.step}")

    def finish(self, run: TrainingRun, steps: int, say: Say) -> None:
        """Let a run go on to its last step, from where the folder was left, and keep all of it.

        Raises:
            DataError: as :meth:`resume`.
        """
        self.resume(run, say)
        while run.step < steps:
            means = run.train(say)
            run.curves.append({"step": float(run.step), **means})
            self.save(run.state(), run.curves)

    def save(self, state: dict[str, Any], curves: Sequence[dict[str, float]]) -> None:
        """Write ``last.pt``, ``log.jsonl`` and ``curves.png``, each replaced in one step."""
        training_state.save(self.last, state)
        with atomic_write(self.path / "log.jsonl") as draft:
            draft.write_text("".join(json.dumps(row) + "\n" for row in curves), encoding="utf-8")
        _draw(self.path / "curves.png", curves)


def _draw(path: Path, curves: Sequence[dict[str, float]]) -> None:
    """Draw the losses and rewards of a run on the left, its figures on dev on the right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for axes, names in ((left, _LOSSES), (right, _FIGURES)):
        for name in names:
            # Some steps have nothing to say of some: no question of theirs was absent, say.
            known = [row for row in curves if name in row]
            if known:
                steps, values = zip(*((row["step"], row[name]) for row in known), strict=True)
                axes.plot(steps, values, marker=".", label=name)
    right.set(ylabel="percent, made-up dev windows", ylim=(0, 100))
    for axes in (left, right):
        axes.set(xlabel="step")
        if axes.lines:
            axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    plots.save(figure, path)
