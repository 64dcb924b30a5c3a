"""The command line: a thin door that parses, calls and prints.

Results go to stdout, everything else to stderr. Exit status: 0 something matched, 1 nothing did,
2 an error. It never asks a question.
"""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import sys
import warnings
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer
from tempo_export.cli import command as add_export
from tempo_plugins.cli import add_mcp
from tempo_plugins.cli import app as plugins

from tempo_edge._answer import Shown, cut_clips, reachable, results, tell_refusal
from tempo_edge._command import Command
from tempo_edge._models import app as models
from tempo_edge._text import emit, json_line, note, note_warning, printable
from tempo_edge._timeline import ExportOption, OutputOption, check_export, export_moments
from tempo_edge._version import __version__
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.cli import app as training

if TYPE_CHECKING:
    from tempo_edge._api import Library

__all__ = ["app", "main"]

# Exit status of a program that was ended from the keyboard.
_INTERRUPTED = 130

app = typer.Typer(
    name="tempo-edge",
    help="Offline search over your own videos: footage in, moments out.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models)
app.add_typer(training)
app.add_typer(plugins)
add_export(app)
add_mcp(app)


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
DecoderOption = Annotated[
    str,
    typer.Option(
        "--decoder", metavar="NAME", show_default=False, help="pyav (the default) or decord."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors and skips only.")
]


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise TempoEdgeError(f"limit {text!r} must be a whole number, at least 1") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise TempoEdgeError(f"{text!r} must be a number, such as 0.5") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:6]) <= 65535):
        raise TempoEdgeError(f"port {text!r} must be a whole number within 0 and 65535")
    return int(text)


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
        verb = "is" if len(missing) == 1 else "are"
        raise TempoEdgeError(
            f'{" and ".join(missing)} {verb} not installed: pip install "tempo-edge[cpu]", '
            'or "tempo-edge[gpu]" with an NVIDIA card'
        )


@app.command(cls=Command)
def index(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Videos and folders.")],
    library: LibraryOption = None,
    profile: ProfileOption = None,
    decoder: DecoderOption = "pyav",
    uniform: Annotated[
        float | None,
        typer.Option(
            "--uniform",
            metavar="FPS",
            parser=_number,
            help="Baseline: decode everything and look at FPS frames a second, without SAA.",
        ),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Index videos, so that they can be searched. Run it again to pick up changes."""
    from tempo_edge._progress import Progress
    from tempo_edge.library.footage import Sampling

    _be_nice()
    # So that the bar is taken away and the cursor comes back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with _open(library, profile) as opened, Progress(quiet) as progress:
        report = opened.index(
            paths,
            decoder=decoder,
            sampling=Sampling(frames_per_second=uniform),
            on_event=progress,
        )
    progress.summary(report)


@app.command(cls=Command)
def find(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help='What to look for, for example "dog jumps".')
    ],
    within: Annotated[
        Path | None, typer.Option("--in", metavar="PATH", help="Search only at or under PATH.")
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            parser=_whole_number,
            show_default=False,
            help="Most moments to show; by default 10.",
        ),
    ] = 10,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            "--min-confidence",
            metavar="P",
            parser=_number,
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
    grounder: Annotated[
        str | None,
        typer.Option(
            "--grounder",
            metavar="NAME",
            help="mllm reads the best candidates' frames; curve is quicker; vlm looks at them.",
        ),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option("--explain", metavar="FILE", help="Write an HTML page that shows why."),
    ] = None,
    play: Annotated[bool, typer.Option("--play", help="Open the best moment in mpv.")] = False,
    play_all: Annotated[
        bool, typer.Option("--play-all", help="Open all moments in mpv, as if they were one film.")
    ] = False,
    clip: Annotated[
        Path | None, typer.Option("--clip", metavar="DIR", help="Cut each moment into DIR.")
    ] = None,
    export: ExportOption = None,
    output: OutputOption = None,
    no_service: Annotated[
        bool, typer.Option("--no-service", help="Don't ask a service that may be running.")
    ] = False,
    library: LibraryOption = None,
    profile: ProfileOption = None,
) -> None:
    """Find the moments that match a sentence. Exit status 1 when nothing matches."""
    _exclude({"--json": as_json, "--null": null, "--export": export and not output})
    _exclude({"--play": play, "--play-all": play_all})
    check_export(export, output)
    # What needs footage or evidence is done here, where the answer is.
    answer: Shown | None = None
    if not (no_service or refine or explain or clip or profile):
        answer = _ask_service(library, query, limit, min_confidence, within, grounder)
    if answer is None:
        with _open(library, profile) as opened:
            answer = found = opened.find(
                query,
                limit=limit,
                min_confidence=min_confidence,
                within=within,
                refine=refine,
                grounder=grounder,
            )
        if explain is not None:
            from tempo_edge.explain import write as write_page

            write_page(explain.expanduser(), query, found)
    if not answer.moments:
        tell_refusal(answer, as_json)
        raise typer.Exit(1)
    if export is None or output is not None:
        emit(results(answer, as_json, null))
    if export is not None:
        export_moments(answer.moments, export, output)
    if clip is not None:
        cut_clips(answer, clip.expanduser())
    if play:
        from tempo_edge.player import play as open_player

        open_player(answer.moments[0].path, answer.moments[0].span)
    if play_all:
        from tempo_edge.player import play_all as open_film

        open_film([(moment.path, moment.span) for moment in reachable(answer.moments)])


@app.command(cls=Command)
def watch(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders to follow.")],
    polling: Annotated[
        bool, typer.Option("--polling", help="List folders instead of being notified.")
    ] = False,
    decoder: DecoderOption = "pyav",
    library: LibraryOption = None,
    profile: ProfileOption = None,
    quiet: QuietOption = False,
) -> None:
    """Index folders, then keep the library up to date until stopped."""
    from tempo_edge._progress import Progress

    _be_nice()
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: stop.set())
    with _open(library, profile) as opened, Progress(quiet, lines=True) as progress:
        opened.watch(
            folders,
            decoder=decoder,
            polling=polling,
            stop=stop,
            on_event=progress,
        )


@app.command(cls=Command)
def serve(
    watched: Annotated[
        list[Path] | None,
        typer.Option("--watch", metavar="DIR", help="Folder to follow; may be given repeatedly."),
    ] = None,
    socket: Annotated[
        Path | None,
        typer.Option(
            "--socket", metavar="PATH", help="Unix socket; by default one that only you can use."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="N",
            parser=_port,
            help="Listen on 127.0.0.1:N too; 0 takes any free port.",
        ),
    ] = None,
    always: Annotated[
        bool, typer.Option("--always", help="Index on battery and on a busy machine, too.")
    ] = False,
    library: LibraryOption = None,
    quiet: QuietOption = False,
) -> None:
    """Answer searches over HTTP and index in the background."""
    from tempo_edge._api import default_library_path
    from tempo_edge.service import serve as run

    run(
        library or default_library_path(),
        socket=socket,
        port=port,
        watched=watched or [],
        always=always,
        quiet=quiet,
    )


@app.command(cls=Command)
def status(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="Only files at or under PATH.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    library: LibraryOption = None,
) -> None:
    """Say what the library holds, and what was skipped and why."""
    from tempo_edge.status import describe, format_status

    with _open(library, None) as opened:
        facts = describe(opened, path)
    emit(json_line(facts) if as_json else format_status(facts))


@app.command(cls=Command)
def forget(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="File or folder to drop from the library.")
    ],
    library: LibraryOption = None,
) -> None:
    """Drop a file or folder from the library. The files themselves stay as they are."""
    with _open(library, None) as opened:
        count = opened.forget(path)
    note(f"forgot {count} file{'s' if count != 1 else ''}")


@app.command(cls=Command)
def demo(
    library: Annotated[
        Path | None,
        typer.Option("--library", metavar="FILE", help="Keep the demo's library here."),
    ] = None,
) -> None:
    """Try it on a few real clips; one of the searches is refused."""
    from tempo_edge.demo import run

    run(library)


@app.command(cls=Command)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what works, what is missing, and how to mend it."""
    from tempo_edge.doctor import examine, format_report

    report = examine()
    emit(json_line(report) if as_json else format_report(report))
    if any(check["state"] == "missing" for check in report):
        raise typer.Exit(2)


def _exclude(asked: dict[str, object]) -> None:
    """Options that can't be had together.

    Raises:
        TempoEdgeError: more than one is asked for.
    """
    names = [name for name, value in asked.items() if value]
    if len(names) > 1:
        raise TempoEdgeError(f"{' and '.join(names)} exclude each other: choose one")


def _open(library: Path | None, profile: str | None) -> Library:
    from tempo_edge._api import Library

    return Library.open(library, profile=profile)


def _ask_service(
    library: Path | None,
    query: str,
    limit: int,
    min_confidence: float | None,
    within: Path | None,
    grounder: str | None,
) -> Shown | None:
    """The answer of a service that is running for this library, if one is."""
    from tempo_edge._api import default_library_path
    from tempo_edge.service import client

    return client.find(
        default_library_path() if library is None else library.expanduser(),
        query,
        limit=limit,
        min_confidence=min_confidence,
        within=within,
        grounder=grounder,
    )


def _be_nice() -> None:
    """Indexing is background work: let whatever the person is doing go first."""
    try:
        os.nice(5)
    except OSError:
        return


def main() -> None:
    """Entry point of the ``tempo-edge`` command."""
    # Python has no stream at all where a descriptor was closed before it started.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever the terminal can't show
    sys.exit(_run())


def _run() -> int:
    """Run the command line; gives the exit status."""
    command = typer.main.get_command(app)
    warnings.showwarning = note_warning
    try:
        arguments = sys.argv[1:] or ["--help"]
        status = command.main(arguments, prog_name="tempo-edge", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        status = _INTERRUPTED
    except TempoEdgeError as error:
        note(f"tempo-edge: error: {printable(str(error))}")
        return 2
    except Exception as error:
        if not hasattr(error, "format_message"):  # click's, which typer keeps in several places
            raise
        context = getattr(error, "ctx", None)
        _report_usage(error.format_message(), context.command_path if context else "tempo-edge")
        return 2
    if status == _INTERRUPTED:
        note("tempo-edge: stopped")
    return status or 0


def _report_usage(message: str, command: str) -> None:
    """Say in one line what is wrong with the command line."""
    text = " ".join(message.split()).rstrip(".")
    note(f"tempo-edge: error: {text}: see {command} --help")


if __name__ == "__main__":
    main()
