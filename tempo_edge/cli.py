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
from typing import Annotated

import typer
from tempo_export.cli import command as add_export
from tempo_plugins.cli import add_mcp
from tempo_plugins.cli import app as plugins

from tempo_edge._command import Command
from tempo_edge._extras import ENGINES, what_to_install
from tempo_edge._find import find
from tempo_edge._models import app as models
from tempo_edge._options import (
    DecoderOption,
    ExcludeOption,
    LibraryOption,
    ProfileOption,
    QuietOption,
    number,
    opened,
    place,
)
from tempo_edge._serve import serve
from tempo_edge._text import emit, json_line, note, note_warning
from tempo_edge._version import __version__
from tempo_edge.errors import TempoEdgeError
from tempo_edge.train.cli import app as training

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


def _version(asked: bool) -> None:
    if asked:
        print(f"tempo-edge {__version__}")
        raise typer.Exit


@app.callback()
def _before_every_command(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    missing = [n for n in ("onnxruntime", "faiss") if importlib.util.find_spec(n) is None]
    # Models can be pulled, checked and carried on a machine that never searches.
    if missing and context.invoked_subcommand not in ("doctor", "models"):
        verb = "is" if len(missing) == 1 else "are"
        raise TempoEdgeError(f"{' and '.join(missing)} {verb} not installed: {ENGINES}")


@app.command(cls=Command)
def index(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", parser=place, help="Videos and folders.")
    ],
    exclude: ExcludeOption = None,
    library: LibraryOption = None,
    profile: ProfileOption = None,
    decoder: DecoderOption = "pyav",
    uniform: Annotated[
        float | None,
        typer.Option(
            "--uniform",
            metavar="FPS",
            parser=number,
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
    with opened(library, profile) as target, Progress(quiet) as progress:
        report = target.index(
            paths,
            exclude=exclude or (),
            decoder=decoder,
            sampling=Sampling(frames_per_second=uniform),
            on_event=progress,
        )
    progress.summary(report)


app.command(cls=Command)(find)


@app.command(cls=Command)
def watch(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", parser=place, help="Folders to follow.")
    ],
    exclude: ExcludeOption = None,
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
    with opened(library, profile) as target, Progress(quiet, lines=True) as progress:
        target.watch(
            folders,
            exclude=exclude or (),
            decoder=decoder,
            polling=polling,
            stop=stop,
            on_event=progress,
            on_notice=progress.notice,
        )


app.command(cls=Command)(serve)


@app.command(cls=Command)
def status(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", parser=place, help="Only files at or under PATH."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    library: LibraryOption = None,
) -> None:
    """Say what the library holds, and what was skipped and why."""
    from tempo_edge.status import describe, format_status

    with opened(library, None) as target:
        facts = describe(target, path)
    emit(json_line(facts) if as_json else format_status(facts))


@app.command(cls=Command)
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", parser=place, help="Where the copy goes.")
    ],
    library: LibraryOption = None,
) -> None:
    """Copy the library to a file, whole, even while something writes it."""
    from tempo_edge._api import default_library_path
    from tempo_edge.library.backup import back_up

    copy = back_up((library or default_library_path()).expanduser(), file.expanduser())
    wrote = f"wrote {file}, {copy.size / 1e6:.1f} MB"
    if copy.fault:
        note(f"tempo-edge: error: {wrote}, but {copy.fault}")
        raise typer.Exit(2)
    note(wrote)


@app.command(cls=Command)
def forget(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", parser=place, help="File or folder to drop from the library."
        ),
    ],
    library: LibraryOption = None,
) -> None:
    """Drop a file or folder from the library. The files themselves stay as they are."""
    with opened(library, None) as target:
        count = target.forget(path)
    note(f"forgot {count} file{'s' if count != 1 else ''}")


@app.command(cls=Command)
def demo(
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", metavar="FILE", parser=place, help="Keep the demo's library here."
        ),
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
    if not report["ok"]:
        raise typer.Exit(2)


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
        note(f"tempo-edge: error: {error}")
        return 2
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (line := what_to_install(error)):
            note(f"tempo-edge: error: {line}")
            return 2
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
