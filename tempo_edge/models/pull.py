"""Pulling a checkpoint from a model hub, or from a folder that someone else pulled.

Only on an explicit command, and of it only descriptions (JSON) and weights (safetensors): nothing
that could run. What arrives lies in a folder that no one takes for a checkpoint until every file
has been compared with what the pinned commit says; a pull that was ended goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tempo_edge._files.atomic import take_place
from tempo_edge.errors import ProfileError
from tempo_edge.models.checkpoint import ABOUT, Checkpoint, read_checkpoint
from tempo_edge.models.published import Published
from tempo_edge.models.transfer import RemoteFile, Transfer

__all__ = ["OPEN_CLIP", "partial_folder", "pull", "pulled_bytes"]

#: What takes the place of ``config.json`` in the layout of OpenCLIP.
OPEN_CLIP = "open_clip_config.json"

# Descriptions are small; what is larger is not one.
_LARGEST_DESCRIPTION = 64 << 20
_WEIGHTS = ".safetensors"
_DESCRIPTION = ".json"


def pull(
    model: Published, store: Path, *, source: Path | None = None, quiet: bool = False
) -> Checkpoint:
    """Bring a checkpoint into the folder ``store``; gives it as it lies there.

    Args:
        source: a folder that holds the checkpoint's files, in place of the hub. Weights whose
            checksum is known must have it; the rest is taken as it is.
        quiet: no progress bars.

    Raises:
        ProfileError: it is there already, can't be had, or is not what was pinned.
        MissingExtraError: ``huggingface_hub`` is not installed.
    """
    if (store / model.name / ABOUT).exists():
        raise ProfileError(f"model {model.name!r} is in {store} already")
    partial = partial_folder(model.name, store)
    transfer = Transfer(model, partial, source=source, quiet=quiet)
    files = list(_wanted(transfer.files.values(), model))
    try:
        return _gather(model, store, files, transfer)
    except OSError as error:
        raise ProfileError(f"model {model.name!r} can't be kept in {store}: {error}") from error


def pulled_bytes(name: str, store: Path) -> int:
    """The bytes of a model that have come so far, while it is being pulled."""
    total = 0
    for path in partial_folder(name, store).rglob("*"):
        with suppress(OSError):  # it took its place this very moment
            total += path.stat().st_size if path.is_file() else 0
    return total


def partial_folder(name: str, store: Path) -> Path:
    """The folder of what has come of a model that is not whole yet."""
    return store / f".{name}.partial"


def _gather(
    model: Published, store: Path, files: list[RemoteFile], transfer: Transfer
) -> Checkpoint:
    """Bring all files into a folder of their own, which becomes the checkpoint when it is whole."""
    partial = partial_folder(model.name, store)
    partial.mkdir(parents=True, exist_ok=True)
    digests = {file.name: transfer.bring(file.name) for file in files}
    _tidy(partial, set(digests))
    facts = (model.name, model.repository, model.revision, model.kind, model.licence)
    (partial / ABOUT).write_text(Checkpoint(*facts, digests, partial).describe(), encoding="utf-8")
    take_place(partial, store / model.name)  # or that of what a removal left
    return read_checkpoint(model.name, store)


def _wanted(files: Iterable[RemoteFile], model: Published) -> Iterator[RemoteFile]:
    """Descriptions and weights at the top; a folder below it holds other forms of the same."""
    kept = [
        file
        for file in files
        if file.is_at_top
        and (
            file.name.endswith(_WEIGHTS)
            or (file.name.endswith(_DESCRIPTION) and file.size <= _LARGEST_DESCRIPTION)
        )
        and file.name != ABOUT
    ]
    names = {file.name for file in kept}
    if not {"config.json", OPEN_CLIP} & names:
        raise ProfileError(f"model {model.name!r} lacks config.json")
    if "tokenizer.json" not in names:
        raise ProfileError(f"model {model.name!r} lacks tokenizer.json")
    if not any(file.name.endswith(_WEIGHTS) for file in kept):
        raise ProfileError(f"model {model.name!r} has no weights in safetensors")
    # Small ones first: what is wrong with a checkpoint shows before gigabytes have come.
    yield from sorted(kept, key=lambda file: (file.size, file.name))


def _tidy(partial: Path, kept: set[str]) -> None:
    """Leave nothing but the files themselves."""
    for path in partial.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in kept:
            path.unlink()
