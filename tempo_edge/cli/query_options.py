"""The options that say what is looked for, as ``find`` and ``saved add`` have them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tempo_edge.cli.filter_options import FilterOptions
from tempo_edge.cli.values import number, place, seconds, whole_number
from tempo_edge.errors import TempoEdgeError
from tempo_edge.example import Example, example
from tempo_edge.filters import EVERYTHING, WHERE, Filters
from tempo_edge.query import DEFAULT_LIMIT, THEN_SECONDS, Query, places

__all__ = ["OPTION_NAMES", "QueryOptions"]


#: What the command line calls what is asked for and done with it, by the names of Python.
OPTION_NAMES = {
    "within": "--in",
    "also": "--and",
    "without": "--not",
    "near_seconds": "--near",
    "then_seconds": "--then-within",
    "min_seconds": "--min-length",
    "max_seconds": "--max-length",
    "min_confidence": "--min-confidence",
    "order": "--sort",
    "format": "--export",
    **{
        name: f"--{name}"
        for name in (
            *("limit", "said", "shown", "seen", "like", "then", "plain", "refine", "parts"),
            *("grounder", "sort", *WHERE, "run", "webhook", "sheet"),
        )
    },
}


@dataclass
class QueryOptions:
    """What was typed of what is looked for, and of how it is judged."""

    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY...", help="What to look for, such as: dog jumps."),
    ] = None
    like: Annotated[
        list[str] | None,
        typer.Option(
            "--like",
            metavar="EXAMPLE",
            help="Find more like a picture, FILE, or a moment, FILE@1:23 or FILE@1:20-1:30; "
            "with words, what is both.",
        ),
    ] = None
    scopes: Annotated[
        list[Path] | None,
        typer.Option(
            "--in",
            metavar="PATH",
            parser=place,
            help="Search only at or under PATH; more than one, if given again.",
        ),
    ] = None
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            parser=whole_number,
            show_default=False,
            help="Most moments to show; by default 10.",
        ),
    ] = DEFAULT_LIMIT
    min_confidence: Annotated[
        float | None,
        typer.Option(
            "--min-confidence",
            metavar="P",
            parser=number,
            help="Show moments that are at least this likely, 0 to 1; by default calibrated.",
        ),
    ] = None
    said: Annotated[
        bool, typer.Option("--said", help="Find it by what is said; in quotes: to the letter.")
    ] = False
    shown: Annotated[bool, typer.Option("--shown", help="Find it by words on the screen.")] = False
    seen: Annotated[
        bool,
        typer.Option("--seen", help="Find it by pictures; without these three, by everything."),
    ] = False
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--and", metavar="TEXT", help="What else is there at the same time; repeatable."
        ),
    ] = None
    without: Annotated[
        list[str] | None,
        typer.Option("--not", metavar="TEXT", help="What is not there; repeatable."),
    ] = None
    then: Annotated[
        list[str] | None,
        typer.Option("--then", metavar="TEXT", help="What comes next; repeatable."),
    ] = None
    near: Annotated[
        float | None,
        typer.Option(
            "--near",
            metavar="TIME",
            parser=seconds,
            help="With AND: within this time of each other, as 30s or 1:30, in place of at once.",
        ),
    ] = None
    then_within: Annotated[
        float | None,
        typer.Option(
            "--then-within",
            metavar="TIME",
            parser=seconds,
            help="With THEN: the longest time in between; by default 60s.",
        ),
    ] = None
    plain: Annotated[
        bool, typer.Option("--plain", help="AND, NOT and THEN in QUERY are words like others.")
    ] = False
    refine: Annotated[
        bool, typer.Option("--refine", help="Decode around the boundaries for finer times.")
    ] = False
    parts: Annotated[
        bool, typer.Option("--parts", help="Don't join neighbouring stretches into one moment.")
    ] = False
    grounder: Annotated[
        str | None,
        typer.Option(
            "--grounder",
            metavar="NAME",
            help="mllm reads the best candidates' frames; curve is quicker; vlm looks at them.",
        ),
    ] = None

    def query(self, which: FilterOptions, filters: Filters = EVERYTHING) -> Query:
        """The query that was asked for.

        Args:
            which: what of it videos must be.
            filters: those of their captures.

        Raises:
            TempoEdgeError: it is none.
        """
        query = Query(
            *(" ".join(self.words or ()), self.limit, self.min_confidence),
            *(places(self.scopes or None), self.grounder),
            refine=self.refine,
            parts=self.parts,
            said=self.said,
            shown=self.shown,
            seen=self.seen,
            like=_example(self.like),
            also=tuple(self.also or ()),
            without=tuple(self.without or ()),
            then=tuple(self.then or ()),
            near_seconds=self.near or 0.0,
            then_seconds=THEN_SECONDS if self.then_within is None else self.then_within,
            plain=self.plain,
            min_seconds=which.min_length,
            max_seconds=which.max_length,
            filters=filters,
            sort=which.sort,
        )
        given = {
            "near_seconds": self.near is not None,
            "then_seconds": self.then_within is not None,
            "grounder": self.grounder is not None,
            "refine": self.refine,
            "parts": self.parts,
        }
        query.check_use([name for name, is_given in given.items() if is_given])
        return query


def _example(named: list[str] | None) -> Example | None:
    """The example that was named.

    Raises:
        TempoEdgeError: it is more than one, or none that can be read.
    """
    if named and len(named) > 1:
        raise TempoEdgeError(f"--like is given {len(named)} times: give it once")
    return example(named[0]) if named else None
