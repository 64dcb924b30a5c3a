"""Opens a moment: in mpv at its second or, without mpv, the whole video in the user's player."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread

from tempo_edge._console.text import printable
from tempo_edge._system.groups import APART
from tempo_edge._system.mpv import find_mpv
from tempo_edge.errors import TempoEdgeError
from tempo_edge.moment import Moment

__all__ = ["open_file", "play", "show_folder"]


def play(moment: Moment) -> None:
    """Open a moment; it does not wait for the player.

    Raises:
        TempoEdgeError: the file is offline, or nothing can open it.
    """
    path = moment.path
    if not path.exists():
        raise TempoEdgeError(f"{printable(str(path))} is offline: is its volume mounted?")
    player = find_mpv()
    if player is None:
        open_file(path)
        return
    options = ["--really-quiet", "--force-window=yes", f"--start={moment.cue_seconds:.3f}"]
    _start([player, *options, "--", str(path)])


def show_folder(moment: Moment) -> None:
    """Open the folder that holds a moment's video.

    Raises:
        TempoEdgeError: the folder is offline, or nothing can open it.
    """
    folder = moment.path.parent
    if not folder.is_dir():
        raise TempoEdgeError(f"{printable(str(folder))} is offline: is its volume mounted?")
    open_file(folder)


def open_file(path: Path) -> None:
    """Open a file or a folder, by its absolute path, in the program that the user chose for it.

    Raises:
        TempoEdgeError: there is no way to do so.
    """
    if sys.platform == "win32":
        os.startfile(path)
    else:
        opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
        if opener is None:
            raise TempoEdgeError("neither mpv nor xdg-open is installed: install mpv")
        _start([opener, str(path)])


def _start(command: list[str]) -> None:
    """Start a program that outlives this one. Its arguments are passed as they are, to no shell."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **APART,
    )
    # A service that lives on must not keep its ended children around.
    Thread(target=process.wait, daemon=True).start()
