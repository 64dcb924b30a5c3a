"""Pulling a checkpoint from a model hub, or from a folder that someone else pulled.

Only on an explicit command, and of it only descriptions (JSON) and weights (safetensors): nothing
that could run. What arrives lies in a folder that no one takes for a checkpoint until every file
has been compared with what the pinned commit says; a pull that was ended goes on from there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from tempo_edge._extras import lacking
from tempo_edge._files import take_place
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models.checkpoint import ABOUT, Checkpoint, read_checkpoint
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.published import Published

__all__ = ["pull", "pulled_bytes"]

# Descriptions are small; what is larger is not one.
_LARGEST_DESCRIPTION = 64 << 20
_WEIGHTS = ".safetensors"
_DESCRIPTION = ".json"


@dataclass(frozen=True)
class _Remote:
    """A file of the pinned commit: its size, and its SHA-256 or else its name in git."""

    name: str
    size: int
    sha256: str | None
    blob: str | None


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
    fetch = _Folder(source) if source is not None else _Hub(model, quiet)
    files = list(_wanted(fetch.list(), model))
    try:
        return _gather(model, store, files, fetch)
    except OSError as error:
        raise ProfileError(f"model {model.name!r} can't be kept in {store}: {error}") from error


def pulled_bytes(model: Published, store: Path) -> int:
    """The bytes of a checkpoint that have come so far, while it is being pulled."""
    total = 0
    for path in _partial(model, store).rglob("*"):
        with suppress(OSError):  # it took its place this very moment
            total += path.stat().st_size if path.is_file() else 0
    return total


def _partial(model: Published, store: Path) -> Path:
    return store / f".{model.name}.partial"


def _gather(model: Published, store: Path, files: list[_Remote], fetch: _Source) -> Checkpoint:
    """Bring all files into a folder of their own, which becomes the checkpoint when it is whole."""
    partial = _partial(model, store)
    partial.mkdir(parents=True, exist_ok=True)
    digests = {}
    for file in files:
        fetch.bring(file, partial)
        digests[file.name] = _compare(partial / file.name, file, model)
    _tidy(partial, set(digests))
    facts = (model.name, model.repository, model.revision, model.kind, model.licence)
    (partial / ABOUT).write_text(Checkpoint(*facts, digests, partial).describe(), encoding="utf-8")
    take_place(partial, store / model.name)  # or that of what a removal left
    return read_checkpoint(model.name, store)


def _wanted(files: list[_Remote], model: Published) -> Iterator[_Remote]:
    """Descriptions and weights at the top; a folder below it holds other forms of the same."""
    kept = [
        file
        for file in files
        if len(PurePosixPath(file.name).parts) == 1
        and (
            file.name.endswith(_WEIGHTS)
            or (file.name.endswith(_DESCRIPTION) and file.size <= _LARGEST_DESCRIPTION)
        )
        and file.name != ABOUT
    ]
    for needed in ("config.json", "tokenizer.json"):
        if not any(file.name == needed for file in kept):
            raise ProfileError(f"model {model.name!r} lacks {needed}")
    if not any(file.name.endswith(_WEIGHTS) for file in kept):
        raise ProfileError(f"model {model.name!r} has no weights in safetensors")
    # Small ones first: what is wrong with a checkpoint shows before gigabytes have come.
    yield from sorted(kept, key=lambda file: (file.size, file.name))


def _compare(path: Path, file: _Remote, model: Published) -> str:
    """The SHA-256 of a file, if it is what the commit says; else it is gone, to be fetched anew."""
    digest = sha256_of(path)
    pinned = model.sha256.get(file.name)
    if path.stat().st_size != file.size:
        wrong = f"has {path.stat().st_size} bytes, expected {file.size}"
    elif pinned is not None and digest != pinned:
        wrong = f"has SHA-256 {digest}, expected {pinned}"
    elif file.sha256 is not None and digest != file.sha256:
        wrong = f"has SHA-256 {digest}, expected {file.sha256}"
    elif file.sha256 is None and file.blob is not None and (blob := _git_hash(path)) != file.blob:
        wrong = f"is git's blob {blob}, expected {file.blob}"
    else:
        return digest
    path.unlink()
    raise ProfileError(f"model {model.name!r}: {file.name} {wrong}: pull it again")


def _git_hash(path: Path) -> str:
    """The name that git gives to the contents of a file that a hub keeps in git: a small one."""
    from huggingface_hub.utils.sha import git_hash

    return git_hash(path.read_bytes())


def _tidy(partial: Path, kept: set[str]) -> None:
    """Leave nothing but the files themselves."""
    for path in partial.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in kept:
            path.unlink()


class _Source(Protocol):
    """The source of a checkpoint's files."""

    def list(self) -> list[_Remote]:
        """The files that there are."""

    def bring(self, file: _Remote, partial: Path) -> None:
        """Put a file into the folder ``partial``."""


class _Folder:
    """Someone's copy of a checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self) -> list[_Remote]:
        try:
            return [
                _Remote(path.name, path.stat().st_size, None, None)
                for path in sorted(self._folder.iterdir())
                if path.is_file()
            ]
        except OSError as error:
            raise ProfileError(f"folder {self._folder} can't be read: {error}") from error

    def bring(self, file: _Remote, partial: Path) -> None:
        try:
            shutil.copyfile(self._folder / file.name, partial / file.name)
        except OSError as error:
            raise ProfileError(f"{file.name} can't be copied: {error}") from error


class _Hub:
    """A model hub, or the mirror that ``HF_ENDPOINT`` names, through ``huggingface_hub``."""

    def __init__(self, model: Published, quiet: bool) -> None:
        try:
            import huggingface_hub
            from huggingface_hub import constants, hf_api
            from huggingface_hub.utils.tqdm import disable_progress_bars
        except ImportError as error:
            raise MissingExtraError(lacking("huggingface_hub")) from error
        self._library, self._model = huggingface_hub, model
        self._offline, self._file = bool(constants.HF_HUB_OFFLINE), hf_api.RepoFile
        # Asked for by hand: the library itself looks only once, when it is imported.
        self._endpoint = os.environ.get("HF_ENDPOINT") or None
        if quiet:
            disable_progress_bars()

    def list(self) -> list[_Remote]:
        # Which files there are is asked of the hub, even if all of them came long ago.
        if self._offline:
            raise ProfileError(f"model {self._model.name!r} can't be pulled: HF_HUB_OFFLINE is set")
        entries = self._ask(
            lambda: list(
                self._library.HfApi(self._endpoint).list_repo_tree(
                    self._model.repository, revision=self._model.revision
                )
            )
        )
        return [
            _Remote(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
            for entry in entries
            if isinstance(entry, self._file)
        ]

    def bring(self, file: _Remote, partial: Path) -> None:
        self._ask(
            lambda: self._library.hf_hub_download(
                self._model.repository,
                file.name,
                revision=self._model.revision,
                local_dir=partial,
                library_name="tempo-edge",
                endpoint=self._endpoint,
            )
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:  # the library lets its transport's own errors through
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ProfileError(f"model {self._model.name!r} can't be pulled: {reason}") from error
