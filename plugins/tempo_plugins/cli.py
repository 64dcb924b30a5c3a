"""``tempo-edge plugins`` and ``tempo-edge mcp``: doors from other programs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from tempo_edge._console.text import emit, json_line, note
from tempo_edge._extras import lacking
from tempo_edge.cli.command import Command
from tempo_edge.errors import MissingExtraError

__all__ = ["mcp", "plugins"]

plugins = typer.Typer(
    name="plugins",
    help="Search from other programs: desktops and launchers.",
    rich_markup_mode=None,
    add_completion=False,
)
mcp = typer.Typer(rich_markup_mode=None, add_completion=False)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A plugin; see plugins list.")]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root", metavar="DIR", help="Do also what needs root, below DIR; / for this system."
    ),
]
IntoOption = Annotated[
    Path | None,
    typer.Option("--into", metavar="DIR", help="Folder in place of the one of its program."),
]


@plugins.command("list", cls=Command)
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the plugins, what each plugs into, and whether it is installed."""
    from tempo_plugins.installing import state
    from tempo_plugins.offered import PLUGINS

    for plugin in PLUGINS:
        row = {"name": plugin.name, "program": plugin.program, "state": state(plugin)}
        line = f"{row['name']:<10} {row['program']:<25} {row['state']}\n"
        emit(json_line(row) if as_json else line)


@plugins.command(cls=Command)
def install(name: NameArgument, root: RootOption = None, into: IntoOption = None) -> None:
    """Write a plugin's files, and say which, and what needs root."""
    from tempo_plugins import installing
    from tempo_plugins.offered import find

    plugin = find(name)
    report = installing.install(plugin, root=root, into=into)
    _tell("wrote", report)
    note(f"then {plugin.afterwards}")


@plugins.command(cls=Command)
def remove(name: NameArgument, root: RootOption = None, into: IntoOption = None) -> None:
    """Remove a plugin's files, and say which, and what needs root."""
    from tempo_plugins import installing
    from tempo_plugins.offered import find

    report = installing.remove(find(name), root=root, into=into)
    if not report.files and not report.as_root:
        note(f"{name} is not installed")
    _tell("removed", report)


def _tell(verb: str, report: object) -> None:
    from tempo_plugins.installing import InstallReport

    assert isinstance(report, InstallReport)
    for file in report.files:
        note(f"{verb} {file}")
    for command in report.as_root:
        note(f"needs root: {command}")


@mcp.command("mcp", cls=Command)
def _mcp(
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            envvar="TEMPO_EDGE_LIBRARY",
            show_envvar=False,
            metavar="LIBRARY",
            help="Where no service runs: a file, or postgresql://…; by default yours.",
        ),
    ] = None,
) -> None:
    """Let an assistant search: an MCP server on stdin and stdout."""
    if importlib.util.find_spec("mcp") is None:
        raise MissingExtraError(lacking("mcp"))
    from tempo_plugins.mcp import serve
    from tempo_plugins.service_or_library import ServiceOrLibrary

    with ServiceOrLibrary(library=library, name="mcp") as client:
        serve(client)
