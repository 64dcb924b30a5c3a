"""The service: one process that holds the models and the library, and answers over HTTP.

It listens on a Unix socket of its user, and only when asked to on the loopback address as well.
Indexing goes on in a child process, so that it neither slows an answer nor takes it down.
"""

from __future__ import annotations

import os
from pathlib import Path

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError

__all__ = ["serve"]


def serve(
    library: Path,
    *,
    socket: Path | None = None,
    port: int | None = None,
    watched: list[Path] | None = None,
    always: bool = False,
    quiet: bool = False,
) -> None:
    """Serve a library until told to end by SIGINT or SIGTERM.

    Args:
        library: the database file, which need not be there yet.
        socket: the Unix socket to listen on; by default one that only the user can connect to.
        port: on the loopback address as well; None for not at all, 0 for any free one.
        watched: folders to follow.
        always: index on battery and on a busy machine too.
        quiet: no line for every file that was indexed.

    Raises:
        MissingExtraError: the ``serve`` extra is not installed.
        TempoEdgeError: it can't listen there, or a folder to watch is none.
    """
    try:
        from tempo_edge.service.run import Settings, serve
    except ImportError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise MissingExtraError(lacking(error.name)) from error
    serve(
        Settings(
            _absolute(library),
            None if socket is None else _absolute(socket),
            port,
            [_absolute(folder) for folder in watched or []],
            always,
            quiet,
        )
    )


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - links stay as they are
