"""The part of a store's interface about volumes: how paths are kept that many machines know.

A store that one machine uses keeps every path as it is and names no volume: that is what is here.
Where a store names some, all paths that go in and come out are this machine's, but for what
:meth:`Volumes.kept_path` gives, which is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tempo_edge.errors import LibraryError

if TYPE_CHECKING:
    from tempo_edge.store.rows import FileRow
    from tempo_edge.volumes.volume import Placed, Volume

__all__ = ["KEEPS_PATHS", "Volumes", "WritableVolumes"]

#: What is said of a library that names no volumes.
KEEPS_PATHS = (
    "keeps paths as they are: volumes are for a library on a server, "
    "--library postgresql://USER@HOST/DATABASE"
)


class Volumes:
    """The named volumes of a library, to be read."""

    name: str

    def volumes(self) -> list[Placed]:
        """The named volumes by their names, and where this machine has them."""
        return []

    def kept_path(self, path: str) -> str:
        """How a path of this machine is kept: ``NAME/inside`` on a volume, or else as it is."""
        return path

    def local_path(self, kept: str) -> str:
        """A path that is kept, on this machine; below ``/not-mounted`` where it has no such one."""
        return kept

    def is_here(self, kept: str) -> bool:
        """Whether this machine can have a file: its volume is mounted, or it is on no named one."""
        return True

    def count_files(self) -> Mapping[str, int]:
        """How many files there are on each named volume, and by the empty name on none."""
        return {}


class WritableVolumes(Volumes):
    """The named volumes of a library, to be read and written."""

    def find_volumes(self) -> None:
        """Look again where volumes are mounted; until then they are where they were found."""

    def put_volume(self, volume: Volume, files: Sequence[FileRow] = ()) -> int:
        """Name a volume, or say something else of one by its id.

        Args:
            volume: the volume.
            files: rows of this machine, of which those are kept as of it from then on that lie on
                it; where it has such a file already, the other stays as it is kept.

        Returns:
            How many of them are.

        Raises:
            LibraryError: this store keeps paths as they are, or the name is taken.
        """
        raise self._refusal()

    def drop_volume(self, name: str) -> int:
        """Forget a volume; its files are kept by this machine's paths. Gives how many.

        Raises:
            LibraryError: this machine has not got all of them; or this store keeps paths as they
                are.
        """
        raise self._refusal()

    def _refusal(self) -> LibraryError:
        return LibraryError(f"{self.name} {KEEPS_PATHS}")
