"""A model of speech on its way here: from a model hub, or from a folder that holds its files."""

from __future__ import annotations

from pathlib import Path

from tempo_edge._files import take_place
from tempo_edge.errors import ProfileError
from tempo_edge.models.pull import partial_folder
from tempo_edge.models.transfer import Transfer
from tempo_edge.speech.models import SpeechModel, speech_folder

__all__ = ["fetch"]


def fetch(model: SpeechModel, *, source: Path | None = None, quiet: bool = False) -> Path:
    """Bring a model's files here; gives their folder, which is there whole or not at all.

    What a run that was ended has brought is not brought again.

    Args:
        source: a folder that holds them, in place of the hub.
        quiet: no progress bars.

    Raises:
        MissingExtraError: ``huggingface_hub`` is not installed, and there is no ``source``.
        ProfileError: they can't be had or kept, or one is not what was pinned.
    """
    folder = speech_folder(model)
    partial = partial_folder(model.name, folder.parent)
    try:
        partial.mkdir(parents=True, exist_ok=True)
        transfer = Transfer(model, partial, source=source, quiet=quiet)
        # Small ones first: what is wrong with a model shows before gigabytes have come.
        names = sorted(model.sha256, key=lambda name: name == "model.bin")
        for name in names:
            transfer.bring(name)
        take_place(partial, folder)
    except OSError as error:
        raise ProfileError(f"speech model {model.name!r} can't be kept: {error}") from error
    return folder
