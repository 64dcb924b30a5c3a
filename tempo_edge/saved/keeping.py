"""Saved searches in a library: put, listed, taken out, and carried into a library read anew.

Their rows are written without the library's lock, since whoever follows folders holds that all the
time. They are nobody else's rows, and the store writes each change of them as a whole.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tempo_edge.errors import LibraryError, QueryError, RefusedRowError
from tempo_edge.saved.search import SavedSearch
from tempo_edge.store.interface import Catalogue, Store, WritableCatalogue

__all__ = ["carry_saved", "drop_search", "kept_searches", "put_search"]

# Saved searches of one library: each is a search of every new video.
_MOST = 1000


def put_search(store: Store, search: SavedSearch, *, everything: bool = False) -> None:
    """Save a search.

    Args:
        store: keeps the library, which is made if need be.
        search: what is saved.
        everything: what is in the library now is new to it as well.

    Raises:
        QueryError: there is one of this name, or there are too many.
        LibraryError: the library can't be written, or this user's key.
    """
    if store.identity() is None:
        with store.lock(), store.writer():
            pass  # the library, with its folder
    with store.writer() as writer:
        try:
            with writer.transaction():
                count = len(writer.saved())
                newest = (0, 0) if everything else writer.newest()
                writer.put_saved(search.as_row(*newest))
        except RefusedRowError as error:
            raise QueryError(
                f"there is a saved search {search.name!r} already: remove it, or take another name"
            ) from error
        if count >= _MOST:
            writer.drop_saved(search.name)
            raise QueryError(f"there are {count} saved searches, which is the most: remove some")


def drop_search(store: Store, name: str) -> None:
    """Take a search out, and forget what it told.

    Raises:
        QueryError: there is none of this name.
        LibraryError: there is no library, or it can't be written.
    """
    with store.reader() as catalogue, catalogue.snapshot():
        names = [row.name for row in catalogue.saved()]
    if name in names:
        with store.writer() as writer:
            writer.drop_saved(name)
        return
    there = ", ".join(names) or "there is none"
    raise QueryError(f"there is no saved search {name!r}: {there}")


def kept_searches(catalogue: Catalogue) -> list[tuple[SavedSearch, int]]:
    """(search, how many moments it has told) of the saved searches, by name.

    Raises:
        LibraryError: one can't be read.
    """
    found = []
    for row in catalogue.saved():
        try:
            search = SavedSearch.of(row)
        except QueryError as error:
            raise LibraryError(f"saved search {row.name!r}: {error}") from error
        found.append((search, sum(each.is_told for each in catalogue.claims(row.number))))
    return found


def carry_saved(
    before: Catalogue,
    after: WritableCatalogue,
    same: dict[int, int],
    new: list[int],
    names: Collection[str] | None = None,
) -> None:
    """Let a library know the saved searches of another, whose place it takes, and what they told.

    What the other one has held against a search is not new to it here. Lines of words that are
    read later of what was there before are not held against it any more.

    Args:
        same: the video here by that of the same contents there.
        new: the videos here that the other one lacks.
        names: of the only searches that are carried; by default all.
    """
    newest = after.newest()
    keys = {before.contents_key(old): after.contents_key(now) for old, now in same.items()}
    for row in before.saved():
        if names is not None and row.name not in names:
            continue
        video, line = newest
        number = after.put_saved(replace(row, since_video=video, video=video, line=line))
        due = {same[each] for each in before.videos_due(row) if each in same}
        after.note_due(number, sorted(due | set(new)))
        for claim in before.claims(row.number):
            contents = keys.get(claim.contents, claim.contents)
            after.put_claim(replace(claim, search=number, contents=contents))
