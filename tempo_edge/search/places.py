"""Where the files of a video are that was found."""

from __future__ import annotations

from pathlib import Path

from tempo_edge.errors import LibraryError
from tempo_edge.store.interface import Catalogue

__all__ = ["places_of"]


def places_of(catalogue: Catalogue, video_id: int) -> list[tuple[Path, bool]]:
    """Every file that holds a video, and whether it is out of reach; those in reach first.

    Raises:
        LibraryError: there is none.
    """
    paths = [Path(row.path) for row in catalogue.files_of(video_id)]
    if not paths:
        raise LibraryError(
            f"{catalogue.name} is damaged: no file holds video {video_id}: "
            "put a copy of it back, or delete it and index again"
        )
    return sorted(((path, not path.exists()) for path in paths), key=lambda place: place[1])
