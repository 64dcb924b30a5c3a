"""A command of the command line, whose help does not depend on the version of typer."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

__all__ = ["Command"]


class Command(TyperCommand):
    """A command whose help is the same text whatever the version of typer."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        names = [str(p.metavar) for p in self.params if p.param_type_name == "argument"]
        formatter.write_usage(ctx.command_path, " ".join(["[OPTIONS]", *names]))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments = [p for p in self.params if p.param_type_name == "argument"]
        options = [p for p in self.get_params(ctx) if p.param_type_name == "option"]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl([(p.metavar, getattr(p, "help", None) or "") for p in arguments])
        with formatter.section("Options"):
            formatter.write_dl([row for p in options if (row := p.get_help_record(ctx))])
