"""Where the service's socket, its tokens, its log and the notes of services that run lie."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tempo_edge.store.opening import real_name

__all__ = ["audit_path", "notes_path", "of_library", "socket_path", "token_path", "users_path"]


def socket_path() -> Path:
    """The socket when none is named: in ``$XDG_RUNTIME_DIR``, or else in the user's cache."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "tempo-edge" / "service.sock"
    from platformdirs import user_cache_path

    return user_cache_path("tempo-edge") / "service.sock"


def token_path() -> Path:
    """The file with the token that requests over TCP have to name."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "token"


def notes_path() -> Path:
    """The folder of the notes that tell where services listen."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "services"


def users_path(library: Path) -> Path:
    """The file of the colleagues who may ask a service of a library."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "users" / f"{of_library(library)}.json"


def audit_path(library: Path) -> Path:
    """The newest file of what colleagues have asked a service of a library."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "audit" / f"{of_library(library)}.jsonl"


def of_library(library: Path) -> str:
    """The name of a library in names of files, the same by whatever path it is called."""
    return hashlib.sha256(os.fsencode(real_name(library))).hexdigest()[:32]
