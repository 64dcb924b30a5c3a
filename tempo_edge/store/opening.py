"""A library opened by its name: what the name begins with says what keeps it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempo_edge.store.interface import Store

__all__ = ["STORES", "open_store"]

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
    named = _NAME.fullmatch(str(name))
    scheme = named[1] if named and named[1] in STORES else ""
    module, _, kind = STORES[scheme].partition(":")
    store: Store = getattr(import_module(module), kind)(
        f"{scheme}://{named[2]}" if named and scheme else name
    )
    return store
