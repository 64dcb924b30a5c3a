"""The names of a library's volumes: given, said where they are on this machine, and taken back.

A name is given once for all machines, and what the library has under its folder is kept by it from
then on. Where a volume is, is each machine's own business.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tempo_edge._files.absolute import encodable, recorded
from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError
from tempo_edge.store.volumes import KEEPS_PATHS
from tempo_edge.volumes.finding import is_there
from tempo_edge.volumes.mappings import Mapped, write_mapping
from tempo_edge.volumes.marker import MARKER, Marker, read_marker, write_marker
from tempo_edge.volumes.mounts import is_mounted, mount_of, steady_identity, volume_of
from tempo_edge.volumes.volume import AWAY, Placed, Volume, checked_volume_name

if TYPE_CHECKING:
    from tempo_edge.store.interface import Catalogue, Store, WritableCatalogue
    from tempo_edge.store.rows import FileRow

__all__ = ["Added", "NamedVolume", "VolumeNames"]

# Files of a volume of which one at least must be where somebody says that it is.
_WITNESSES = 50


@dataclass(frozen=True)
class NamedVolume:
    """A volume of a library, to be shown.

    Attributes:
        name: what it is called.
        path: where this machine has it; None where it is not mounted here.
        files: how many the library knows on it.
        known_by: ``"marker"``, ``"file system"``, or ``"mapping"``: only where each machine says.
        expected: where this machine was told to look for it; or None.
    """

    name: str
    path: str | None
    files: int
    known_by: str
    expected: str | None

    def as_dict(self) -> dict[str, Any]:
        """The volume as plain values."""
        return {
            "name": self.name,
            "path": self.path,
            "mounted": self.path is not None,
            "files": self.files,
            "known_by": self.known_by,
            "expected": self.expected,
        }


@dataclass(frozen=True)
class Added:
    """What came of a name that was given.

    Attributes:
        name: the volume's; ``path``: where this machine has it.
        files: how many that the library had are kept by it now.
        left: how many below that folder stay as they are, for they are not there.
        marker: the file by which machines know the volume; None where it has none.
        why_unmarked: why it has none, or nothing.
        known_by: as of :class:`NamedVolume`.
    """

    name: str
    path: str
    files: int
    left: int
    marker: str | None
    why_unmarked: str
    known_by: str

    def as_dict(self) -> dict[str, Any]:
        """What came of it as plain values."""
        return asdict(self)


class VolumeNames:
    """The names of the volumes of a library that several machines share.

    Args:
        store: keeps the library.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> tuple[list[NamedVolume], int]:
        """(the volumes by name, how many files are on none).

        Raises:
            LibraryError: there is no library yet, or it keeps paths as they are.
        """
        with self._reading() as catalogue:
            counts = catalogue.count_files()
            return [_named(each, counts) for each in catalogue.volumes()], counts.get("", 0)

    def add(self, path: Path, name: str | None = None, *, marked: bool = True) -> Added:
        """Name the folder that a volume is on this machine, for all machines.

        Args:
            path: the folder.
            name: by default what its marker says, or what the folder is called.
            marked: whether a marker is written, where the volume can be written to.

        Raises:
            LibraryError: it is no folder, or a volume already, or the name is taken or is none; or
                the library is being written, or keeps paths as they are.
        """
        root = _checked_root(path)
        marker = read_marker(root)
        chosen = checked_volume_name(name or (marker.name if marker else "") or Path(root).name)
        with self._writing() as catalogue:
            number = _number(catalogue, root, chosen, marker)
            why = ""
            if marker is None:
                why = _mark(root, Marker(number, chosen)) if marked else "none was asked for"
            volume = _volume(chosen, number, root, is_marked=not why)
            below = list(catalogue.each_file(Path(root)))
            files = [row for row in map(_on_this_machine, below) if row is not None]
            write_mapping(volume.id, Mapped.of(root))
            with catalogue.transaction():
                moved = catalogue.put_volume(volume, files)
        written = None if why else f"{root}/{MARKER}"
        return Added(chosen, root, moved, len(below) - moved, written, why, _known_by(volume))

    def map(self, name: str, path: Path) -> NamedVolume:
        """Say where this machine has a volume.

        Raises:
            LibraryError: there is no such volume, or it is not there.
        """
        root = _checked_root(path)
        mapped = Mapped.of(root)
        with self._reading() as catalogue:
            volume = _of_name(catalogue, name).volume
            if volume.is_marked and not is_there(volume, mapped):
                raise LibraryError(
                    f"{root} is not the volume {name}, whose {MARKER} is not there: mount it; or "
                    f"if it has lost that file, tempo-edge volumes add {root} --name {name}"
                )
            if not volume.is_marked:
                _check_witnesses(catalogue, name, root)
        write_mapping(volume.id, mapped)
        with self._reading() as catalogue:
            return _named(_of_name(catalogue, name), catalogue.count_files())

    def forget(self, name: str) -> tuple[int, str | None]:
        """Take a name back: its files are kept by this machine's paths from then on.

        Returns:
            (how many files, the marker that stays where it is; None without one).

        Raises:
            LibraryError: there is no such volume; or it has files, and is not mounted here.
        """
        with self._writing() as catalogue:
            placed = _of_name(catalogue, name)
            with catalogue.transaction():
                count = catalogue.drop_volume(name)
        write_mapping(placed.volume.id, None)
        is_marked = placed.root is not None and placed.volume.is_marked
        return count, f"{placed.root}/{MARKER}" if is_marked else None

    @contextmanager
    def _reading(self) -> Iterator[Catalogue]:
        self._check()
        with self._store.reader() as catalogue, catalogue.snapshot():
            yield catalogue

    @contextmanager
    def _writing(self) -> Iterator[WritableCatalogue]:
        self._check()
        with self._store.lock(), self._store.writer() as catalogue:
            yield catalogue

    def _check(self) -> None:
        if not self._store.names_volumes:
            raise LibraryError(f"this library {KEEPS_PATHS}")


def _named(placed: Placed, counts: Mapping[str, int]) -> NamedVolume:
    volume = placed.volume
    files = counts.get(volume.name, 0)
    return NamedVolume(volume.name, placed.root, files, _known_by(volume), placed.expected)


def _known_by(volume: Volume) -> str:
    if volume.is_marked:
        return "marker"
    return "file system" if volume.file_system else "mapping"


def _of_name(catalogue: Catalogue, name: str) -> Placed:
    """The volume of a name.

    Raises:
        LibraryError: there is none.
    """
    known = {each.volume.name: each for each in catalogue.volumes()}
    if name not in known:
        names = ", ".join(known) or "it has none; tempo-edge volumes add PATH names one"
        raise LibraryError(f"{catalogue.name} has no volume {name!r}: {names}")
    return known[name]


def _checked_root(path: Path) -> str:
    """A folder that may be a volume, from the root.

    Raises:
        LibraryError: it may not.
    """
    root = spelled(recorded(path))
    if not os.path.isdir(root) or root == "/" or f"{root}/".startswith(f"{AWAY}/"):  # noqa: PTH112
        raise LibraryError(f"{root} is no folder that can be a volume: name where one is mounted")
    return root


def _number(catalogue: Catalogue, root: str, name: str, marker: Marker | None) -> str:
    """The id of a volume that is to have a name: a new one, its marker's, or that of this name.

    Raises:
        LibraryError: it has a name, or another one has this.
    """
    for placed in catalogue.volumes():
        volume = placed.volume
        if marker is not None and marker.id == volume.id and placed.root != root:
            raise LibraryError(
                f"{root} is the volume {volume.name}: tempo-edge volumes map {volume.name} {root}"
            )
        if placed.root == root:
            raise LibraryError(f"{root} is the volume {volume.name} already")
        if volume.name == name:
            if placed.root is not None or marker is not None:
                raise LibraryError(
                    f"{catalogue.name} has a volume {name!r} already: choose another --name"
                )
            _check_witnesses(catalogue, name, root)
            return volume.id
    return uuid.uuid4().hex if marker is None else marker.id


def _check_witnesses(catalogue: Catalogue, name: str, root: str) -> None:
    """Refuse a folder as a volume none of whose files are there.

    Raises:
        LibraryError: there is none of some that the library knows.
    """
    files = islice(catalogue.each_file(Path(catalogue.local_path(name))), _WITNESSES)
    inside = [(catalogue.kept_path(row.path).partition("/")[2], row.size) for row in files]
    if inside and not any(_size(f"{root}/{path}") == size for path, size in inside):
        raise LibraryError(
            f"{root} is not the volume {name}: of its files, as {inside[0][0]}, none is there; "
            "mount it, or choose another name"
        )


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return None


def _mark(root: str, marker: Marker) -> str:
    """Give a volume its marker; gives why that can't be, or nothing."""
    try:
        write_marker(root, marker)
    except FileExistsError:
        return f"there is a file {MARKER} that is none"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _volume(name: str, number: str, root: str, *, is_marked: bool) -> Volume:
    mount = mount_of(root)
    if mount is None:
        return Volume(name, number, is_marked, "", "")
    inside = mount.inside(os.path.realpath(root))
    return Volume(name, number, is_marked, steady_identity(mount), encodable(inside))


def _on_this_machine(row: FileRow) -> FileRow | None:
    """A row of a file that this machine has, and on which mount; None of another machine's."""
    if _size(row.path) != row.size and not (row.volume and is_mounted(row.volume)):
        return None
    try:
        return replace(row, volume=volume_of(os.path.dirname(row.path)))  # noqa: PTH120
    except OSError:
        return row
