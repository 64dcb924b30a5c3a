"""Scripts for players, installed as any other plugin: see :mod:`tempo_plugins.installing`."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from tempo_edge.errors import TempoEdgeError
from tempo_plugins.installing import File, Plugin

__all__ = ["PLAYER_PLUGINS"]

_SCRIPT = "tempo-edge.lua"

# How every version of a script begins, so that no other file is touched.
_BEGINNING = b"-- tempo-edge: "


def _files(name: str, into: Path | None) -> list[File]:
    """The script of a player.

    Raises:
        TempoEdgeError: a file of that name is there which is not ours, or can't be read.
    """
    place = _place(name) if into is None else into / _SCRIPT
    _check_ours(place)
    return [File(place, _script(name).read_bytes())]


def _place(name: str) -> Path:
    if name == "mpv":
        return _mpv_home() / "scripts" / _SCRIPT
    return _base("XDG_DATA_HOME", ".local/share") / "vlc" / "lua" / "extensions" / _SCRIPT


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


PLAYER_PLUGINS = (
    Plugin(
        "mpv",
        "mpv",
        functools.partial(_files, "mpv"),
        "mpv reads it when it starts: Ctrl+f searches inside the film that plays.",
    ),
    Plugin(
        "vlc",
        "VLC 3",
        functools.partial(_files, "vlc"),
        "VLC reads it when it starts: View, tempo-edge.",
    ),
)
