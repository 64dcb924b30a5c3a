"""Settings of a training run, from one YAML file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from tempo_edge.train.data.archives import DataError

T = TypeVar("T")


def read_settings(path: Path, kind: type[T]) -> T:
    """An instance of the dataclass `kind` with the file's values; what it leaves out keeps its own.

    A field that is a dataclass itself is a section of the file. Raises DataError naming the file
    and the setting that is unknown, of the wrong type or impossible.
    """
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} is not readable YAML: {' '.join(str(error).split())}") from error
    if found is None:
        found = {}
    if not isinstance(found, dict):
        raise DataError(f"{path} must hold settings, not a {type(found).__name__}")
    return _build(path, "", kind, found)


def choose_settings(
    path: Path | None, kind: type[T], seed: int | None, default: T | None = None
) -> T:
    """The settings of a file, with another seed if given.

    Without a file they are the `default`, or the dataclass's own.

    Raises:
        DataError: as :func:`read_settings`, or the seed can't be one.
    """
    plain = kind() if default is None else default
    chosen = plain if path is None else read_settings(path, kind)
    changes = {} if seed is None else {"seed": seed}
    try:
        return dataclasses.replace(chosen, **changes)  # type: ignore[type-var]
    except ValueError as error:
        raise DataError(str(error)) from error


def _build(path: Path, section: str, kind: type[T], found: dict[str, Any]) -> T:
    assert dataclasses.is_dataclass(kind)
    plain = kind()
    known = {field.name: getattr(plain, field.name) for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in found.items():
        full = f"{section}{name}"
        if name not in known:
            raise DataError(f"{path}: setting {full!r} must be one of {', '.join(known)}")
        values[name] = _value(path, full, known[name], value)
    try:
        return kind(**values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _value(path: Path, name: str, plain: Any, value: Any) -> Any:
    """`value` as what the setting's own value is; a whole number may stand for a real one."""
    if dataclasses.is_dataclass(plain):
        if not isinstance(value, dict):
            raise DataError(f"{path}: {name} must be a section")
        return _build(path, f"{name}.", type(plain), value)
    if isinstance(plain, tuple) and isinstance(value, list):
        return _row(path, name, plain, value)
    if isinstance(plain, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(plain):
        kind = type(plain).__name__
        raise DataError(f"{path}: {name} {value!r} must be a {kind}")
    return value


def _row(path: Path, name: str, plain: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    """A list of names, which may be of any length but 0, or as many numbers as `plain` has."""
    names = isinstance(plain[0], str)
    if not value or (not names and len(value) != len(plain)):
        wanted = "at least 1 name" if names else f"{len(plain)} numbers"
        raise DataError(f"{path}: {name} {value!r} must be {wanted}")
    return tuple(_value(path, name, plain[0], each) for each in value)
