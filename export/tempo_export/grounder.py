"""A pulled grounder becomes a profile: beside the towers of one that is there already."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tempo_edge.models.checkpoint import Checkpoint
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.profile_manifest import MANIFEST
from tempo_edge.models.registry import Profile
from tempo_export.drafts import finish

__all__ = ["write_grounder"]


def write_grounder(
    checkpoint: Checkpoint,
    towers: Profile,
    folder: Path,
    name: str,
    adapter: Path | None = None,
    size: int | None = None,
) -> Profile:
    """Write the files of a profile, in float32, into the empty ``folder``.

    Args:
        towers: the profile whose towers it gets.
        name: of the profile.
        adapter: what a PIR-GRPO run saved; without it the model is as it was published.
        size: pixels a side of a picture; by default those of 64 tokens.

    Raises:
        ProfileError: the checkpoint or a file of the towers is altered.
        DataError: the checkpoint is of no known family, or the adapter is none.
        MissingExtraError: the ``hub`` extra is not installed.
    """
    from tempo_export.vlm import attach

    for file in towers.files:
        shutil.copyfile(towers.checked(file), folder / file)
    attach(checkpoint, folder, adapter, size)
    about = json.loads((towers.folder / MANIFEST).read_text(encoding="utf-8"))
    about["name"] = name
    about["grounder"] = {
        "repository": checkpoint.repository,
        "revision": checkpoint.revision,
        "licence": checkpoint.licence,
        "adapter": None if adapter is None else sha256_of(adapter),
    }
    return finish(folder, about)
