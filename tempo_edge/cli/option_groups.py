"""Options that several commands share, spelled once: a dataclass whose fields are the options."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints

__all__ = ["with_groups"]


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """A command as typer takes it: each parameter of a dataclass type gives way to its fields.

    The fields stand where the parameter stood, and the command is called with the dataclass made
    of them.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type[Any]] = {}
    parameters: list[Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if dataclasses.is_dataclass(hints[name]):
            groups[name] = hints[name]
            parameters += _fields(hints[name])
        else:
            kind, hint = Parameter.KEYWORD_ONLY, hints[name]
            parameters.append(parameter.replace(kind=kind, annotation=hint))

    @wraps(command)
    def called(**options: Any) -> None:
        made = {
            name: group(**{field.name: options.pop(field.name) for field in _fields(group)})
            for name, group in groups.items()
        }
        command(**made, **options)

    del called.__dict__["__wrapped__"]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def _fields(group: type[Any]) -> Iterator[Parameter]:
    """The fields of a dataclass as parameters, with their defaults."""
    hints = get_type_hints(group, include_extras=True)
    for field in dataclasses.fields(group):
        absent = field.default is dataclasses.MISSING
        yield Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if absent else field.default,
            annotation=hints[field.name],
        )
