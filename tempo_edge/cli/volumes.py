"""``tempo-edge volumes``: the drives and shares that several machines know by one name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tempo_edge._console.text import emit, json_line, note, printable
from tempo_edge.cli.command import Command
from tempo_edge.cli.options import JsonOption, LibraryOption
from tempo_edge.cli.values import place
from tempo_edge.errors import TempoEdgeError

if TYPE_CHECKING:
    from tempo_edge.volume_names import Added, NamedVolume, VolumeNames

__all__ = ["app"]

app = typer.Typer(
    name="volumes",
    help="The drives and shares of a library on a server, and where this machine has them.",
    rich_markup_mode=None,
)

FolderArgument = Annotated[
    Path, typer.Argument(metavar="PATH", parser=place, help="The folder where it is mounted here.")
]
VolumeArgument = Annotated[str, typer.Argument(metavar="NAME", help="A volume.")]


@app.callback(invoke_without_command=True)
def _list_by_default(
    context: typer.Context, as_json: JsonOption = False, library: LibraryOption = None
) -> None:
    if context.invoked_subcommand is None:
        list_(as_json, library)
        return
    typed = [f"--{name}" for name in ("as_json", "library") if _is_typed(context, name)]
    if typed:
        option = typed[0].replace("as_json", "json")
        raise TempoEdgeError(f"{option} goes behind {context.invoked_subcommand}: type it there")


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command("list", cls=Command)
def list_(as_json: JsonOption = False, library: LibraryOption = None) -> None:
    """List the volumes, and where this machine has each."""
    volumes, others = _names(library).all()
    for volume in volumes:
        emit(json_line(volume.as_dict()) if as_json else f"{_line(volume)}\n")
    if others and not as_json:
        note(
            f"{_files(others)} {'is' if others == 1 else 'are'} on no named volume, kept by the "
            "path that one machine has: tempo-edge volumes add PATH names one"
        )


@app.command(cls=Command)
def add(
    path: FolderArgument,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="By default what the folder is called."),
    ] = None,
    marker: Annotated[
        bool,
        typer.Option(
            "--marker/--no-marker",
            help="Write a small hidden file into PATH by which other machines find it (default).",
            show_default=False,
        ),
    ] = True,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Name a volume for all machines; what was indexed on it is kept by its name from then on."""
    added = _names(library).add(path, name, marked=marker)
    if as_json:
        emit(json_line(added.as_dict()))
        return
    for line in _told(added):
        note(printable(line))


@app.command("map", cls=Command)
def map_(
    name: VolumeArgument,
    path: FolderArgument,
    as_json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say where this machine has a volume that it does not find by itself."""
    volume = _names(library).map(name, path)
    emit(json_line(volume.as_dict()) if as_json else f"{_line(volume)}\n")


@app.command(cls=Command)
def forget(
    name: VolumeArgument, as_json: JsonOption = False, library: LibraryOption = None
) -> None:
    """Take a name back: its files are kept by this machine's paths, as of no volume."""
    files, marker = _names(library).forget(name)
    if as_json:
        emit(json_line({"name": name, "files": files, "marker": marker}))
        return
    note(printable(f"forgot volume {name}; {_files(files)} kept by this machine's paths"))
    if marker is not None:
        note(printable(f"{marker} stays: other libraries may know the volume by it"))


def _names(library: Path | None) -> VolumeNames:
    from tempo_edge.store.opening import open_store
    from tempo_edge.store.place import library_path
    from tempo_edge.volume_names import VolumeNames

    return VolumeNames(open_store(library_path(library)))


def _line(volume: NamedVolume) -> str:
    """A volume for people."""
    where = "not mounted here" if volume.path is None else volume.path
    if volume.path is None and volume.expected is not None:
        where += f" (looked for at {volume.expected})"
    known = f"known by its {volume.known_by}"
    if volume.known_by == "mapping":
        known = "found where each machine maps it"
    return printable("  ".join((volume.name, where, _files(volume.files), known)))


def _told(added: Added) -> list[str]:
    lines = [f"volume {added.name} is {added.path} here; {_files(added.files)} kept by it"]
    if added.marker is not None:
        lines.append(f"other machines find it by {added.marker}")
    elif added.known_by == "mapping":
        lines.append(
            f"it has no marker ({added.why_unmarked}): on other machines run "
            f"tempo-edge volumes map {added.name} PATH"
        )
    else:
        lines.append(
            f"it has no marker ({added.why_unmarked}): other machines find it by its file system, "
            f"or where tempo-edge volumes map {added.name} PATH says"
        )
    if added.left:
        lines.append(
            f"{_files(added.left)} below {added.path} not there, and stay as another machine's"
        )
    return lines


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
