"""``tempo-edge saved``: searches that are kept, and tell of new footage that matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge.cli.command import Command
from tempo_edge.cli.filter_options import FilterOptions
from tempo_edge.cli.option_groups import with_groups
from tempo_edge.cli.options import JsonOption, LibraryOption, check_exclusive, opened
from tempo_edge.cli.query_options import OPTION_NAMES, QueryOptions
from tempo_edge.errors import MissingExtraError, QueryError, TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.library import Library
    from tempo_edge.saved.search import SavedSearch

__all__ = ["app"]

app = typer.Typer(
    name="saved",
    help="Searches that are kept, and tell of new footage that matches.",
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the search is called.")]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="NAME...", help="Saved searches; by default all.")
]
RunOption = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="COMMAND",
        help="Run this for each new moment, without a shell: words with {path}, {start}, {end}, "
        "{confidence}, {name}, {query}, {text} and {id}.",
    ),
]
NotifyOption = Annotated[bool, typer.Option("--notify", help="Show each on the desktop.")]
WebhookOption = Annotated[
    str | None,
    typer.Option(
        "--webhook",
        metavar="URL",
        help="Send each as JSON to this machine: http://127.0.0.1:8000/path.",
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Tell what is in the library already, too.")]


@app.command(cls=Command)
@with_groups
def add(
    name: NameArgument,
    which: FilterOptions,
    asked: QueryOptions,
    command: RunOption = None,
    notify: NotifyOption = False,
    webhook: WebhookOption = None,
    everything: AllOption = False,
    library: LibraryOption = None,
) -> None:
    """Save a search. watch, serve and index --tell tell what new footage matches."""
    from tempo_edge.saved.command import command_of
    from tempo_edge.saved.deeds import Deeds
    from tempo_edge.saved.notification import check_desktop
    from tempo_edge.saved.query_text import SavedQuery
    from tempo_edge.saved.search import SavedSearch
    from tempo_edge.saved.webhook import check_webhook

    if not (asked.words or asked.like):
        raise TempoEdgeError("Missing argument 'QUERY...': see tempo-edge saved add --help")
    _ = which.filters  # refused now, and not when it is first asked
    if notify:
        check_desktop()
    words = () if command is None else command_of(command)
    if webhook is not None:
        check_webhook(webhook)
    deeds = Deeds(words, notify, webhook or "")
    search = SavedSearch(name, SavedQuery(asked.query(which), which.where), deeds)
    with opened(library, None) as target:
        target.save(search, everything=everything)
    note(f"saved {printable(name)}")


@app.command("list", cls=Command)
def list_(as_json: JsonOption = False, library: LibraryOption = None) -> None:
    """List saved searches, what each asks and does, and how often it told."""
    with opened(library, None) as target:
        found = target.searches()
    for search, told in found:
        emit(json_line(_facts(search, told)) if as_json else _line(search, told))


@app.command(cls=Command)
def remove(name: NameArgument, library: LibraryOption = None) -> None:
    """Take a saved search out, and forget what it told."""
    with opened(library, None) as target:
        target.drop_search(name)
    note(f"removed {printable(name)}")


@app.command(cls=Command)
def run(
    names: NamesArgument = None,
    tell: Annotated[
        bool, typer.Option("--tell", help="Tell what is new, as watch does, and show that alone.")
    ] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Show what matches now. Exit status 1 when nothing does."""
    check_exclusive({"--tell": tell, "--json": as_json})
    with opened(library, None) as target:
        chosen = _chosen(target, names)
        if not chosen:
            note("there is no saved search: tempo-edge saved add NAME QUERY saves one")
        if tell:
            count = target.tell(
                [each.name for each in chosen], on_notice=lambda line: note(printable(line))
            )
            raise typer.Exit(0 if count else 1)
        is_found = _shown(target, chosen, as_json)
    if not is_found:
        raise typer.Exit(1)


def _chosen(library: Library, names: list[str] | None) -> list[SavedSearch]:
    """The saved searches of some names, or all.

    Raises:
        TempoEdgeError: there is none of a name.
    """
    there = {search.name: search for search, _ in library.searches()}
    for name in names or ():
        if name not in there:
            known = ", ".join(there) or "there is none"
            raise TempoEdgeError(f"there is no saved search {name!r}: {known}")
    return [there[name] for name in names or there]


def _shown(library: Library, chosen: list[SavedSearch], as_json: bool) -> bool:
    """Show what each of some searches finds now; gives whether it is anything.

    Raises:
        TempoEdgeError: some can't be asked; all others were by then.
    """
    is_found, failed = False, 0
    for search in chosen:
        try:
            is_found = _show(library, search, as_json) or is_found
        except (QueryError, MissingExtraError) as error:
            if len(chosen) == 1:
                raise
            failed += 1
            note(f"saved {printable(search.name)}: {printable(error.named(OPTION_NAMES))}")
    if failed:
        raise TempoEdgeError(
            f"{failed} of {len(chosen)} saved searches can't be asked: each line says why"
        )
    return is_found


def _show(library: Library, search: SavedSearch, as_json: bool) -> bool:
    """Show what a search finds now; gives whether it is anything."""
    from tempo_edge.cli.answers import show, tell_refusal

    answer = library.ask(search.asked.now())
    if as_json:
        emit("".join(json_line({"search": search.name, **row}) for row in answer.rows()))
        return bool(answer.moments)
    note(f"saved {printable(search.name)}: {printable(search.asked.title)}")
    if answer.omission:
        note(answer.omission)
    if answer.moments:
        show(answer, False, False)
    else:
        tell_refusal(answer, False)
    return bool(answer.moments)


def _line(search: SavedSearch, told: int) -> str:
    """A saved search for people."""
    deeds = search.deeds
    does = [
        *(["notify"] if deeds.notification else []),
        *([f"webhook {deeds.webhook}"] if deeds.webhook else []),
        *([f"run {' '.join(deeds.command)}"] if deeds.command else []),
        *([] if search.is_own else ["saved elsewhere: not done here"]),
    ]
    cells = (search.name, search.asked.title, f"{told} told", *does)
    return printable("  ".join(cells)) + "\n"


def _facts(search: SavedSearch, told: int) -> dict[str, object]:
    """A saved search as plain values."""
    return {
        "name": search.name,
        "query": search.asked.title,
        "run": list(search.deeds.command),
        "notify": search.deeds.notification,
        "webhook": search.deeds.webhook,
        "own": search.is_own,
        "told": told,
    }
