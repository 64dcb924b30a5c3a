"""A library opened by its name: what the name begins with says what keeps it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tempo_edge.store.interface import Store

__all__ = ["STORES", "open_store"]

#: What keeps libraries whose names begin with ``scheme://``; a name without a scheme is a path.
STORES = {"": "tempo_edge.store.embedded.store:EmbeddedStore"}


def open_store(name: str | Path) -> Store:
    """The parts of a library, which need not exist yet; nothing of it is opened before it is used.

    Args:
        name: a path, or what a store of another scheme is reached by.
    """
    scheme, found, _ = str(name).partition("://")
    module, _, kind = STORES[scheme if found and scheme in STORES else ""].partition(":")
    store: Store = getattr(import_module(module), kind)(name)
    return store
