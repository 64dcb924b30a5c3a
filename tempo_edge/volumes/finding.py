"""Where the volumes of a library are on this machine: as its user said, by marker, or by identity.

A place that the user said counts while the volume is there. Otherwise the mount points are looked
at: a volume with a marker is where that is; one without is where its file system is, if that has
an identity which is the same on every machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import lru_cache

from tempo_edge.volumes.mappings import Mapped, read_mappings
from tempo_edge.volumes.marker import read_marker
from tempo_edge.volumes.mounts import (
    mount_of,
    mount_table,
    mounts_in,
    steady_identity,
    volume_of,
)
from tempo_edge.volumes.volume import AWAY, Placed, Volume

__all__ = ["find_volumes", "is_there"]

# Between two looks for a volume while nothing is mounted, in seconds: it may get its marker late.
_LOOK_SECONDS = 30.0

# The root of a machine is no volume of a team's.
_NEVER = ("/", None)


def find_volumes(volumes: Sequence[Volume]) -> list[Placed]:
    """Where this machine has some volumes, in their order.

    Raises:
        LibraryError: what the user said can't be read.
    """
    if not volumes:
        return []
    said, table = read_mappings(), mount_table()
    found: list[Placed] = []
    taken: set[str] = set()
    for volume in volumes:
        mapped = said.get(volume.id)
        root = _root(volume, mapped, table, taken)
        if root is not None:
            taken.add(root)
        mount = f"{volume.id}:{AWAY}/{volume.name}" if root is None else _mount(root, table)
        expected = None if mapped is None else mapped.path
        found.append(Placed(volume, root, mount, expected))
    return found


def is_there(volume: Volume, mapped: Mapped) -> bool:
    """Whether a volume is where somebody said that it is."""
    if mapped.path == "/" or mapped.path != os.path.abspath(mapped.path):  # noqa: PTH100
        return False
    if volume.is_marked:
        return _is_marked(mapped.path, volume)
    try:
        return os.path.isdir(mapped.path) and Mapped.of(mapped.path) == mapped  # noqa: PTH112
    except OSError:
        return False


def _root(volume: Volume, mapped: Mapped | None, table: str, taken: set[str]) -> str | None:
    if mapped is not None and mapped.path not in taken and is_there(volume, mapped):
        return mapped.path
    now = int(time.monotonic() / _LOOK_SECONDS)
    for root in _candidates(table, volume, now):
        if root not in taken and (not volume.is_marked or _is_marked(root, volume)):
            return root
    return None


@lru_cache(maxsize=256)
def _candidates(table: str, volume: Volume, now: int) -> tuple[str, ...]:
    """Folders at which a volume may be, looked for anew when something was mounted, or is late."""
    mounts = mounts_in(table)
    if volume.is_marked:
        inside = [mount.outside(volume.inside) for mount in mounts]
        places = dict.fromkeys([*(mount.point for mount in mounts), *inside])
        return tuple(each for each in places if each not in _NEVER and _is_marked(each, volume))
    if not volume.file_system:
        return ()
    same = [mount for mount in mounts if steady_identity(mount) == volume.file_system]
    found = ((mount, mount.outside(volume.inside)) for mount in same)
    return tuple(
        each
        for mount, each in found
        if each and each not in _NEVER and os.path.isdir(each) and mount_of(each) == mount  # noqa: PTH112
    )


def _is_marked(root: str | None, volume: Volume) -> bool:
    marker = read_marker(root or "")
    return marker is not None and marker.id == volume.id


@lru_cache(maxsize=256)
def _mount(root: str, table: str) -> str:
    try:
        return volume_of(root)
    except OSError:
        return f":{root}"
