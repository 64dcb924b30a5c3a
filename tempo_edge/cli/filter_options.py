"""The options that say which videos count: when, where and by what they were taken, how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from tempo_edge.cli.values import seconds
from tempo_edge.errors import QueryError
from tempo_edge.filters import WHERE, Filters, Where
from tempo_edge.scope import Scope

__all__ = ["FilterOptions", "ScopeOptions"]


@dataclass
class ScopeOptions:
    """What was typed of when, where and by what videos were taken, and how long they are."""

    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="WHEN",
            help="Taken then or later: 2024, 2024-01-31, yesterday, last summer.",
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="WHEN", help="Taken then or earlier, that day included."),
    ] = None
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="WHEN", help="Taken on that day, or in that month or year."),
    ] = None
    around: Annotated[
        str | None,
        typer.Option(
            "--around",
            metavar="LAT,LON,KM",
            help="Taken at most so many kilometres from there: 38.71,-9.14,5.",
        ),
    ] = None
    town: Annotated[
        str | None,
        typer.Option(
            "--place", metavar="TOWN", help="Taken within 25 km of a town: Lisbon, or Paris, US."
        ),
    ] = None
    camera: Annotated[
        str | None,
        typer.Option("--camera", metavar="WORDS", help="Taken by such a camera: iPhone."),
    ] = None
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="SIZE", help="Pictures of 1080p, 4k, 1920x1080 or more."),
    ] = None
    min_length: Annotated[
        float | None,
        typer.Option(
            "--min-length",
            metavar="TIME",
            parser=seconds,
            help="Only videos this long or longer: 90, 30s or 1:30.",
        ),
    ] = None
    max_length: Annotated[
        float | None,
        typer.Option(
            "--max-length",
            metavar="TIME",
            parser=seconds,
            help="Only videos this long or shorter.",
        ),
    ] = None

    @property
    def filters(self) -> Filters:
        """What of it concerns captures.

        Raises:
            QueryError: a value is none, or two exclude each other.
            MissingExtraError: what reads it is not installed.
        """
        return Filters.of(self.where)

    @property
    def scope(self) -> Scope:
        """Which videos count by it.

        Raises:
            QueryError: as :attr:`filters`, or for a length.
        """
        return Scope(min_seconds=self.min_length, max_seconds=self.max_length, filters=self.filters)

    @property
    def where(self) -> Where:
        """The same as it was said."""
        where = Where()
        for name in WHERE:
            said = getattr(self, "town" if name == "place" else name)
            if said is None:
                continue
            if not said.strip():
                raise QueryError.naming(
                    f"{{{name}}} {{!r}} is empty: say something, or leave it out", said
                )
            where[name] = said  # type: ignore[literal-required]
        return where


@dataclass
class FilterOptions(ScopeOptions):
    """The same, and in which order the best of what is found are shown."""

    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="ORDER",
            show_default=False,
            help="Show the best by score, by the time they were taken, or by name.",
        ),
    ] = "score"
