"""``tempo-edge serve``: the local service, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tempo_edge._console.text import emit
from tempo_edge.cli.options import ExcludeOption, LibraryOption, QuietOption, WordsOption
from tempo_edge.cli.values import place
from tempo_edge.errors import TempoEdgeError

__all__ = ["serve"]


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:6]) <= 65535):
        raise TempoEdgeError(f"port {text!r} must be a whole number within 0 and 65535")
    return int(text)


WatchOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--watch", metavar="DIR", parser=place, help="Folder to follow; may be given repeatedly."
    ),
]
SocketOption = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        metavar="PATH",
        parser=place,
        help="Unix socket; by default one that only you can use.",
    ),
]
PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="N",
        parser=_port,
        help="Listen on 127.0.0.1:N too; 0 takes any free port.",
    ),
]
OpenOption = Annotated[
    bool, typer.Option("--open", help="Open the page in your browser; implies a port.")
]
AddressOption = Annotated[
    bool,
    typer.Option(
        "--address",
        help="Print the address of the page of the service that runs, with its token, and end.",
    ),
]
ListenOption = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="ADDRESS[:PORT]",
        help="Let colleagues in there, over TLS, with tokens that tempo-edge users makes. "
        "Port 8443 unless named.",
    ),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option(
        "--certificate",
        metavar="FILE",
        parser=place,
        help="Certificate for --listen and its chain, as PEM.",
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", parser=place, help="Its private key, as PEM."),
]
AlwaysOption = Annotated[
    bool, typer.Option("--always", help="Index on battery and on a busy machine, too.")
]


def serve(
    watched: WatchOption = None,
    exclude: ExcludeOption = None,
    words: WordsOption = "subtitles",
    socket: SocketOption = None,
    port: PortOption = None,
    open: OpenOption = False,
    address: AddressOption = False,
    listen: ListenOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    always: AlwaysOption = False,
    library: LibraryOption = None,
    quiet: QuietOption = False,
) -> None:
    """Answer searches over HTTP and index in the background."""
    if address:
        from tempo_edge.service.browser import running_address

        emit(f"{running_address(socket, library)}\n")
        return
    from tempo_edge.service import serve as run
    from tempo_edge.store.place import default_library_path

    run(
        library or default_library_path(),
        socket=socket,
        port=port,
        watched=watched or [],
        exclude=exclude or [],
        always=always,
        quiet=quiet,
        open=open,
        words=words,
        listen=listen,
        certificate=certificate,
        key=key,
    )
