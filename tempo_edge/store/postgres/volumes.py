"""The named volumes of a library, rows of ``volumes``, and where this machine has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tempo_edge.errors import LibraryError
from tempo_edge.store.postgres.catalogue import PostgresCatalogue
from tempo_edge.volumes.finding import find_volumes
from tempo_edge.volumes.placement import Placement
from tempo_edge.volumes.volume import Placed, Volume

__all__ = ["VolumeTable"]

_VOLUME = "name, id, is_marked, file_system, inside"

# The version of a library from which on it names volumes.
_SINCE = 2


class VolumeTable(PostgresCatalogue):
    """The rows of ``volumes``; what a public method does, its interface says.

    Who reads looks for volumes at the beginning of each snapshot; who writes when it is asked to,
    so that a file which was read from a volume is kept as one of it, whatever happens meanwhile.
    """

    names_volumes = True

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

    def put_volume(self, volume: Volume) -> None:
        """Name a volume, or say something else of one by its id."""
        columns = _VOLUME.split(", ")
        replaced = ", ".join(f"{name}=excluded.{name}" for name in columns if name != "id")
        values = (volume.name, volume.id, volume.is_marked, volume.file_system, volume.inside)
        with self._writing():
            if self._one("SELECT 1 FROM volumes WHERE name=%s AND id<>%s", values[:2]) is not None:
                raise LibraryError(
                    f"{self.name} has a volume {volume.name!r} already: choose another --name"
                )
            self._run(
                f"INSERT INTO volumes ({_VOLUME}) VALUES (%s, %s, %s, %s, %s) "
                f"ON CONFLICT (id) DO UPDATE SET {replaced}",
                values,
            )
            self.find_volumes()

    def drop_volume(self, name: str) -> None:
        """Forget a volume that has no file any more."""
        with self._writing():
            if count := self.count_files().get(name):
                raise LibraryError(f"{self.name} has {count} files on volume {name!r}")
            self._run("DELETE FROM volumes WHERE name=%s", (name,))
            self.find_volumes()

    def keep_again(self, paths: Mapping[str, str]) -> int:
        """Keep files in another way, with all that is known of them; gives how many."""
        count = 0
        with self._writing():
            for before, after in paths.items():
                count += self._run(
                    "UPDATE files SET path=%s WHERE path=%s "
                    "AND NOT EXISTS (SELECT 1 FROM files AS there WHERE there.path=%s)",
                    (after, before, after),
                ).rowcount
        return count
