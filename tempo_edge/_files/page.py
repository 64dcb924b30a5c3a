"""Pages of HTML that need nothing else: how each begins, and by that is known again.

Nothing in them runs and nothing is loaded from elsewhere, whatever a file's name, a line of words
or a grounder's answer should smuggle in: pictures and styles are in the page itself.
"""

from __future__ import annotations

from pathlib import Path

from tempo_edge._files.overwriting import check_overwriting
from tempo_edge.errors import FootageError

__all__ = ["BEGINNING", "check_page"]

#: The beginning of every page that is written here.
BEGINNING = (
    "<!doctype html><html lang=en><meta charset=utf-8>"
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
)


def check_page(path: Path) -> None:
    """Refuse to replace anything but a page that was written here, or an empty file, by a page.

    Raises:
        FootageError: it is something else; the text names it.
        OSError: it can't be looked at.
    """
    check_overwriting(path)
    if not path.is_file():
        return
    with path.open("rb") as file:
        begun = file.read(len(BEGINNING))
    if begun and begun != BEGINNING.encode():
        raise FootageError(
            f"{path} is no page that was written here and is not replaced: name another file"
        )
