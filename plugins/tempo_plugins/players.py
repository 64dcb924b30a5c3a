"""Scripts for players: put where mpv and VLC look for them, and taken away again.

>>> from tempo_plugins import players
>>> players.install("mpv")                                # doctest: +SKIP
[PosixPath('/home/me/.config/mpv/scripts/tempo-edge.lua')]
"""

from __future__ import annotations

import os
from pathlib import Path

from tempo_edge.errors import TempoEdgeError

__all__ = ["PLAYERS", "install", "installed", "remove"]

PLAYERS = ("mpv", "vlc")

_SCRIPT = "tempo-edge.lua"

# How every version of a script begins, so that no other file is touched.
_BEGINNING = b"-- tempo-edge: "


def install(name: str) -> list[Path]:
    """Put a player's script where it looks for scripts. An older one is replaced.

    Args:
        name: one of :data:`PLAYERS`.

    Returns:
        The files written.

    Raises:
        TempoEdgeError: there is no such player, a file of that name is not ours, or the folder
            can't be written to.
    """
    place = _place(name)
    _check_ours(place)
    content = _script(name).read_bytes()
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise TempoEdgeError(f"{place} can't be written: {error.strerror}") from error
    return [place]


def remove(name: str) -> list[Path]:
    """Take a player's script away; that it is not there is no error.

    Returns:
        The files removed.

    Raises:
        TempoEdgeError: there is no such player, the file is not ours, or can't be removed.
    """
    places = installed(name)
    for place in places:
        _check_ours(place)
        try:
            place.unlink()
        except OSError as error:
            raise TempoEdgeError(f"{place} can't be removed: {error.strerror}") from error
    return places


def installed(name: str) -> list[Path]:
    """The files of a player's script that are there.

    Raises:
        TempoEdgeError: there is no such player.
    """
    place = _place(name)
    return [place] if place.is_file() else []


def _place(name: str) -> Path:
    if name == "mpv":
        return _mpv_home() / "scripts" / _SCRIPT
    if name == "vlc":
        return _base("XDG_DATA_HOME", ".local/share") / "vlc" / "lua" / "extensions" / _SCRIPT
    raise TempoEdgeError(f"player {name!r} must be one of {', '.join(PLAYERS)}")


def _mpv_home() -> Path:
    named = os.environ.get("MPV_HOME")
    return Path(named) if named else _base("XDG_CONFIG_HOME", ".config") / "mpv"


def _base(variable: str, fallback: str) -> Path:
    """A folder of the XDG base directory specification, which leaves relative ones out."""
    named = os.environ.get(variable, "")
    return Path(named) if named.startswith("/") else Path.home() / fallback


def _script(name: str) -> Path:
    here = Path(__file__).resolve().parent
    packaged = here / name / _SCRIPT
    # In a checkout the scripts lie beside the package.
    return packaged if packaged.is_file() else here.parent / name / _SCRIPT


def _check_ours(place: Path) -> None:
    try:
        with place.open("rb") as file:
            ours = file.read(len(_BEGINNING)) == _BEGINNING
    except FileNotFoundError:
        return
    except OSError as error:
        raise TempoEdgeError(f"{place} can't be read: {error.strerror}") from error
    if not ours:
        raise TempoEdgeError(f"{place} is not tempo-edge's: move it away first")
