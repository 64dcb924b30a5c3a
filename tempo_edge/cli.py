"""The command line: a thin door that parses, calls and prints.

Results go to stdout, everything else to stderr. Exit status: 0 something matched, 1 nothing did,
2 an error. It never asks a question.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._version import __version__
from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge._api import Library
    from tempo_edge.moment import Moment
    from tempo_edge.search.searcher import Answer

__all__ = ["app", "main"]

app = typer.Typer(
    name="tempo-edge",
    help="Offline search over your own videos: footage in, moments out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        envvar="TEMPO_EDGE_LIBRARY",
        show_envvar=False,
        metavar="FILE",
        help="Library to use; by default $TEMPO_EDGE_LIBRARY, or one in your data folder.",
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Model profile; nano is built in.")
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors and skips only.")
]


def _version(asked: bool) -> None:
    if asked:
        print(f"tempo-edge {__version__}")
        raise typer.Exit


@app.callback()
def _before_every_command(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    missing = [n for n in ("onnxruntime", "faiss") if importlib.util.find_spec(n) is None]
    if missing and context.invoked_subcommand != "doctor":
        raise TempoEdgeError(
            f'{" and ".join(missing)} not installed: pip install "tempo-edge[cpu]", '
            'or "tempo-edge[gpu]" with an NVIDIA card'
        )


@app.command()
def index(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Videos and folders.")],
    library: LibraryOption = None,
    profile: ProfileOption = None,
    decoder: Annotated[
        str, typer.Option("--decoder", metavar="NAME", help="pyav or decord.")
    ] = "pyav",
    uniform: Annotated[
        float | None,
        typer.Option(
            "--uniform",
            metavar="FPS",
            help="Baseline: decode everything and look at FPS frames a second, without SAA.",
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Index videos, so that they can be searched. Run it again to pick up changes."""
    from tempo_edge._progress import Progress
    from tempo_edge.library.footage import Sampling

    _be_nice()
    with _open(library, profile) as opened, Progress(quiet) as progress:
        report = opened.index(
            [path.expanduser() for path in paths],
            decoder=decoder,
            sampling=Sampling(frames_per_second=uniform),
            on_event=progress,
        )
    progress.summary(report)


@app.command()
def find(
    query: Annotated[str, typer.Argument(help='What to look for, for example "dog jumps".')],
    within: Annotated[
        Path | None, typer.Option("--in", metavar="PATH", help="Search only at or under PATH.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", help="Most moments to show.")
    ] = 10,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            "--min-confidence",
            metavar="P",
            help="Show moments that are at least this likely, 0 to 1; by default calibrated.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="Paths only, each once, ended by a NUL byte.")
    ] = False,
    refine: Annotated[
        bool, typer.Option("--refine", help="Decode around the boundaries for finer times.")
    ] = False,
    play: Annotated[bool, typer.Option("--play", help="Open the best moment in mpv.")] = False,
    clip: Annotated[
        Path | None, typer.Option("--clip", metavar="DIR", help="Cut each moment into DIR.")
    ] = None,
    library: LibraryOption = None,
    profile: ProfileOption = None,
) -> None:
    """Find the moments that match a sentence. Exit status 1 when nothing matches."""
    if as_json and null:
        raise TempoEdgeError("--json and --null exclude each other: choose one")
    with _open(library, profile) as opened:
        answer = opened.find(
            query,
            limit=limit,
            min_confidence=min_confidence,
            within=None if within is None else within.expanduser(),
            refine=refine,
        )
    _print_answer(answer, as_json, null)
    if not answer.moments:
        raise typer.Exit(1)
    if clip is not None:
        _cut(answer, clip.expanduser())
    if play:
        from tempo_edge.clip import play as open_player

        open_player(answer.moments[0].path, answer.moments[0].span)


@app.command()
def watch(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders to follow.")],
    polling: Annotated[
        bool, typer.Option("--polling", help="List folders instead of being notified.")
    ] = False,
    decoder: Annotated[
        str, typer.Option("--decoder", metavar="NAME", help="pyav or decord.")
    ] = "pyav",
    library: LibraryOption = None,
    profile: ProfileOption = None,
    quiet: QuietOption = False,
) -> None:
    """Index folders, then keep the library up to date until stopped."""
    from tempo_edge._progress import Progress

    _be_nice()
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with _open(library, profile) as opened, Progress(quiet, lines=True) as progress:
        opened.watch(
            [folder.expanduser() for folder in folders],
            decoder=decoder,
            polling=polling,
            stop=stop,
            on_event=progress,
        )


@app.command()
def status(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="Only files at or under PATH.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    library: LibraryOption = None,
) -> None:
    """Say what the library holds and which files were skipped, with the reason."""
    from tempo_edge.library.status import describe, print_status

    with _open(library, None) as opened:
        facts = describe(opened, None if path is None else path.expanduser())
    if as_json:
        print(json.dumps(facts))
    else:
        print_status(facts)


@app.command()
def forget(
    path: Annotated[Path, typer.Argument(help="File or folder to drop from the library.")],
    library: LibraryOption = None,
) -> None:
    """Drop a file or folder from the library. The files themselves stay as they are."""
    with _open(library, None) as opened:
        count = opened.forget(path.expanduser())
    _note(f"forgot {count} file{'s' if count != 1 else ''}")


@app.command()
def demo(
    library: Annotated[
        Path | None,
        typer.Option("--library", metavar="FILE", help="Keep the demo's library here."),
    ] = None,
) -> None:
    """Index a few real clips and run some searches, one of which is refused."""
    from tempo_edge.demo import run

    run(library)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what is installed and live, what is missing, and the command that mends it."""
    from tempo_edge.doctor import examine, print_report

    report = examine()
    if as_json:
        print(json.dumps(report))
    else:
        print_report(report)
    if any(check["state"] == "missing" for check in report):
        raise typer.Exit(2)


def _open(library: Path | None, profile: str | None) -> Library:
    from tempo_edge._api import Library

    return Library.open(None if library is None else library.expanduser(), profile=profile)


def _be_nice() -> None:
    """Indexing is background work: let whatever the person is doing go first."""
    try:
        os.nice(5)
    except OSError:
        return


def _note(text: str) -> None:
    print(text, file=sys.stderr)


def _print_answer(answer: Answer, as_json: bool, null: bool) -> None:
    if not answer.moments:
        _print_refusal(answer, as_json)
    elif as_json:
        for moment in answer:
            print(json.dumps(moment.as_dict(), ensure_ascii=False))
    elif null:
        for path in dict.fromkeys(str(moment.path) for moment in answer):
            sys.stdout.write(f"{path}\0")
    else:
        _print_table(list(answer))


def _print_refusal(answer: Answer, as_json: bool) -> None:
    best = answer.best_rejected
    if as_json:
        facts = {
            "best_rejected": None if best is None else best.as_dict(),
            "filtered_count": answer.filtered_count,
        }
        _note(json.dumps(facts, ensure_ascii=False))
        return
    _note("nothing matches")
    if best is not None:
        _note(f"closest: {_line(best, 0, False)}  ({answer.filtered_count} held back)")


def _print_table(moments: list[Moment]) -> None:
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = max(len(str(moment.path)) for moment in moments)
    for moment in moments:
        print(_line(moment, width, coloured))


def _line(moment: Moment, width: int, coloured: bool) -> str:
    from tempo_edge.moment import format_timestamp

    span = f"{format_timestamp(moment.start_seconds)}–{format_timestamp(moment.end_seconds)}"
    cells = (f"{moment.path!s:<{width}}", span, f"{moment.confidence:.2f}")
    if coloured:
        colours = (typer.colors.MAGENTA, typer.colors.GREEN, typer.colors.YELLOW)
        cells = tuple(typer.style(c, fg=f) for c, f in zip(cells, colours, strict=True))
    return "  ".join(cells) + ("  (offline)" if moment.offline else "")


def _cut(answer: Answer, folder: Path) -> None:
    from tempo_edge.clip import cut

    for moment in answer:
        if moment.offline:
            _note(f"skipping {moment.path}: its volume is not there")
            continue
        _note(f"wrote {cut(moment.path, moment.span, folder)}")


def main() -> None:
    """Entry point of the ``tempo-edge`` command."""
    try:
        app()
    except TempoEdgeError as error:
        _note(f"tempo-edge: error: {error}")
        sys.exit(2)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Leave nothing for the interpreter to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _note("tempo-edge: stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()
