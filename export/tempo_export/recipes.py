"""Recipes: how a pulled checkpoint of each kind becomes a profile in float32.

A recipe is looked up before anything is written, so that what is missing is said at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tempo_edge.errors import ExportError
from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.registry import Profile, load_profile
from tempo_export.request import Progress, Request

__all__ = ["RECIPES", "ProfileRecipe", "find_recipe"]


@dataclass(frozen=True)
class ProfileRecipe:
    """The name of a profile and the way to make it.

    Attributes:
        name: of the profile.
        write: writes the profile's files into an empty folder; gives the profile that lies there.
    """

    name: str
    write: Callable[[Path, Progress], Profile]


def find_recipe(checkpoint: Checkpoint, request: Request) -> ProfileRecipe:
    """The recipe for a checkpoint.

    Raises:
        TempoEdgeError: the request lacks something that the recipe needs, or asks for what it
            can't give.
    """
    return RECIPES[checkpoint.kind](checkpoint, request)


def _encoder(checkpoint: Checkpoint, request: Request) -> ProfileRecipe:
    """Two towers, a tokenizer and a background."""
    from tempo_export.encoder import image_size, write_encoder

    if request.pictures is None:
        raise ExportError(
            f"model {request.name!r} needs --pictures DIR: by them a query's chance is judged"
        )
    pictures = request.read_pictures(image_size(checkpoint))
    return ProfileRecipe(
        request.name,
        lambda folder, progress: write_encoder(checkpoint, folder, pictures, progress),
    )


def _grounder(checkpoint: Checkpoint, request: Request) -> ProfileRecipe:
    """A hub model that looks at frames, beside the towers of a profile."""
    from tempo_export.grounder import write_grounder

    if request.size is not None and request.size < 1:
        raise ExportError(f"size {request.size} must be at least 1 pixel")
    towers = load_profile(request.beside)
    if request.precision != "fp32":
        raise ExportError(
            f"precision {request.precision!r} of a grounder must be fp32 at first: export "
            "the profile that it makes again"
        )
    name = f"{towers.name}-{checkpoint.name}"

    def write(folder: Path, progress: Progress) -> Profile:
        progress(f"writing {checkpoint.name} beside {towers.name}")
        return write_grounder(checkpoint, towers, folder, name, request.adapter, request.size)

    return ProfileRecipe(name, write)


#: The recipe for each kind of checkpoint.
RECIPES: Mapping[str, Callable[[Checkpoint, Request], ProfileRecipe]] = {
    "encoder": _encoder,
    "grounder": _grounder,
}
