"""The remarks on a film that only the reading of all its packets gives."""

from __future__ import annotations

from pathlib import Path

from tempo_edge.errors import MediaError
from tempo_edge.media import open_video

__all__ = ["remarks_of"]


def remarks_of(path: Path) -> tuple[str, ...]:
    """The remarks on a film whose packets are all read, one short clause each.

    A film that is planned by its container's index has packets that nobody read.
    """
    try:
        with open_video(path, whole=True) as video:
            table = video.packets()
            return tuple(dict.fromkeys(video.info.remarks + table.remarks))
    except MediaError as error:
        return (" ".join(str(error).split()),)
