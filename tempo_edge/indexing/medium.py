"""The medium that a file lies on: how many files may be read from it at once.

A spinning disk reads one file fast and two slowly, for its head goes to and fro. Flash, memory and
networks wait less for each of several. Linux says of a disk whether it spins, in ``/sys``; what it
says nothing of is read as flash is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tempo_edge._files.file_system import spelled
from tempo_edge._files.spelling import is_inside

__all__ = ["Media", "Medium", "Mount", "mounts", "unescaped"]

# File systems that are reached over a network, or by way of another machine.
_REMOTE = frozenset(
    {"9p", "afs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "nfs", "nfs4", "prl_fs", "smb3"}
    | {"smbfs", "vboxsf", "virtiofs"}
)
# Those that a program serves are, too, but for what it reads from a disk of this machine.
_SERVED = "fuse."
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})

# Disks of virtual machines, by their names and by who made them.
_VIRTUAL = ("vd", "xvd", "nbd", "rbd")
_VIRTUAL_VENDORS = ("QEMU", "VBOX", "VMware", "Msft", "Google", "Amazon")

# Disks of disks of disks: more is a circle.
_DEEPEST = 16


@dataclass(frozen=True)
class Medium:
    """What files lie on.

    Attributes:
        kind: ``"spinning"``, ``"flash"``, ``"network"``, ``"memory"`` or ``"unknown"``.
        disks: the kernel's names of the disks, where there are some.
    """

    kind: str
    disks: tuple[str, ...] = ()

    @property
    def at_once(self) -> int | None:
        """How many files may be read from it at once; None for as many as there are."""
        return 1 if self.kind == "spinning" else None


@dataclass(frozen=True)
class Mount:
    """A mounted file system: ``device`` is its number, MAJOR:MINOR; ``source`` what is mounted."""

    device: str
    point: str
    file_system: str
    source: str


def mounts(mountinfo: str) -> list[Mount]:
    """The mounts that a ``/proc/self/mountinfo`` lists; see proc_pid_mountinfo(5)."""
    found = []
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if dash and len(fields) >= 5 and len(rest) >= 2:
            found.append(Mount(fields[2], unescaped(fields[4]), rest[0], unescaped(rest[1])))
    return found


def unescaped(text: str) -> str:
    """A path in which blanks are written as octal numbers, as it is."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


class Media:
    """Tells what files lie on, as Linux knows it.

    Args:
        system: where ``/sys`` is.
        mountinfo: what ``/proc/self/mountinfo`` says.
        device_of: the number of the file system that a path is on, as ``os.stat`` gives it.
    """

    def __init__(
        self,
        system: Path = Path("/sys"),
        mountinfo: str | None = None,
        device_of: Callable[[str], int] = lambda path: os.stat(path).st_dev,  # noqa: PTH116
    ) -> None:
        self._system = system
        self._device_of = device_of
        if mountinfo is None:
            mountinfo = ""
            with suppress(OSError):
                mountinfo = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        self.mounts = mounts(mountinfo)
        self._known: dict[int, Medium] = {}

    def of(self, path: str) -> Medium:
        """The medium that a file lies on."""
        try:
            device = self._device_of(path)
        except OSError:
            return Medium("unknown")
        if device not in self._known:
            self._known[device] = self._medium(device, path)
        return self._known[device]

    def of_mount(self, mount: Mount) -> Medium:
        """The medium of a mounted file system."""
        if mount.file_system in _IN_MEMORY:
            return Medium("memory")
        served = mount.file_system.startswith(_SERVED)
        if mount.file_system in _REMOTE or (served and not mount.source.startswith("/dev/")):
            return Medium("network")
        names = self._names(mount)
        return self._of_disks([disk for name in names for disk in self._disks(name, 0)])

    def _medium(self, device: int, path: str) -> Medium:
        number = spelled(device)
        if (self._system / "dev/block" / number).exists():
            return self._of_disks(list(self._disks(self._name(number), 0)))
        # A number that stands for no disk: of a network, or of a file system on several disks.
        mounted = [each for each in self.mounts if each.device == number] or [
            each for each in self.mounts if is_inside(path, each.point)
        ]
        if not mounted:
            return Medium("unknown")
        return self.of_mount(max(mounted, key=lambda each: len(each.point)))

    def _of_disks(self, disks: list[tuple[str, bool | None]]) -> Medium:
        if not disks:
            return Medium("unknown")
        spinning = sorted({name for name, spins in disks if spins})
        if spinning:
            return Medium("spinning", tuple(spinning))
        kind = "flash" if all(spins is False for _, spins in disks) else "unknown"
        return Medium(kind, tuple(sorted({name for name, _ in disks})))

    def _names(self, mount: Mount) -> list[str]:
        """The kernel's names of the disks that a mounted file system is on."""
        if not mount.source.startswith("/dev/"):
            return []
        blocks = self._system / "class/block"
        name = mount.source.removeprefix("/dev/").replace("/", "!")
        if not (blocks / name).exists():  # as the mapper calls it
            mapped = mount.source.removeprefix("/dev/mapper/")
            name = next((each for each in _entries(blocks) if self._mapped(each) == mapped), "")
        for together in _entries(self._system / "fs/btrfs"):
            members = _entries(self._system / "fs/btrfs" / together / "devices")
            if name in members:
                return members
        return [name] if name else []

    def _mapped(self, name: str) -> str:
        return _read(self._system / "class/block" / name / "dm/name")

    def _name(self, number: str) -> str:
        return (self._system / "dev/block" / number).resolve().name

    def _disks(self, name: str, depth: int) -> Iterator[tuple[str, bool | None]]:
        """(name, whether it spins) of the disks below a block device."""
        block = (self._system / "class/block" / name).resolve()
        if depth > _DEEPEST or not block.exists():
            return
        if (block / "partition").exists():
            block = block.parent
        below = _entries(block / "slaves")
        file = _read(block / "loop/backing_file")
        if below:
            for each in below:
                yield from self._disks(each, depth + 1)
        elif file:
            with suppress(OSError):
                yield from self._disks(self._name(spelled(self._device_of(file))), depth + 1)
        else:
            told = {"0": False, "1": True}.get(_read(block / "queue/rotational"))
            yield block.name, None if self._is_virtual(block) else told

    def _is_virtual(self, block: Path) -> bool:
        """Whether a disk is that of a virtual machine: it says that it spins, whatever it is."""
        vendor = _read(block / "device/vendor")
        return block.name.startswith(_VIRTUAL) or vendor.startswith(_VIRTUAL_VENDORS)


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir())
    except OSError:
        return []


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
