"""A library opened by its name: what the name begins with says what keeps it."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempo_edge.store.interface import Store

__all__ = ["STORES", "is_path", "open_store", "real_name"]

#: What keeps libraries whose names begin with ``scheme://``; a name without a scheme is a path.
STORES = {
    "": "tempo_edge.store.embedded.store:EmbeddedStore",
    "postgresql": "tempo_edge.store.postgres.store:PostgresStore",
}

# A name of a scheme that has been a path for a while has but one slash left.
_NAME = re.compile(r"([a-z][a-z0-9+.-]*):/+(.*)", re.DOTALL)


def open_store(name: str | Path) -> Store:
    """The parts of a library, which need not exist yet; nothing of it is opened before it is used.

    Args:
        name: a path, or ``scheme://`` of :data:`STORES` and what its store reaches the library by,
            which begins with no slash.
    """
    scheme, whole = _parted(name)
    module, _, kind = STORES[scheme].partition(":")
    store: Store = getattr(import_module(module), kind)(whole)
    return store


def is_path(name: str | Path) -> bool:
    """Whether a library's name is a path, which counts from the folder that one is in."""
    return not _parted(name)[0]


def real_name(name: str | Path) -> str:
    """The one name of a library that may go by several: links are followed, where it is a path."""
    scheme, whole = _parted(name)
    return str(whole) if scheme else os.path.realpath(whole)


def _parted(name: str | Path) -> tuple[str, str | Path]:
    """The scheme of a name, or nothing, and the name with both of its slashes."""
    named = _NAME.fullmatch(str(name))
    if named is None or named[1] not in STORES:
        return "", name
    return named[1], f"{named[1]}://{named[2]}"
