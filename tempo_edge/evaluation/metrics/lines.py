"""Lines of a text file, gzipped or not, with errors that say where."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, text without its end) of the lines that are not blank.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not UTF-8, or not gzip though its name ends in ``.gz``.
    """
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        try:
            for at, line in enumerate(stream, start=1):
                if text := line.decode("utf-8").strip():
                    yield at, text
        except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: {error}") from error


def read_json_lines(path: Path, parse: Callable[[dict[str, Any]], T]) -> list[T]:
    """The values that `parse` makes of the JSON object on each line.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is no JSON object or lacks a field, or `parse` refuses it; the text
            begins with the file and the line.
    """
    rows = []
    for at, text in read_lines(path):
        try:
            facts = json.loads(text)
            if not isinstance(facts, dict):
                raise ValueError(f"{text[:40]} must be a JSON object")
            rows.append(parse(facts))
        except KeyError as error:
            raise ValueError(f"{path}:{at}: field {error} is missing") from error
        except ValueError as error:
            raise ValueError(f"{path}:{at}: {error}") from error
    return rows


def listed(facts: Mapping[str, Any], field: str) -> list[Any]:
    """The list under a field.

    Raises:
        KeyError: there is no such field.
        ValueError: it holds something else.
    """
    value = facts[field]
    if not isinstance(value, list):
        raise ValueError(f"{field} {str(value)[:40]} must be a list")
    return value


def numbers(field: str, values: object, count: int) -> list[float]:
    """So many numbers.

    Raises:
        ValueError: `values` is no list of `count` numbers.
    """
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{field} {str(values)[:40]} must be a list of {count} numbers")
    return [number(field, value) for value in values]


def number(field: str, value: object) -> float:
    """One number.

    Raises:
        ValueError: `value` is something else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{field} {str(value)[:40]} must be a number")
    return float(value)
