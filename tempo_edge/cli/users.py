"""``tempo-edge users``: colleagues who may ask a service, and their tokens."""

from __future__ import annotations

import getpass
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge._files.ownership import user_number
from tempo_edge.cli.command import Command
from tempo_edge.cli.options import JsonOption, LibraryOption
from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from pathlib import Path

    from tempo_edge.service.access.users import Users

__all__ = ["app"]

app = typer.Typer(
    name="users",
    help="Colleagues who may ask a service that listens beyond this machine.",
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the colleague is called.")]
RightOption = Annotated[
    str,
    typer.Option(
        "--right",
        metavar="RIGHT",
        show_default=False,
        help="read (the default: search, play, download), index (that, and have followed folders "
        "indexed, pause, save searches) or admin (that, and have anything indexed).",
    ),
]


@app.command(cls=Command)
def add(name: NameArgument, right: RightOption = "read", library: LibraryOption = None) -> None:
    """Add a colleague, and print the token, which is shown this once."""
    from tempo_edge.service.access.right import Right

    if right.upper() not in Right.__members__:
        known = ", ".join(each.word for each in Right)
        raise TempoEdgeError(f"--right {right!r} must be one of {known}")
    place = _library(library)
    token = _users(place).add(name, Right[right.upper()])
    _log(place, {"added": name, "right": right.lower()})
    emit(f"{token}\n")
    note(f"added {printable(name)}, who may {right.lower()}: the token is shown this once")


@app.command("list", cls=Command)
def list_(as_json: JsonOption = False, library: LibraryOption = None) -> None:
    """List colleagues, the right of each and since when. No token is known any more."""
    for user in _users(_library(library)).all():
        facts = {"name": user.name, "right": user.right.word, "added": user.added}
        emit(json_line(facts) if as_json else f"{'  '.join(facts.values())}\n")


@app.command(cls=Command)
def revoke(name: NameArgument, library: LibraryOption = None) -> None:
    """Take a colleague's token back; a service that runs ends what it is answering."""
    place = _library(library)
    _users(place).revoke(name)
    _log(place, {"revoked": name})
    note(f"revoked {printable(name)}")


def _library(library: Path | None) -> Path:
    from tempo_edge.store.place import default_library_path

    return library or default_library_path()


def _users(library: Path) -> Users:
    from tempo_edge.service.access.users import Users
    from tempo_edge.service.transport.places import users_path

    return Users(users_path(library))


def _log(library: Path, deed: dict[str, str]) -> None:
    """Note it where what colleagues ask is noted; it has been done, so a line tells of a fault."""
    from tempo_edge.service.access.audit import AuditLog
    from tempo_edge.service.transport.places import audit_path

    who = user_number()
    with suppress(OSError, KeyError, ImportError):  # of a user that has a number and no name
        who = getpass.getuser()
    log = AuditLog(audit_path(library))
    try:
        log.write({"user": None, "from": f"{who}, by the command line", **deed})
    except OSError as error:
        note(f"audit log {log.path} can't be written: {error.strerror or error}")
