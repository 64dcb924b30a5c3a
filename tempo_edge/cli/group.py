"""The commands of the command line: its own, and those that other packages bring.

Another package brings one by an entry point of the group ``tempo_edge.commands``, of the command's
name, which is a ``typer.Typer``. It is imported when it is asked for, or when all are listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from tempo_edge.cli.command import Command
from tempo_edge.errors import TempoEdgeError

__all__ = ["Group"]

_ENTRY_POINTS = "tempo_edge.commands"


class Group(TyperGroup):
    """A group of commands that others may add to; a name of its own is never taken away."""

    def list_commands(self, ctx: Any) -> list[str]:
        own = super().list_commands(ctx)
        return [*own, *sorted(self._brought.keys() - set(own))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        own = super().get_command(ctx, cmd_name)
        if own is None and cmd_name in self._brought:
            own = typer.main.get_command(_loaded(self._brought[cmd_name]))
            own.name = cmd_name
        return own

    @cached_property
    def _brought(self) -> Mapping[str, EntryPoint]:
        return {each.name: each for each in entry_points(group=_ENTRY_POINTS)}


def _loaded(brought: EntryPoint) -> typer.Typer:
    """The command of another package; where it fails, one that says so: others must not suffer."""
    try:
        app = brought.load()
        if not isinstance(app, typer.Typer):
            raise TypeError(f"{brought.value} is a {type(app).__name__}, no typer.Typer")
        return app
    except Exception as error:
        why = f"{brought.name} of {brought.value} can't be loaded: {error!r}"
        broken = typer.Typer(add_completion=False, rich_markup_mode=None)

        @broken.command(brought.name, cls=Command, help=f"Can't be loaded: {error!r}.")
        def tell() -> None:
            raise TempoEdgeError(why)

        return broken
