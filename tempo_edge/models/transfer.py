"""The way of a pinned model's files to this machine, from a hub or from someone's folder.

A file is what it claims to be once it has been compared with what the pinned commit says of it, and
with the checksum that is known here. One that is not goes, and is refused by name.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models.checksum import sha256_of

__all__ = ["Pinned", "RemoteFile", "Transfer"]

# Folders below the top of a repository in which files are looked for, in someone's copy of it.
_FOLDERS = ("onnx",)


class Pinned(Protocol):
    """A model at one commit of a repository, and the checksums of its files that are known."""

    @property
    def name(self) -> str: ...
    @property
    def repository(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def sha256(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class RemoteFile:
    """A file of the pinned commit: its size, and its SHA-256 or else its name in git."""

    name: str
    size: int
    sha256: str | None
    blob: str | None

    @property
    def is_at_top(self) -> bool:
        """Whether it lies in no folder of the repository."""
        return len(PurePosixPath(self.name).parts) == 1


class Transfer:
    """Brings files of a model into a folder, one after another, each compared when it is there.

    Args:
        model: what they are of.
        folder: where they go; a transfer that was ended goes on from what lies there.
        source: a folder that holds them, in place of the hub. Files whose checksum is known must
            have it; the rest is taken as it is.
        quiet: no progress bars.

    Raises:
        MissingExtraError: ``huggingface_hub`` is not installed, and there is no ``source``.
    """

    def __init__(
        self, model: Pinned, folder: Path, *, source: Path | None = None, quiet: bool = False
    ) -> None:
        self._model, self._folder = model, folder
        self._source: _Source = _Folder(source) if source is not None else _Hub(model, quiet)

    @cached_property
    def files(self) -> dict[str, RemoteFile]:
        """Every file that there is, by its path in the repository.

        Raises:
            ProfileError: they can't be listed.
        """
        return {each.name: each for each in self._source.list()}

    def bring(self, name: str) -> str:
        """Bring a file, of that path in the folder too; gives its SHA-256.

        Raises:
            ProfileError: there is none, it can't be had, or it is not what was pinned.
            OSError: it can't be kept.
        """
        if name not in self.files:
            raise ProfileError(f"model {self._model.name!r} lacks {name}")
        (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
        self._source.bring(self.files[name], self._folder)
        return self._compare(self.files[name])

    def _compare(self, file: RemoteFile) -> str:
        """The SHA-256 of a file, if it is what the commit says; else it is gone."""
        path = self._folder / file.name
        digest = sha256_of(path)
        pinned = self._model.sha256.get(file.name)
        blob = file.blob if file.sha256 is None else None
        if path.stat().st_size != file.size:
            wrong = f"has {path.stat().st_size} bytes, expected {file.size}"
        elif pinned is not None and digest != pinned:
            wrong = f"has SHA-256 {digest}, expected {pinned}"
        elif file.sha256 is not None and digest != file.sha256:
            wrong = f"has SHA-256 {digest}, expected {file.sha256}"
        elif blob is not None and (named := _git_hash(path)) != blob:
            wrong = f"is git's blob {named}, expected {blob}"
        else:
            return digest
        path.unlink()
        raise ProfileError(f"model {self._model.name!r}: {file.name} {wrong}: pull it again")


def _git_hash(path: Path) -> str:
    """The name that git gives to the contents of a file that a hub keeps in git: a small one."""
    from huggingface_hub.utils.sha import git_hash

    return git_hash(path.read_bytes())


class _Source(Protocol):
    """The source of a model's files."""

    def list(self) -> list[RemoteFile]:
        """The files that there are."""

    def bring(self, file: RemoteFile, folder: Path) -> None:
        """Put a file into a folder, of the same path below it."""


class _Folder:
    """Someone's copy of a repository."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self) -> list[RemoteFile]:
        below = [self._folder / each for each in _FOLDERS]
        try:
            return [
                RemoteFile(
                    path.relative_to(self._folder).as_posix(), path.stat().st_size, None, None
                )
                for folder in (self._folder, *(each for each in below if each.is_dir()))
                for path in sorted(folder.iterdir())
                if path.is_file()
            ]
        except OSError as error:
            raise ProfileError(f"folder {self._folder} can't be read: {error}") from error

    def bring(self, file: RemoteFile, folder: Path) -> None:
        try:
            shutil.copyfile(self._folder / file.name, folder / file.name)
        except OSError as error:
            raise ProfileError(f"{file.name} can't be copied: {error}") from error


class _Hub:
    """A model hub, or the mirror that ``HF_ENDPOINT`` names, through ``huggingface_hub``."""

    def __init__(self, model: Pinned, quiet: bool) -> None:
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
        # It would warn of each attempt; what ended them is told anyway.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        if quiet:
            disable_progress_bars()

    def list(self) -> list[RemoteFile]:
        # Which files there are is asked of the hub, even if all of them came long ago.
        if self._offline:
            raise ProfileError(f"model {self._model.name!r} can't be pulled: HF_HUB_OFFLINE is set")
        entries = self._ask(
            lambda: list(
                self._library.HfApi(self._endpoint).list_repo_tree(
                    self._model.repository, revision=self._model.revision, recursive=True
                )
            )
        )
        return [
            RemoteFile(
                entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id
            )
            for entry in entries
            if isinstance(entry, self._file)
        ]

    def bring(self, file: RemoteFile, folder: Path) -> None:
        self._ask(
            lambda: self._library.hf_hub_download(
                self._model.repository,
                file.name,
                revision=self._model.revision,
                local_dir=folder,
                library_name="tempo-edge",
                endpoint=self._endpoint,
            )
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:  # the library lets its transport's own errors through
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ProfileError(
                f"model {self._model.name!r} can't be pulled: {reason}: try again, name a mirror "
                "in HF_ENDPOINT, or a folder that holds it by --from DIR"
            ) from error
