"""The command of a saved search: an argument list, run without a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tempo_edge._files.spelling import IS_WINDOWS
from tempo_edge._system.groups import APART, end_with_all
from tempo_edge.errors import QueryError
from tempo_edge.saved.told_moment import ToldMoment, check_template

__all__ = ["LIMIT_SECONDS", "command_of", "run", "words_of"]

#: A command that takes longer is ended.
LIMIT_SECONDS = 60.0

# Between two looks whether it has ended.
_LOOK_SECONDS = 0.05

# Words of a command, and letters of one.
_MOST_WORDS, _LONGEST_WORD = 100, 4200


def command_of(line: str) -> tuple[str, ...]:
    """The words of a command as somebody writes them; quotes keep words together, nothing else.

    Raises:
        QueryError: a quote is open, there is no such program, or no such placeholder.
    """
    try:
        words = words_of(line)
    except ValueError as error:
        raise QueryError.naming("{run} {!r} can't be taken apart: {}", line, error) from None
    if not words:
        raise QueryError.naming("{run} {!r} is empty: name a program and its arguments", line)
    program = shutil.which(words[0])
    if program is None:
        raise QueryError.naming(
            "{run} {!r}: there is no program {!r}: name one by its path", line, words[0]
        )
    command = (str(Path(program).absolute()), *words[1:])
    check_command(command)
    return command


def words_of(line: str, *, is_windows: bool = IS_WINDOWS) -> list[str]:
    """The words of a command line, as a shell takes it apart; no shell is started for it.

    On Windows a backslash stands between folders, and escapes nothing.

    Raises:
        ValueError: a quote is not closed.
    """
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    if is_windows:
        lexer.escape = ""
    return list(lexer)


def check_command(command: Sequence[str]) -> None:
    """Refuse words that can't be run.

    Raises:
        QueryError: they are too many or too long, the program has no whole path, or there is no
            such placeholder.
    """
    if not 1 <= len(command) <= _MOST_WORDS or max(map(len, command)) > _LONGEST_WORD:
        raise QueryError(
            f"a command must have 1 to {_MOST_WORDS} words of at most {_LONGEST_WORD} letters"
        )
    if not Path(command[0]).is_absolute():
        raise QueryError(f"program {command[0]!r} must be a path from the root")
    for word in command[1:]:
        check_template(word)


def run(
    command: Sequence[str],
    told: ToldMoment,
    begun: Callable[[], None],
    stopping: Callable[[], bool],
    limit_seconds: float = LIMIT_SECONDS,
) -> str:
    """Run a command for a moment; gives nothing, or what went wrong.

    Args:
        begun: called as soon as it runs.
        stopping: asked often; once it says so the command is left to itself.
    """
    words = [command[0], *(told.filled(word) for word in command[1:])]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=_folder(),
            **APART,
        )
    except (OSError, ValueError) as error:
        begun()
        why = getattr(error, "strerror", None) or error
        return f"{command[0]} can't be run: {why}"
    begun()
    ends = time.monotonic() + limit_seconds
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
            break
        if stopping():
            process.returncode = 0  # it goes on by itself, and nobody waits for it
            return ""
        if time.monotonic() > ends:
            end_with_all(process)
            process.wait()
            return f"{command[0]} took longer than {limit_seconds:g} s and was ended"
    if process.returncode < 0:
        return f"{command[0]} was ended by signal {-process.returncode}"
    return f"{command[0]} ended with status {process.returncode}" if process.returncode else ""


def _folder() -> str:
    """The user's folder, where there is one: a drive that something runs in can't be let go."""
    home = os.path.expanduser("~")  # noqa: PTH111 - never fails
    return home if os.path.isdir(home) else "/"  # noqa: PTH112
