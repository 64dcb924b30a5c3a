"""The soundness of a library: every page and every row of it read, as something would some day."""

from __future__ import annotations

from pathlib import Path

from tempo_edge.errors import LibraryError
from tempo_edge.store.built_with import expect_profile
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.embedded.database import unreadable
from tempo_edge.store.embedded.database_file import UNREADABLE
from tempo_edge.store.embedded.schema import CONTENTS_SINCE
from tempo_edge.words.line import KINDS

__all__ = ["first_fault"]

# All the ticks that a library can hold.
_ALWAYS = -(2**63), 2**63 - 1


def first_fault(library: Path) -> str:
    """The first damage in a library that nobody writes, in one line; nothing where all is well.

    Pages are looked at first, then rows by those who read them for a search, one video at a time.
    """
    try:
        catalogue = SqliteCatalogue(library, still=True)
    except LibraryError as error:
        return str(error)
    try:
        with catalogue.snapshot():
            fault = catalogue.page_fault()
            if fault:
                raise unreadable(library, ValueError(fault))
            _read(catalogue)
    except LibraryError as error:
        return str(error)
    except UNREADABLE as error:
        return str(unreadable(library, error))
    finally:
        catalogue.close()
    return ""


def _read(catalogue: SqliteCatalogue) -> None:
    """Read every row.

    Raises:
        LibraryError: a value is none that belongs there.
    """
    if (recorded := catalogue.get_meta("profile")) is not None:
        expect_profile(catalogue, recorded)
    files = catalogue.files()
    catalogue.totals()
    if catalogue.version >= CONTENTS_SINCE:
        for video, _ in catalogue.videos():
            catalogue.contents(video)
        for path in files:
            catalogue.verified(path)
    for video, _ in catalogue.videos():
        catalogue.video(video)
        catalogue.curve(video)
        catalogue.remark(video)
        catalogue.lines(video)
        for kind in KINDS:
            catalogue.pass_state(kind, video)
        catalogue.frames_of(video, *_ALWAYS)
    list(catalogue.word_remarks())
    for _ in catalogue.line_vectors_after(0):
        pass
    list(catalogue.pass_remarks())
    for ids, _ in catalogue.vectors_after(0):
        catalogue.frame_keys(ids.tolist())  # of a time that is no number, no stretch has the frame
