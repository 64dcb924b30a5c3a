"""Where the service's socket, its token and the notes of services that run lie."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["notes_path", "socket_path", "token_path"]


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
