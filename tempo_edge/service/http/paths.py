"""Paths that requests name: from the root or the user's home, and such as a file can have."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tempo_edge._files.spelling import is_inside, spelled
from tempo_edge.errors import ServiceError

__all__ = ["check_within", "is_there", "path_from"]

# Longest path that Linux takes, in bytes, without the NUL at its end.
_LONGEST = 4095


def path_from(text: str, name: str) -> Path:
    """The path that a text from outside stands for; ``~`` is the home of who runs the service.

    Args:
        name: what the text is called in a refusal.

    Raises:
        ServiceError: it is no path from the root; status 400.
    """
    expanded = str(Path.home() / text[2:]) if text == "~" or text.startswith("~/") else text
    if not Path(expanded).is_absolute() or "\0" in expanded:
        wanted = "a path from the root, as /home/me, or from your home, as ~/Videos"
        raise ServiceError(400, f"{name} {text!r} must be {wanted}")
    try:
        size = len(expanded.encode())
    except UnicodeEncodeError:
        raise ServiceError(400, f"{name} {text!r} is not valid UTF-8") from None
    if size > _LONGEST:
        raise ServiceError(400, f"{name} has {size} bytes: {_LONGEST} are allowed")
    return Path(expanded)


def is_there(path: str | Path) -> bool:
    """Whether there is something; what can't be looked at is not there."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists fails where a name is too long


def check_within(paths: Sequence[str], folders: Sequence[Path]) -> None:
    """Refuse a path that lies in none of some folders, links followed; nothing is told of it else.

    Raises:
        ServiceError: one does not; status 403.
    """
    roots = [spelled(os.path.realpath(folder)) for folder in folders]
    for path in paths:
        real = spelled(os.path.realpath(path))
        if not any(is_inside(real, root) for root in roots):
            raise ServiceError(
                403, f"{path} is in no folder that the service follows: this needs admin"
            )
