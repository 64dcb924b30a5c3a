"""A video in the person's own player, on the machine that the service runs on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tempo_edge import player
from tempo_edge._system.mpv import find_mpv, has_screen
from tempo_edge.errors import ServiceError

__all__ = ["can_play", "play"]

# How long a player that can't open its window takes to say so.
_EARLY_SECONDS = 0.5


def can_play() -> bool:
    """Whether there is mpv, and a screen for its window."""
    return has_screen() and find_mpv() is not None


def play(source: Path, seconds: float) -> None:
    """Open mpv on a video at an instant; it goes on when the service ends.

    Raises:
        ServiceError: there is no mpv or no screen here, or it ended at once; status 501.
    """
    if not can_play():
        raise ServiceError(501, "nothing can be played here: there is no mpv, or no screen")
    process = player.play(source, seconds)
    try:
        status = process.wait(_EARLY_SECONDS)
    except subprocess.TimeoutExpired:
        return
    if status:
        raise ServiceError(501, f"mpv could not play {source}: it ended with status {status}")
