"""The values of options and arguments: what is typed, read or refused under the option's name."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["WrongValueError", "number", "place", "seconds", "whole_number"]


class WrongValueError(typer.BadParameter):
    """What was typed is no value of its option; which option that is, the command line knows."""

    def format_message(self) -> str:
        parameter = self.param
        if parameter is None:
            return str(self.message)
        is_option = parameter.param_type_name == "option"
        name = max(parameter.opts, key=len) if is_option else str(parameter.metavar).strip(".[]")
        return f"{name} {self.message}"


def place(text: str) -> Path:
    """A file or a folder.

    What a script left empty is none: elsewhere that would be the folder one happens to be in.

    Raises:
        WrongValueError: it is empty.
    """
    if not text:
        raise WrongValueError("'' is empty: name a file or a folder")
    return Path(text)


def number(text: str) -> float:
    """A number.

    Raises:
        WrongValueError: it is none.
    """
    try:
        return float(text)
    except ValueError:
        raise WrongValueError(f"{text!r} must be a number, such as 0.5") from None


def whole_number(text: str) -> int:
    """A whole number; whether it is one that is allowed, whoever takes it says.

    Raises:
        WrongValueError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise WrongValueError(f"{text[:40]!r} must be a whole number, at least 1") from None


def seconds(text: str) -> float:
    """A time in seconds: ``30``, ``30s``, ``1m30s``, ``2h`` or ``1:30``.

    Raises:
        WrongValueError: it is none.
    """
    from tempo_edge.durations import duration

    try:
        return duration(text)
    except ValueError as error:
        raise WrongValueError(str(error)) from None
