"""A checkpoint as command lines name it, for a row of a table."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["named_checkpoint"]


def named_checkpoint(text: str) -> tuple[str, Path]:
    """The name and the file of ``NAME=FILE``.

    Raises:
        ArgumentTypeError: it is nothing of that kind, or there is no such file.
    """
    name, mark, file = text.partition("=")
    if not mark or not Path(file).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=FILE with a checkpoint")
    return name, Path(file)
