"""One call each: index, find and watch, in the default library or in one that is named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from tempo_edge.example import Example, example
from tempo_edge.library import Library
from tempo_edge.query import DEFAULT_LIMIT, Query, places

if TYPE_CHECKING:
    from tempo_edge.answer import Answer
    from tempo_edge.indexing.report import IndexReport

__all__ = ["find", "index", "watch"]


def find(
    query: str = "",
    *,
    library: str | Path | None = None,
    limit: int = DEFAULT_LIMIT,
    min_confidence: float | None = None,
    within: str | Path | Iterable[str | Path] | None = None,
    refine: bool = False,
    parts: bool = False,
    grounder: str | None = None,
    like: str | Path | Example | None = None,
) -> Answer:
    """Search the default library, or the one named: ``for moment in find("dog jumps")``.

    Args and errors are those of :meth:`Library.find`.
    """
    asked = Query(
        query,
        limit=limit,
        min_confidence=min_confidence,
        within=places(within),
        grounder=grounder,
        refine=refine,
        parts=parts,
        like=example(like),
    )
    with Library.open(library) as opened:
        return opened.ask(asked)


def index(
    paths: Iterable[str | Path] | str | Path,
    *,
    library: str | Path | None = None,
    exclude: Iterable[str] = (),
) -> IndexReport:
    """Index files and folders into the default library, or the one named.

    Args and errors are those of :meth:`Library.index`.
    """
    with Library.open(library) as opened:
        return opened.index(paths, exclude=exclude)


def watch(
    paths: Iterable[str | Path] | str | Path,
    *,
    library: str | Path | None = None,
    exclude: Iterable[str] = (),
    stop: Event | None = None,
) -> None:
    """Keep the default library, or the one named, up to date with some folders until ``stop``."""
    with Library.open(library) as opened:
        opened.watch(paths, exclude=exclude, stop=stop)
