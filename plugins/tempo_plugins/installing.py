"""Puts the files of a plugin where its program looks for them, and takes them away again."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tempo_edge._console.text import printable
from tempo_edge._extras import lacking
from tempo_edge._files import atomic_write
from tempo_edge.errors import MissingExtraError, TempoEdgeError

__all__ = ["File", "InstallReport", "Plugin", "install", "remove", "state"]


@dataclass(frozen=True)
class File:
    """A file of a plugin.

    Attributes:
        path, content: what is written where.
        needs_root: only the machine's owner may write there.
        own: the topmost folder that is the plugin's alone, and goes with it.
        is_program: others start it.
    """

    path: Path
    content: bytes
    needs_root: bool = False
    own: Path | None = None
    is_program: bool = False


@dataclass(frozen=True)
class Plugin:
    """A plugin that can be installed.

    Attributes:
        name: what it is called on the command line; ``program``: what it plugs into.
        files: gives its files, below another folder than the program's own if one is named.
        afterwards: what is left to do for the program to see it.
        needs: a module of an extra without which it can't run.
    """

    name: str
    program: str
    files: Callable[[Path | None], list[File]]
    afterwards: str
    needs: str | None = None


@dataclass(frozen=True)
class InstallReport:
    """What was done: the files written or removed, and the commands that need root."""

    files: tuple[Path, ...]
    as_root: tuple[str, ...]


def install(plugin: Plugin, *, root: Path | None = None, into: Path | None = None) -> InstallReport:
    """Write a plugin's files.

    Args:
        plugin: which.
        root: write the files that need root as well, below this folder (``/`` when run as root).
            Without it they are put aside, and the report says which command brings them there.
        into: folder that takes the place of the program's own.

    Raises:
        MissingExtraError: it could not run; nothing is written.
        TempoEdgeError: a file can't be written; those before it are.
    """
    if plugin.needs is not None and importlib.util.find_spec(plugin.needs) is None:
        raise MissingExtraError(f"plugin {plugin.name} can't run: {lacking(plugin.needs)}")
    written, commands = [], []
    for file in plugin.files(into):
        if file.needs_root and root is None:
            aside = _aside(plugin) / file.path.name
            written.append(_write(replace(file, path=aside)))
            words = ["sudo", "install", "-D", "-m", "644", str(aside), str(file.path)]
            commands.append(shlex.join(words))
        else:
            written.append(_write(_below(file, root)))
    return InstallReport(tuple(written), tuple(commands))


def remove(plugin: Plugin, *, root: Path | None = None, into: Path | None = None) -> InstallReport:
    """Remove a plugin's files, and the folders of its own that are empty then.

    Args are those of :func:`install`.

    Raises:
        TempoEdgeError: a file can't be removed; those before it are.
    """
    gone, commands = [], []
    for file in plugin.files(into):
        if file.needs_root and root is None:
            aside = File(_aside(plugin) / file.path.name, b"", own=_aside(plugin))
            if _remove(aside):
                gone.append(aside.path)
            if os.path.lexists(file.path):
                commands.append(shlex.join(["sudo", "rm", str(file.path)]))
        elif _remove(_below(file, root)):
            gone.append(_below(file, root).path)
    return InstallReport(tuple(gone), tuple(commands))


def state(plugin: Plugin) -> str:
    """``installed``, ``not installed``, or what is the matter in between.

    Files of another version, or of another Python, are ``outdated``.
    """
    try:
        files = plugin.files(None)
    except TempoEdgeError:
        return "not for this system"
    there = [file for file in files if file.path.is_file()]
    if not there:
        return "not installed"
    if len(there) < len(files):
        absent = next(file for file in files if file not in there)
        return f"incomplete: {printable(str(absent.path))} is not there"
    if any(file.path.read_bytes() != file.content for file in files):
        return "outdated: install it again"
    return "installed"


def _aside(plugin: Plugin) -> Path:
    """Where files wait for root to fetch them."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "plugins" / plugin.name


def _below(file: File, root: Path | None) -> File:
    if not file.needs_root or root is None:
        return file
    return replace(file, path=root.absolute() / file.path.relative_to(file.path.anchor))


def _write(file: File) -> Path:
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        # An icon takes the place of an earlier one: the name is the plugin's own.
        is_own = file.path.suffix == ".png"
        mode = 0o755 if file.is_program else None
        with atomic_write(file.path, mode=mode, own=is_own) as draft:
            draft.write_bytes(file.content)
    except OSError as error:
        place = printable(str(file.path))
        raise TempoEdgeError(f"{place} can't be written: {error.strerror}") from error
    return file.path


def _remove(file: File) -> bool:
    """Remove a file, and the folders of its own that hold nothing but compiled code then."""
    try:
        file.path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        place = printable(str(file.path))
        raise TempoEdgeError(f"{place} can't be removed: {error.strerror}") from error
    folder = file.path.parent
    while file.own is not None and folder.is_relative_to(file.own):
        with suppress(OSError):
            if {each.name for each in folder.iterdir()} <= {"__pycache__"}:
                shutil.rmtree(folder / "__pycache__", ignore_errors=True)
                folder.rmdir()
        folder = folder.parent
    return True
