"""The entry of the command line: its commands, and how it begins and ends."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from tempo_edge._console.text import note, note_warning, printable
from tempo_edge._extras import CPU_OR_GPU, what_to_install
from tempo_edge._version import __version__
from tempo_edge.cli.backup import backup
from tempo_edge.cli.command import Command
from tempo_edge.cli.copies import copies
from tempo_edge.cli.demo import demo
from tempo_edge.cli.doctor import doctor
from tempo_edge.cli.find import find
from tempo_edge.cli.forget import forget
from tempo_edge.cli.group import Group
from tempo_edge.cli.index import index
from tempo_edge.cli.library import app as libraries
from tempo_edge.cli.models import app as models
from tempo_edge.cli.query_options import OPTION_NAMES
from tempo_edge.cli.saved import app as saved
from tempo_edge.cli.serve import serve
from tempo_edge.cli.status import status
from tempo_edge.cli.train import app as training
from tempo_edge.cli.users import app as users
from tempo_edge.cli.values import WrongValueError
from tempo_edge.cli.videos import list_videos
from tempo_edge.cli.volumes import app as volumes
from tempo_edge.cli.watch import watch
from tempo_edge.cli.worker import app as queue
from tempo_edge.cli.worker import worker
from tempo_edge.errors import TempoEdgeError

__all__ = ["app", "main"]

# Exit status of a program that was ended from the keyboard.
_INTERRUPTED = 130

app = typer.Typer(
    name="tempo-edge",
    cls=Group,
    help="Offline search over your own videos: footage in, moments out.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        raise TempoEdgeError(f"{' and '.join(missing)} {verb} not installed: {CPU_OR_GPU}")


for _command in (index, find, watch, worker, serve, status, backup, forget, demo, doctor):
    app.command(cls=Command)(_command)
app.command("list", cls=Command)(list_videos)
app.command(cls=Command)(copies)
app.add_typer(saved)
app.add_typer(queue)
app.add_typer(volumes)
app.add_typer(libraries)
app.add_typer(models)
app.add_typer(training)
app.add_typer(users)


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
        note(f"tempo-edge: error: {error.named(OPTION_NAMES)}")
        return 2
    except WrongValueError as error:
        note(f"tempo-edge: error: {error.format_message()}")
        return 2
    except OSError as error:  # a name that no file may have, a folder that nobody may look into
        if error.strerror is None or not isinstance(error.filename, (str, bytes)):
            raise
        name = printable(os.fsdecode(error.filename))
        note(f"tempo-edge: error: {name} can't be used: {error.strerror}")
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
