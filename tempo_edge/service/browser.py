"""The page in the person's browser, and where it is."""

from __future__ import annotations

import html
import webbrowser
from contextlib import suppress
from pathlib import Path

from tempo_edge._console.text import note
from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError
from tempo_edge.service.client import ask_address, is_same
from tempo_edge.service.transport import places, token
from tempo_edge.service.transport.announcement import announced

__all__ = ["door_file", "forget_door", "open_running", "running_address", "show", "with_token"]


def with_token(address: str) -> str:
    """The address that signs a browser in."""
    return f"{address}?token={token.load(places.token_path())}"


def running_address(socket: Path | None, library: Path | None = None) -> str:
    """The address of the page of the service that runs, with its token.

    Args:
        socket: where that service listens. Without it that at the default socket is meant, or
            else the only one that its user runs.
        library: the library of that service; None for any.

    Raises:
        TempoEdgeError: none runs, more than one does, or it has no page.
    """
    place = socket or _place_of(library)
    said = ask_address(place)
    if said is None:
        raise TempoEdgeError(f"no service listens at {place}: tempo-edge serve --open starts one")
    if library is not None and not is_same(library, said["library"]):
        raise TempoEdgeError(
            f"the service at {place} is that of {said['library']}: name its --library"
        )
    if said["address"] is None:
        raise TempoEdgeError(f"the service at {place} has no page: start it with --port or --open")
    return with_token(said["address"])


def _place_of(library: Path | None) -> Path:
    """The socket of the service that is meant where none is named."""
    default, others = places.socket_path(), list(announced(library))
    if not others or default in others or (library is None and ask_address(default) is not None):
        return default
    if len(others) > 1:
        raise TempoEdgeError(f"{len(others)} services run: name one by its --library")
    return others[0]


def open_running(library: Path, socket: Path) -> bool:
    """Open the page of a service that runs already; False if there is none for this library."""
    said = ask_address(socket)
    if said is None or said["address"] is None or not is_same(library, said["library"]):
        return False
    note(f"a service runs already: its page is {said['address']}")
    show(with_token(said["address"]), door_file(socket))
    return True


def door_file(socket: Path | None) -> Path:
    """The file that leads a browser to the page of the service that listens at a socket."""
    place = socket or places.socket_path()
    return place.with_name(f"{place.name}.html")


def forget_door(socket: Path | None) -> None:
    """Take that file away, if there is one."""
    with suppress(OSError):
        door_file(socket).unlink(missing_ok=True)


def show(address: str, file: Path) -> None:
    """Open an address that holds the token in the person's browser.

    What a program is called with can be read by everyone on the machine. So the browser is given a
    file that only its user can read, which leads on to the address.
    """
    target = html.escape(address)
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>tempo-edge</title>"
        f'<meta http-equiv=refresh content="0; url={target}">'
        f'<p><a href="{target}">To tempo-edge</a></html>\n'
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_write(file, mode=0o600) as draft:
            draft.write_text(page, encoding="utf-8")
        opened = webbrowser.open(file.as_uri())
    except (OSError, webbrowser.Error) as error:
        note(f"no browser can be opened ({error}): tempo-edge serve --address prints the address")
        return
    if not opened:
        note("there is no browser to open: tempo-edge serve --address prints the address")
