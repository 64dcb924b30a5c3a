"""Where volumes are on this machine, as its user said: a small file in the user's settings."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from tempo_edge._files import atomic_write
from tempo_edge._files.absolute import encodable
from tempo_edge.errors import LibraryError
from tempo_edge.volumes.mounts import mount_of, volume_of

__all__ = ["Mapped", "mappings_path", "read_mappings", "write_mapping"]

# Bytes of the longest file that is read.
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Mapped:
    """Where a volume is said to be.

    Attributes:
        path: the folder.
        mount: what :func:`tempo_edge.volumes.mounts.volume_of` told of it then.
        inside: what its file system called it then; empty where the kernel did not say.
    """

    path: str
    mount: str
    inside: str

    @staticmethod
    def of(path: str) -> Mapped:
        """A folder as it is now.

        Raises:
            OSError: it can't be looked at.
        """
        mount = mount_of(path)
        inside = "" if mount is None else encodable(mount.inside(os.path.realpath(path)))
        return Mapped(path, volume_of(path), inside)


def mappings_path() -> Path:
    """Where they are kept; the file need not exist."""
    from platformdirs import user_config_path

    return user_config_path("tempo-edge") / "volumes.json"


def read_mappings() -> dict[str, Mapped]:
    """Where volumes are said to be, by their ids.

    Raises:
        LibraryError: the file can't be read.
    """
    path = mappings_path()
    try:
        with path.open("rb") as file:
            facts: Any = json.loads(file.read(_MOST_BYTES))
        found = {
            key: Mapped(each["path"], each["mount"], each["inside"]) for key, each in facts.items()
        }
        if not all(isinstance(text, str) for each in found.values() for text in astuple(each)):
            raise ValueError("path, mount and inside must be texts")
        return found
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}  # a service in a sandbox sees none
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise LibraryError(
            f"where volumes are, {path}, can't be read: {error}: delete it, and run "
            "tempo-edge volumes map again"
        ) from error


def write_mapping(volume: str, mapped: Mapped | None) -> None:
    """Keep where a volume is, by its id; or nothing of it any more.

    Raises:
        LibraryError: it can't be kept.
    """
    path = mappings_path()
    known: Mapping[str, Mapped] = read_mappings()
    kept = {key: asdict(each) for key, each in known.items() if key != volume}
    if mapped is not None:
        kept[volume] = asdict(mapped)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as draft:
            draft.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise LibraryError(f"where volumes are, {path}, can't be written: {error}") from error
