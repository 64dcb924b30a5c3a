"""Everything that a training run depends on besides its data; chosen on the dev splits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tempo_edge.train.data.archives import ARCHIVES

_OBJECTS_AND_SPORTS = ("flickr8k", "coco_thumbs", "sports100", "imagenet_samples")


@dataclass(frozen=True)
class TowerRecipe:
    """The settings of one run.

    `frozen` counts the blocks of the image trunk that keep their weights, `frozen_layers` the
    layers of the sentence encoder; `trunk_rate`,
    `reader_rate` and `head_rate` are peak learning rates, and a rate of zero freezes that part.
    `captions` sentences are read for each captioned picture of a step, and besides them for a share
    `short` of the pictures what people would type of one. `swapped` is the share of pictures for
    which a changed copy of a sentence is wrong for the whole step; with `swap_weight` every picture
    must prefer its sentence to a changed copy, and animals their number to others. Captioned
    pictures come to a step in groups of `neighbours` whose captions are alike. `composed` is the
    share of places with a list of things that are named with some of them. Archives are drawn in
    proportion to the square root of their size, but no captioned picture more than `most` times an
    epoch.
    """

    seed: int = 0
    archives: tuple[str, ...] = ARCHIVES
    size: int = 192
    views: int = 5
    frozen: int = 5
    frozen_layers: int = 0
    epochs: int = 16
    batch: int = 256
    labelled_batch: int = 224
    captions: int = 1
    short: float = 0.25
    swapped: float = 0.25
    swap_weight: float = 0.3
    composed: float = 0.5
    neighbours: int = 4
    most: float = 2.0
    trunk_rate: float = 3e-4
    reader_rate: float = 1e-4
    head_rate: float = 1e-3
    trunk_decay: float = 0.05
    head_decay: float = 0.3
    warmup: float = 0.08
    ema: float = 0.99
    temperature: float = 0.05
    label_weight: float = 0.5
    distill_weight: float = 0.5
    anchor_weight: float = 1.0
    grid_share: float = 0.2
    image_hidden: int = 1024
    text_hidden: int = 1024
    image_dropout: float = 0.3
    text_dropout: float = 0.1
    reading_epochs: int = 2
    bfloat16: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot run, naming the setting."""
        for name in ("views", "epochs", "batch", "captions", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: at least 1 is needed")
        unknown = set(self.archives) - set(ARCHIVES)
        if unknown:
            raise ValueError(f"archives {sorted(unknown)}: only {', '.join(ARCHIVES)} are known")
        if self.most < 1.0:
            raise ValueError(f"most={self.most}: at least 1 is needed")


RECIPES = {
    "full": TowerRecipe(),
    # From a written profile on (``--start``): what lies near pixels and words stays as it is.
    "onward": TowerRecipe(
        views=3,
        frozen=11,
        frozen_layers=3,
        epochs=5,
        trunk_rate=1.5e-4,
        reader_rate=5e-5,
        head_rate=5e-4,
        warmup=0.1,
        reading_epochs=0,
    ),
    # What the first version of the profile was: both towers as they come, heads behind them.
    "heads": TowerRecipe(
        trunk_rate=0.0,
        reader_rate=0.0,
        reading_epochs=0,
        short=0.0,
        swapped=0.0,
        swap_weight=0.0,
        neighbours=1,
    ),
    # What version 0.2 was taught: four archives, fewer labels a step, whole captions alone.
    "0.2": TowerRecipe(
        archives=_OBJECTS_AND_SPORTS,
        labelled_batch=112,
        short=0.0,
        swap_weight=0.0,
        most=1.0,
    ),
    # Fine-tuning as it is usually done: captioned photographs alone, one plain loss.
    "plain": TowerRecipe(
        archives=("flickr8k",),
        epochs=15,
        batch=192,
        captions=1,
        short=0.0,
        swapped=0.0,
        swap_weight=0.0,
        neighbours=1,
        most=1.0,
        label_weight=0.0,
        distill_weight=0.0,
        anchor_weight=0.0,
        grid_share=0.0,
        reading_epochs=0,
    ),
}


def override(recipe: TowerRecipe, settings: list[str]) -> TowerRecipe:
    """`recipe` with `NAME=VALUE` settings applied; raises ValueError naming a bad one."""
    kinds = {field.name: type(getattr(recipe, field.name)) for field in dataclasses.fields(recipe)}
    changes: dict[str, object] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in kinds:
            raise ValueError(f"setting {name!r} is unknown: one of {', '.join(kinds)}")
        try:
            if kinds[name] is bool:
                changes[name] = {"true": True, "false": False}[value.lower()]
            elif kinds[name] is tuple:
                changes[name] = tuple(value.split(","))
            else:
                changes[name] = kinds[name](value)
        except (KeyError, ValueError):
            raise ValueError(f"setting {name}={value!r} is not a {kinds[name].__name__}") from None
    return dataclasses.replace(recipe, **changes)  # type: ignore[arg-type]
