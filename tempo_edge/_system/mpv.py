"""mpv, the player: where it lies, and whether there is a screen for its window."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["HOW_TO_INSTALL", "find_mpv", "has_screen", "usual_places"]

#: What to type where it is missing.
HOW_TO_INSTALL = {"darwin": "brew install mpv", "win32": "winget install mpv"}.get(
    sys.platform, "apt install mpv"
)

# Programs that are started from a desktop on macOS know nothing of what a shell has on its path,
# and installers on Windows leave the path as it is.
_MACOS = (
    "/opt/homebrew/bin/mpv",
    "/usr/local/bin/mpv",
    "/opt/local/bin/mpv",
    "/Applications/mpv.app/Contents/MacOS/mpv",
    "~/Applications/mpv.app/Contents/MacOS/mpv",
)
_WINDOWS = (
    ("LOCALAPPDATA", "Microsoft/WinGet/Links/mpv.exe"),
    ("LOCALAPPDATA", "Programs/mpv/mpv.exe"),
    ("USERPROFILE", "scoop/apps/mpv/current/mpv.exe"),
    ("ProgramData", "chocolatey/bin/mpv.exe"),
    ("ProgramFiles", "mpv/mpv.exe"),
    ("ProgramFiles", "MPV Player/mpv.exe"),
    ("ProgramFiles(x86)", "mpv/mpv.exe"),
)


def find_mpv(
    platform: str = sys.platform, environment: Mapping[str, str] | None = None
) -> str | None:
    """The player on the path or, where it isn't, at one of a platform's usual places.

    Args:
        platform: as ``sys.platform``.
        environment: has the path, the folders of Windows, and the home of macOS; by default it is
            that of this process.
    """
    path = () if environment is None else (os.X_OK, environment.get("PATH"))
    found = shutil.which("mpv", *path)
    if found is not None:
        return found
    environment = os.environ if environment is None else environment
    return next(
        (str(each) for each in usual_places(platform, environment) if os.access(each, os.X_OK)),
        None,
    )


def usual_places(platform: str, environment: Mapping[str, str]) -> list[Path]:
    """Where it lies on a platform if it isn't on the path, the likeliest first; none on Linux."""
    if platform == "darwin":
        home = environment.get("HOME", "/nowhere")
        return [Path(each.replace("~", home, 1)) for each in _MACOS]
    if platform == "win32":
        return [
            Path(environment[variable], rest)
            for variable, rest in _WINDOWS
            if environment.get(variable)
        ]
    return []


def has_screen(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a window can be opened: on Linux by what a session says, elsewhere always."""
    if platform in ("darwin", "win32"):
        return True
    return bool(environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY"))
