"""Finds the command lines of tempo-edge in a text, and checks them against the real one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import typer

from tempo_edge import cli

__all__ = ["check", "of_images", "of_markdown", "of_shell"]

_OPERATORS = re.compile(r"[();<>|&]+$")


def of_shell(line: str) -> Iterator[list[str]]:
    """The arguments of every ``tempo-edge`` that a shell line runs, in a container or not."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    simple: list[list[str]] = [[]]
    for word in lexer:
        if _OPERATORS.match(word):
            simple.append([])
        else:
            simple[-1].append(word)
    for words in simple:
        while words and re.match(r"[A-Za-z_]+=", words[0]):
            words = words[1:]
        if words and words[0].rsplit("/", 1)[-1] == "tempo-edge":
            yield words[1:]
        elif words[:2] == ["docker", "exec"]:
            yield words[words.index("tempo-edge") + 1 :]
        elif words[:2] == ["docker", "run"] and "--entrypoint" not in words:
            yield from of_images(words)


def of_images(words: list[str]) -> Iterator[list[str]]:
    """What ``docker run`` gives to the entry point of an image of ours."""
    for at, word in enumerate(words):
        if re.fullmatch(r"tempo-edge:\w+", word):
            yield words[at + 1 :]


def of_markdown(text: str) -> Iterator[list[str]]:
    """Those of the shell lines of a page, and of what stands in backquotes."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)
    for block in blocks:
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.startswith("$ "):
                yield from of_shell(line[2:])
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for quoted in re.findall(r"`([^`]+)`", prose):
        if re.fullmatch(r"tempo-edge [a-z]+( [a-z-]+)?", quoted):  # it is spoken of, not shown
            yield [*quoted.split()[1:], "--help"]
        elif re.match(r"tempo-edge( |$)", quoted):
            yield from of_shell(quoted.replace("\n", " "))


def check(arguments: list[str]) -> str:
    """The command that is named, such as "models list".

    Raises:
        ValueError: there is no such command or option, or an argument is missing or too many.
    """
    command: Any = typer.main.get_command(cli.app)
    context: Any = None
    path: list[str] = []
    rest = list(arguments)
    while True:
        settings = command.context_settings
        context = command.context_class(command, parent=context, info_name="", **settings)
        try:
            given, rest, _ = command.make_parser(context).parse_args(rest)
        except Exception as error:  # click's, which typer keeps in several places
            raise ValueError(f"tempo-edge {shlex.join(arguments)}: {error}") from error
        if not hasattr(command, "commands"):
            break
        if not rest:
            return " ".join(path)
        name, *rest = rest
        if command.get_command(context, name) is None:
            raise ValueError(f"tempo-edge {shlex.join(arguments)}: no command {name!r}")
        path.append(name)
        command = command.get_command(context, name)
    required = [p.name for p in command.params if p.required and not given.get(p.name)]
    if rest or (required and "help" not in given):
        raise ValueError(f"tempo-edge {shlex.join(arguments)}: {rest or required}")
    return " ".join(path)
