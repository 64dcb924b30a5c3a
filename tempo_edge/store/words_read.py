"""What words of a library have been read, put together of lines, remarks and later passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tempo_edge.words.line import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from tempo_edge.store.interface import Catalogue
    from tempo_edge.store.passes import PassTotals

__all__ = ["WordsRead", "words_read"]


@dataclass(frozen=True)
class WordsRead:
    """What words of a library have been read.

    Attributes:
        counts: how many lines there are of each kind of which there are any, in all of it.
        passes: by the kind of its lines, how far each later pass is that has begun, in all of it.
        remarks: (path, remark) of the files whose words there is something to say about.
    """

    counts: dict[str, int]
    passes: dict[str, PassTotals]
    remarks: tuple[tuple[str, str], ...]


def words_read(catalogue: Catalogue, under: Path | None) -> WordsRead:
    """What words of a library have been read, within a snapshot.

    Args:
        under: only remarks on files at or under this path.
    """
    totals = {kind: catalogue.pass_totals(kind) for kind in KINDS}
    begun = {kind: each for kind, each in totals.items() if each.videos_done or each.seconds_done}
    remarks = (*catalogue.word_remarks(under), *catalogue.pass_remarks(under))
    return WordsRead(catalogue.line_counts(), begun, tuple(sorted(remarks)))
