"""A volume that has a name, and where this machine has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tempo_edge.errors import LibraryError

__all__ = ["AWAY", "ELSEWHERE", "Placed", "Volume", "checked_volume_name", "split"]

#: What the paths of files begin with whose volume is not mounted on this machine, a folder that
#: nobody has: behind it come the volume's name and the path within it.
AWAY = "/not-mounted"

#: What stands there for a name where another machine's path is one that a volume has here.
ELSEWHERE = "elsewhere"

_NAME = re.compile(r"\w[\w .+-]{0,99}(?<! )")


@dataclass(frozen=True)
class Volume:
    """A volume as a library knows it.

    Attributes:
        name: what people call it; the paths of its files begin with that where they are kept.
        id: what its marker says; never that of another volume.
        is_marked: whether it has a marker, without which it is none.
        file_system: the identity of its file system on every machine, or nothing.
        inside: where it begins in its file system, as ``/footage``.
    """

    name: str
    id: str
    is_marked: bool
    file_system: str
    inside: str


@dataclass(frozen=True)
class Placed:
    """A volume, and where this machine has it.

    Attributes:
        volume: the volume.
        root: the folder that it is; None where it is not mounted here.
        mount: the mounted file system that the root is on, as
            :func:`tempo_edge.volumes.mounts.volume_of` tells it; of one that is not mounted here,
            what is mounted nowhere.
        expected: where this machine was told to look for it; or None.
    """

    volume: Volume
    root: str | None
    mount: str
    expected: str | None = None


def checked_volume_name(name: str) -> str:
    """The name of a volume, which may be the beginning of a path.

    Raises:
        LibraryError: it may not.
    """
    if _NAME.fullmatch(name) is None or name == ELSEWHERE:
        raise LibraryError(
            f"{name!r} is no name for a volume: letters and digits with space, '.', '+', '-' and "
            "'_' between, 100 at most; choose one with --name"
        )
    return name


def split(kept: str) -> tuple[str, str]:
    """The name of a volume and the path within it, of a path as a library keeps it.

    The name is empty where the file is on no named volume: then the path is one from the root.
    """
    if kept.startswith("/"):
        return "", kept
    name, _, inside = kept.partition("/")
    return name, inside
