"""A checkpoint of others on this machine, as it was pulled: what profiles are made from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tempo_edge._files import clear
from tempo_edge.errors import ProfileError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.description import NAME, Description, file_name

__all__ = ["ABOUT", "Checkpoint", "installed_checkpoints", "pulled_names", "read_checkpoint"]

#: The file that says what a checkpoint is; without it a folder is none.
ABOUT = "checkpoint.json"


@dataclass(frozen=True)
class Checkpoint:
    """A pulled checkpoint.

    Attributes:
        name, repository, revision, kind, licence: as they were published.
        files: SHA-256 of each file, by name.
        folder: where the files are.
    """

    name: str
    repository: str
    revision: str
    kind: str
    licence: str
    files: dict[str, str]
    folder: Path

    def verify(self) -> None:
        """Compare every file with what was pulled.

        Raises:
            ProfileError: one is missing or altered.
        """
        for file, expected in self.files.items():
            try:
                digest = sha256_of(self.folder / file)
            except OSError as error:
                raise ProfileError(f"checkpoint {self.name!r} lacks {file}: {error}") from error
            if digest != expected:
                raise ProfileError(
                    f"checkpoint {self.name!r}: {file} has SHA-256 {digest}, "
                    f"expected {expected}: remove it and pull it again"
                )

    def remove(self) -> Path:
        """Remove it; gives where it was.

        Raises:
            ProfileError: it can't be removed.
        """
        try:
            clear(self.folder, ABOUT)
        except OSError as error:
            raise ProfileError(f"checkpoint {self.name!r} can't be removed: {error}") from error
        return self.folder

    def describe(self) -> str:
        """The contents of its :data:`ABOUT`."""
        facts = asdict(self)
        del facts["folder"]
        return json.dumps(facts, indent=1) + "\n"


def installed_checkpoints() -> Path:
    """The folder of the checkpoints that a person pulled; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "checkpoints"


def pulled_names(store: Path | None = None) -> list[str]:
    """Names of the checkpoints that were pulled."""
    # What is half pulled begins with a dot.
    found = (store or installed_checkpoints()).glob(f"[!.]*/{ABOUT}")
    return sorted(path.parent.name for path in found)


def read_checkpoint(name: str, store: Path | None = None) -> Checkpoint:
    """The pulled checkpoint of that name.

    Raises:
        ProfileError: it was not pulled, or its description can't be read.
    """
    store = store or installed_checkpoints()
    folder = store / name
    if not (folder / ABOUT).is_file():
        raise ProfileError(f"checkpoint {name!r} must be one of the pulled {pulled_names(store)}")
    about = Description.read(folder / ABOUT)
    files = about.part("files")
    return Checkpoint(
        name=about.name("name", NAME),
        repository=about.text("repository"),
        revision=about.text("revision"),
        kind=about.choice("kind", ("encoder", "grounder")),
        licence=about.text("licence"),
        files={file_name(files, file): files.digest(file) for file in files},
        folder=folder,
    )
