"""The named volumes of a library, rows of ``volumes``, and where this machine has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tempo_edge.errors import LibraryError
from tempo_edge.store.listing import paths_inside
from tempo_edge.store.postgres.catalogue import PostgresCatalogue
from tempo_edge.store.rows import FileRow
from tempo_edge.volumes.finding import find_volumes
from tempo_edge.volumes.placement import Placement
from tempo_edge.volumes.volume import AWAY, Placed, Volume

__all__ = ["VolumeTable"]

_VOLUME = "name, id, is_marked, file_system, inside"

# The version of a library from which on it names volumes.
_SINCE = 2


class VolumeTable(PostgresCatalogue):
    """The rows of ``volumes``; what a public method does, its interface says.

    Who reads looks for volumes at the beginning of each snapshot; who writes when it is asked to,
    so that a file which was read from a volume is kept as one of it, whatever happens meanwhile.
    """

    def __init__(self, name: str, *, readonly: bool = False) -> None:
        super().__init__(name, readonly=readonly)
        self._volumes: list[Volume] = []
        self._placement = Placement()
        try:
            self.find_volumes()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one instant, and so is where volumes are."""
        with super().snapshot():
            self.find_volumes()
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a volume that somebody named meanwhile is known."""
        with super().transaction():
            self._read_volumes()
            yield

    def find_volumes(self) -> None:
        """Look again where volumes are mounted."""
        self._read_volumes(look=True)

    def _read_volumes(self, *, look: bool = False) -> None:
        rows = []
        if (self.place.version or 0) >= _SINCE:
            rows = self._run(f"SELECT {_VOLUME} FROM volumes ORDER BY name").fetchall()
        volumes = [Volume(*row) for row in rows]
        if look or volumes != self._volumes:
            self._volumes = volumes
            self._placement = Placement(find_volumes(volumes))

    def volumes(self) -> list[Placed]:
        """The named volumes by their names, and where this machine has them."""
        return list(self._placement.placed)

    def kept_path(self, path: str) -> str:
        """How a path of this machine is kept."""
        return self._placement.kept(path)

    def local_path(self, kept: str) -> str:
        """A path that is kept, on this machine."""
        return self._placement.local(kept)

    def is_here(self, kept: str) -> bool:
        """Whether this machine can have a file."""
        return self._placement.is_here(kept)

    def count_files(self) -> Mapping[str, int]:
        """How many files there are on each named volume, and by the empty name on none."""
        rows = self._run("SELECT split_part(path, '/', 1), count(*) FROM files GROUP BY 1")
        return {name: int(count) for name, count in rows}

    # -- writing -----------------------------------------------------------------------------------

    def put_volume(self, volume: Volume, files: Sequence[FileRow] = ()) -> int:
        """Name a volume, or say something else of one by its id."""
        columns = _VOLUME.split(", ")
        replaced = ", ".join(f"{name}=excluded.{name}" for name in columns if name != "id")
        values = (volume.name, volume.id, volume.is_marked, volume.file_system, volume.inside)
        with self._writing():
            if self._one("SELECT 1 FROM volumes WHERE name=%s AND id<>%s", values[:2]) is not None:
                raise LibraryError(
                    f"{self.name} has a volume {volume.name!r} already: choose another name"
                )
            kept = {self.kept_path(row.path): row for row in files}
            self._run(
                f"INSERT INTO volumes ({_VOLUME}) VALUES (%s, %s, %s, %s, %s) "
                f"ON CONFLICT (id) DO UPDATE SET {replaced}",
                values,
            )
            self.find_volumes()
            return self._keep_again(kept)

    def drop_volume(self, name: str) -> int:
        """Forget a volume; its files are kept by this machine's paths."""
        with self._writing():
            kept = {row.path: self._here(row) for row in self._between(*paths_inside(name))}
            if lost := sum(not self.is_here(path) for path in kept):
                raise LibraryError(
                    f"volume {name} is not mounted here, or not all of it, and {lost} of its files "
                    "would be nowhere: run this on a machine that has it, or first "
                    f"tempo-edge forget {AWAY}/{name}"
                )
            self._run("DELETE FROM volumes WHERE name=%s", (name,))
            self.find_volumes()
            return self._keep_again(kept)

    def _here(self, row: FileRow) -> FileRow:
        """A row as this machine has it."""
        if not self._placement:
            return row
        mount = self._placement.local_mount(row.path, row.volume)
        return replace(row, path=self._placement.local(row.path), volume=mount)

    def _keep_again(self, files: Mapping[str, FileRow]) -> int:
        """Keep files as volumes are now, by how they were kept; gives how many of them moved."""
        count = 0
        for before, row in files.items():
            after = self.kept_path(row.path)
            if after != before:
                count += self._run(
                    "UPDATE files SET path=%s, volume=%s WHERE path=%s "
                    "AND NOT EXISTS (SELECT 1 FROM files AS there WHERE there.path=%s)",
                    (after, self._placement.kept_mount(row.path, row.volume), before, after),
                ).rowcount
        return count
