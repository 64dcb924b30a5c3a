"""``tempo-edge find``: asks the service or the library, and shows, plays, cuts or exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import note
from tempo_edge.cli.answers import cut_clips, reachable, show, tell_refusal
from tempo_edge.cli.filter_options import FilterOptions
from tempo_edge.cli.option_groups import with_groups
from tempo_edge.cli.options import JsonOption, LibraryOption, ProfileOption, check_exclusive, opened
from tempo_edge.cli.outputs import check_outputs
from tempo_edge.cli.query_options import QueryOptions
from tempo_edge.cli.sheets import SheetOption, write_sheet
from tempo_edge.cli.stills import PicturesOption, check_pictures, stills
from tempo_edge.cli.time_lines import ExportOption, OutputOption, check_export, export_moments
from tempo_edge.cli.use import hint
from tempo_edge.cli.values import place
from tempo_edge.errors import TempoEdgeError
from tempo_edge.example import Example
from tempo_edge.query import Query

if TYPE_CHECKING:
    from tempo_edge.answer import Answer

__all__ = ["find"]


NullOption = Annotated[
    bool, typer.Option("-0", "--null", help="Paths only, each once, ended by a NUL byte.")
]
ExplainOption = Annotated[
    Path | None,
    typer.Option(
        "--explain", metavar="FILE", parser=place, help="Write an HTML page that shows why."
    ),
]
PlayOption = Annotated[bool, typer.Option("--play", help="Open the best moment in mpv.")]
PlayAllOption = Annotated[
    bool, typer.Option("--play-all", help="Open all moments in mpv, as if they were one film.")
]
ClipOption = Annotated[
    Path | None,
    typer.Option("--clip", metavar="DIR", parser=place, help="Cut each moment into DIR."),
]
NoServiceOption = Annotated[
    bool, typer.Option("--no-service", help="Don't ask a service that may be running.")
]


@with_groups
def find(
    which: FilterOptions,
    asked: QueryOptions,
    as_json: JsonOption = False,
    null: NullOption = False,
    explain: ExplainOption = None,
    play: PlayOption = False,
    play_all: PlayAllOption = False,
    clip: ClipOption = None,
    export: ExportOption = None,
    output: OutputOption = None,
    sheet: SheetOption = None,
    pictures: PicturesOption = "auto",
    no_service: NoServiceOption = False,
    library: LibraryOption = None,
    profile: ProfileOption = None,
) -> None:
    """Find the moments that match a sentence. Exit status 1 when nothing matches."""
    if not (asked.words or asked.like):
        raise TempoEdgeError("Missing argument 'QUERY...': see tempo-edge find --help")
    check_exclusive({"--json": as_json, "--null": null, "--export": export and not output})
    check_exclusive({"--play": play, "--play-all": play_all})
    check_export(export, output)
    check_outputs({"--output": output, "--explain": explain, "--sheet": sheet}, library)
    if clip is not None and clip.expanduser().is_file():
        raise TempoEdgeError(f"--clip {clip} is a file: name a folder")
    check_pictures(pictures)
    query = asked.query(which, which.filters)
    # What needs footage or evidence is done here, where the answer is.
    is_for_service = not (no_service or asked.refine or explain or clip or sheet or profile)
    answer = _ask_service(library, query) if is_for_service else None
    if answer is None:
        answer = _ask_library(library, profile, query, explain)
    if not (as_json or null or export):
        hint(next((each.profile for each in (*answer.moments, *answer.rejected)), None))
        _tell_example(query.like, answer.left_out)
    if answer.omission and not as_json:
        note(answer.omission)
    if not answer.moments:
        tell_refusal(answer, as_json)
        write_sheet(sheet, query.title, answer)
        raise typer.Exit(1)
    if export is None or output is not None:
        dated = query.sort == "time" or query.filters.is_timed
        shown_as = None if as_json or null else stills(pictures)
        show(answer, as_json, null, dated=dated, stills=shown_as)
    if export is not None:
        export_moments(answer.moments, export, output)
    write_sheet(sheet, query.title, answer)
    _play(answer, play, play_all)
    if clip is not None:  # last, because some clips may fail
        cut_clips(answer, clip.expanduser())


def _tell_example(like: Example | None, left_out: bool) -> None:
    """Say that a moment which is the example is left out."""
    if like is not None and left_out:
        where = like.path or f"video {like.video}"
        note(f"more like {where} {like.when}, which is left out itself")


def _ask_library(
    library: Path | None, profile: str | None, query: Query, explain: Path | None
) -> Answer:
    """The answer of the library, explained on a page where one is asked for."""
    with opened(library, profile) as searched:
        answer = searched.ask(query)
    if explain is not None:
        from tempo_edge.explain import write as write_page

        write_page(explain.expanduser(), query.title, answer)
        note(f"wrote {explain}")
    return answer


def _play(answer: Answer, best: bool, every: bool) -> None:
    """Open the best moment, or every one, of those that are there."""
    if best:
        from tempo_edge.player import play

        moment = reachable(answer.moments)[0]
        play(moment.path, moment.cue_seconds)
    if every:
        from tempo_edge.moment import Span
        from tempo_edge.player import play_all

        play_all(
            [
                (moment.path, Span(moment.cue_seconds, moment.end_seconds))
                for moment in reachable(answer.moments)
            ]
        )


def _ask_service(library: Path | None, query: Query) -> Answer | None:
    """The answer of a service that is running for this library, if one is."""
    from tempo_edge.service import client
    from tempo_edge.store.place import library_path

    return client.find(library_path(library), query)
