"""Files and folders that somebody named to be indexed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tempo_edge._files.absolute import absolute
from tempo_edge._files.letter_case import as_listed
from tempo_edge._files.spelling import spelled
from tempo_edge.errors import LibraryError, NoLibraryError
from tempo_edge.store.rows import FileRow

__all__ = ["check_roots", "roots_of"]


def roots_of(paths: Iterable[str | Path] | str | Path) -> list[Path]:
    """The paths from the root that were named, one or several.

    They are spelled as the folders on their way list them, in whatever case they were typed.
    """
    named = [paths] if isinstance(paths, (str, Path)) else paths
    return [Path(as_listed(spelled(absolute(path)))) for path in named]


def check_roots(roots: Iterable[Path], known: Callable[[Path], Sequence[FileRow]]) -> None:
    """Refuse a path that is mistyped: nothing is there and nothing ever was.

    Args:
        roots: paths from the root.
        known: gives what the library has at or under one.

    Raises:
        LibraryError: one of them is.
    """
    for root in roots:
        if os.path.lexists(root):
            continue
        try:
            is_known = bool(known(root))
        except NoLibraryError:
            is_known = False
        if not is_known:
            raise LibraryError(
                f"there is no file or folder {root}, and the library holds nothing of it"
            )
