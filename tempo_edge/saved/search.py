"""A saved search: its name, what it asks, and what is done where it matches."""

from __future__ import annotations

from dataclasses import dataclass, field

from tempo_edge.errors import QueryError
from tempo_edge.saved.deeds import Deeds, is_sealed, seal_of
from tempo_edge.saved.query_text import LONGEST, SavedQuery
from tempo_edge.store.saved import SavedRow

__all__ = ["LONGEST_NAME", "SavedSearch"]

#: Letters of the name of a saved search.
LONGEST_NAME = 100


@dataclass(frozen=True)
class SavedSearch:
    """A search that is kept in a library. It validates itself.

    Attributes:
        name: what its user calls it.
        asked: the query.
        deeds: what is done for each new moment that matches.
        is_own: whether this user said what is done; another's deeds are never done.

    Raises:
        QueryError: the name is empty, too long or of several lines, or the query is too large.
    """

    name: str
    asked: SavedQuery
    deeds: Deeds = field(default_factory=Deeds)
    is_own: bool = True

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise QueryError(
                f"name {self.name[:40]!r} must have 1 to {LONGEST_NAME} letters on one line"
            )
        if len(self.asked.as_text()) > LONGEST:
            raise QueryError(f"saved search {self.name!r} is too large: take a smaller picture")

    def as_row(self, video: int, line: int) -> SavedRow:
        """The row of a library that keeps it, with a seal.

        Args:
            video, line: the highest ids of those that are not new to it.

        Raises:
            LibraryError: this user's key can't be written.
        """
        deeds = self.deeds.as_text()
        seal = seal_of(deeds) if self.deeds.names else ""
        return SavedRow(0, self.name, self.asked.as_text(), deeds, seal, video, video, line)

    @staticmethod
    def of(row: SavedRow) -> SavedSearch:
        """The search of a row.

        Raises:
            QueryError: it can't be read.
        """
        deeds = Deeds.of(row.deeds)
        is_own = not deeds.names or is_sealed(row.deeds, row.seal)
        return SavedSearch(row.name, SavedQuery.of(row.query), deeds, is_own)
