"""Draws a run: its loss, and what it finds on pictures that it does not train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tempo_edge.evaluation import plots

_SERIES = (
    ("dev_r1", "Flickr8k dev R@1"),
    ("dev_r10", "Flickr8k dev R@10"),
    ("short", "short queries, mean AP"),
    ("pairs", "minimal pairs"),
    ("sports", "sports100 dev top-1"),
    ("places", "places100 dev top-1"),
    ("counts_balanced", "animals counted, mean of three numbers"),
    ("seen", "ImageNet, seen classes"),
    ("held_out", "ImageNet, held-out classes"),
)


def draw(path: Path, curves: Sequence[dict[str, float]], title: str) -> None:
    """Write a PNG of the epochs in `curves`, as the trainer keeps them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    left.plot([row["epoch"] for row in curves], [row["loss"] for row in curves], color="#334e68")
    left.set(xlabel="epoch", ylabel="training loss")
    for name, label in _SERIES:
        known = [row for row in curves if name in row]
        right.plot(
            [row["epoch"] for row in known],
            [row[name] for row in known],
            marker="o",
            markersize=3,
            label=label,
        )
    right.set(xlabel="epoch", ylabel="percent, averaged weights", ylim=(0, 100))
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    plots.save(figure, path)
