"""Files and folders as they are written: whole or not at all, and never over anybody's footage."""

from tempo_edge._files.atomic import (
    atomic_dir,
    atomic_write,
    clear,
    draft_beside,
    draft_folder,
    make_private,
    publish,
    take_place,
)

__all__ = [
    "atomic_dir",
    "atomic_write",
    "clear",
    "draft_beside",
    "draft_folder",
    "make_private",
    "publish",
    "take_place",
]
