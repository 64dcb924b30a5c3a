"""The mount points of this machine, and the file systems on them."""

# Strings and `os` instead of `Path`: the indexer asks for every folder.
# ruff: noqa: PTH116, PTH118, PTH208

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tempo_edge._files.file_system import device_number, number_of
from tempo_edge._files.spelling import folder_of, is_inside, spelled

__all__ = [
    "FolderVolumes",
    "Mount",
    "is_mounted",
    "mount_table",
    "mounts_in",
    "steady_identity",
    "volume_of",
]

# Where Linux lists block devices by the identity of the file system on them.
_BY_UUID = "/dev/disk/by-uuid"

# Where Linux lists what is mounted, as this process sees it.
_TABLE = Path("/proc/self/mountinfo")

# Kinds of file systems that hold nobody's footage; to look into `autofs` mounts something.
_NO_FOOTAGE = frozenset(
    {"autofs", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"}
    | {"fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "ramfs", "rpc_pipefs"}
    | {"securityfs", "sysfs", "tracefs"}
)

# Kinds whose number is that of the file system itself wherever it is mounted. That of all others
# is made of a device's number, which another file system may have on another machine.
_STEADY = frozenset({"ext2", "ext3", "ext4", "btrfs", "zfs", "tmpfs", "cifs", "smb3"})

_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A file system, or a part of one, as it is mounted.

    Attributes:
        point: where.
        root: the folder of the file system that is there.
        kind: as ``ext4``.
    """

    point: str
    root: str
    kind: str

    def inside(self, path: str) -> str:
        """A path at or under the mount point, as the file system itself has it."""
        return os.path.join(self.root, path[len(self.point) :].lstrip("/")).rstrip("/") or "/"

    def outside(self, inside: str) -> str | None:
        """Where a path of the file system is; None where this part of it does not have that."""
        if inside != self.root and not inside.startswith(self.root.rstrip("/") + "/"):
            return None
        return os.path.join(self.point, inside[len(self.root) :].lstrip("/")).rstrip("/") or "/"


def mount_table() -> str:
    """What is mounted, in the words of the kernel; nothing where it does not say."""
    try:
        return _TABLE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def mounts_in(table: str) -> list[Mount]:
    """The mounts of a :func:`mount_table` that may hold footage, in the order of their points.

    Of several at the same point it is the last one, which hides the others.
    """
    found: dict[str, Mount] = {}
    for line in table.splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(" "), tail.partition(" ")[0]
        if len(fields) >= 5:
            root, point = (_ESCAPED.sub(lambda code: chr(int(code[1], 8)), f) for f in fields[3:5])
            found.pop(point, None)
            if kind not in _NO_FOOTAGE:
                found[point] = Mount(point, root, kind)
    return [found[point] for point in sorted(found)]


def mount_of(path: str) -> Mount | None:
    """The mount that a folder is on, links followed; None where the kernel does not say."""
    real = spelled(os.path.realpath(path))
    holding = [mount for mount in mounts_in(mount_table()) if is_inside(real, mount.point)]
    return max(holding, key=lambda mount: len(mount.point), default=None)


def volume_of(path: str) -> str:
    """The volume that holds ``path``: its file system's identity and its mount point."""
    folder = spelled(os.path.realpath(path))
    while not os.path.ismount(folder):
        folder = folder_of(folder)
    return f"{_file_system(folder)}:{folder}"


class FolderVolumes:
    """The volumes of files, each folder of which is asked about once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The volume that holds a file; empty where that can't be told."""
        folder = folder_of(path)
        if folder not in self._known:
            try:
                self._known[folder] = volume_of(folder)
            except OSError:
                return ""
        return self._known[folder]

    def forget(self) -> None:
        """Ask again from now on: something may have been mounted."""
        self._known.clear()


def is_mounted(volume: str) -> bool:
    """True while the very volume that :func:`volume_of` named is mounted where it was.

    Another disk on the same mount point does not count, so a swapped stick forgets nothing.
    """
    folder = volume.partition(":")[2]
    if folder == "/":
        return True  # the root is always there, whatever it calls itself after a restart
    try:
        return os.path.ismount(folder) and volume_of(folder) == volume
    except OSError:
        return False


def steady_identity(mount: Mount) -> str:
    """What tells a file system on any machine; nothing of one that has nothing of the kind."""
    with suppress(OSError):
        if (uuid := _uuid(os.stat(mount.point).st_dev)) is not None:
            return uuid
        if mount.kind in _STEADY and (number := number_of(mount.point)):
            return f"{number:x}"
    return ""


def _file_system(mount_point: str) -> str:
    """The mark that tells one file system from another: its UUID, or else what ``statvfs`` says.

    FAT, which sticks and cards are formatted with, makes the latter out of the device number, and
    the next stick in the same socket gets the same one.
    """
    uuid = _uuid(os.stat(mount_point).st_dev)
    return uuid or f"{number_of(mount_point):x}"


def _uuid(device: int) -> str | None:
    with suppress(OSError):
        for name in os.listdir(_BY_UUID):
            with suppress(OSError):
                if device_number(os.path.join(_BY_UUID, name)) == device:
                    return name
    return None
