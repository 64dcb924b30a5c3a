"""The service: one process that holds the models and the library, and answers over HTTP.

It listens on a Unix socket of its user, and only when asked to on the loopback address as well, or
where colleagues reach it: there with TLS, and to those who have a token of their own.
Indexing goes on in a child process, so that it neither slows an answer nor takes it down.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tempo_edge._extras import lacking
from tempo_edge._files.absolute import absolute
from tempo_edge.errors import MissingExtraError, TempoEdgeError
from tempo_edge.store.opening import is_path

__all__ = ["serve"]


def serve(
    library: Path,
    *,
    socket: Path | None = None,
    port: int | None = None,
    watched: list[Path] | None = None,
    exclude: Iterable[str] = (),
    always: bool = False,
    quiet: bool = False,
    open: bool = False,
    words: str = "subtitles",
    listen: str | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve a library until told to end by SIGINT or SIGTERM.

    Args:
        library: the database file, which need not be there yet.
        socket: the Unix socket to listen on; by default one that only the user can connect to.
        port: on the loopback address as well; None for not at all, 0 for any free one.
        watched: folders to follow.
        exclude: patterns of what is left out of them, and of whatever else is indexed.
        always: index on battery and on a busy machine too.
        quiet: no line for every file that was indexed.
        open: open the page in the person's browser, on any free port where none is named; where a
            service of this library runs already, its page, and that is all.
        words: which words to read, of :data:`tempo_edge.indexing.word_choice.WORDS`.
        listen: ``ADDRESS[:PORT]`` where colleagues come in, over TLS and with tokens of their own;
            None for nowhere.
        certificate: the file of the certificate for that, as PEM; ``key``: of its key.

    Raises:
        MissingExtraError: the ``serve`` extra is not installed, or what reads these words.
        TempoEdgeError: it can't listen there, a folder to watch is none, a pattern matches
            nothing, there are no such words, or what colleagues need to come in is missing.
    """
    if listen is None and (certificate or key) is not None:
        raise TempoEdgeError("--certificate and --key are for --listen ADDRESS: name that, too")
    try:
        from tempo_edge.service.process import Settings, serve
        from tempo_edge.service.transport.listening import listening_of
    except ImportError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise MissingExtraError(lacking(error.name)) from error
    serve(
        Settings(
            absolute(library) if is_path(library) else library,
            None if socket is None else absolute(socket),
            0 if open and port is None else port,
            [absolute(folder) for folder in watched or []],
            list(exclude),
            always,
            quiet,
            open,
            words,
            None if listen is None else listening_of(listen, certificate, key),
        )
    )
