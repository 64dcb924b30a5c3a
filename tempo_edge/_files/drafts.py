"""Drafts: files and folders under a hidden name, beside the place that they are to take.

A draft's writer holds a lock on it: a draft without one was left by a process that was killed, and
goes with the next one in that folder. Windows moves no file that is open and opens no folder; there
the lock is that of a file beside the draft, which goes with it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tempo_edge._files.descriptor_lock import lock_descriptor
from tempo_edge._files.opening import FOR_MAKING, open_carefully, open_lock

__all__ = [
    "LOCKS_ASIDE",
    "former_of",
    "held_draft",
    "make_file",
    "make_folder",
    "recover",
    "sweep",
]

#: Whether drafts are locked by a file beside them.
LOCKS_ASIDE = sys.platform == "win32"

# The end of every draft's name, and of what a lock beside it has behind that.
_DRAFT = re.compile(r"\..*\.[0-9a-f]{16}\.tempo-draft", re.DOTALL)
_LOCK = "-lock"

# Where a folder lies that another takes the place of, on file systems that can't exchange two.
_FORMER = ".tempo-former"

# How often a draft may be swept as it is made.
_MOST_REFUSED = 100


@contextmanager
def held_draft(
    path: Path, make: Callable[[Path], int | None], *, aside: bool | None = None
) -> Iterator[tuple[Path, int]]:
    """A new draft for a place, and a descriptor whose lock says that its writer is alive.

    Another process may find the draft before it is locked, and take its writer for dead: then
    another one is made. Where a file system has no locks, nobody sweeps.

    Args:
        make: makes it, and opens it where that can be done.
        aside: whether its lock is that of a file beside it; by default as the system needs it.

    Raises:
        OSError: it can't be made.
    """
    if LOCKS_ASIDE if aside is None else aside:
        draft, held = _held(path, lambda draft: open_lock(_lock_of(draft)), _lock_of)
        try:
            made = make(draft)
            if made is not None:
                os.close(made)
            yield draft, held
        finally:
            os.close(held)
            with suppress(OSError):
                _lock_of(draft).unlink(missing_ok=True)
        return
    draft, held = _held(path, make, lambda draft: draft)
    try:
        yield draft, held
    finally:
        os.close(held)


def make_file(draft: Path, mode: int) -> int:
    """A new file that is open.

    Raises:
        OSError: it can't be made.
    """
    return open_carefully(draft, FOR_MAKING, mode, waiting=True)


def make_folder(draft: Path) -> int | None:
    """A new folder that is open, where folders can be.

    Raises:
        OSError: it can't be made.
    """
    draft.mkdir()
    if sys.platform == "win32":
        return None
    else:
        return open_carefully(draft, os.O_RDONLY | os.O_DIRECTORY, waiting=True)


def _draft_of(path: Path) -> Path:
    # So many letters fit into a name whatever their alphabet.
    return path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}.tempo-draft")


def _lock_of(draft: Path) -> Path:
    return draft.with_name(draft.name + _LOCK)


def _held(
    path: Path, make: Callable[[Path], int | None], locked: Callable[[Path], Path]
) -> tuple[Path, int]:
    """A new draft's name and the locked descriptor of what is locked for it.

    Raises:
        OSError: it can't be made.
    """
    refused = 0
    while True:
        draft = _draft_of(path)
        try:
            held = make(draft)
        except FileNotFoundError:
            refused += 1
            # A folder may be swept before it is opened; some, as those of /proc, take no file ever.
            if path.parent.is_dir() and refused < _MOST_REFUSED:
                continue
            raise
        assert held is not None
        try:
            _lock(held)
            if os.path.lexists(locked(draft)):
                return draft, held
        except BlockingIOError:
            pass  # it is being swept right now
        except BaseException:
            os.close(held)
            raise
        os.close(held)


def _lock(descriptor: int) -> None:
    """Lock a draft.

    Raises:
        BlockingIOError: another process has done so.
    """
    try:
        lock_descriptor(descriptor)
    except BlockingIOError:
        raise
    except OSError:
        return  # a file system without locks


def sweep(folder: Path) -> None:
    """Remove the drafts whose writers are dead, and bring back a folder that lost its place."""
    with suppress(OSError), os.scandir(folder) as scan:
        for entry in scan:
            if _DRAFT.fullmatch(entry.name.removesuffix(_LOCK)):
                with suppress(OSError):
                    _sweep_one(Path(entry.path.removesuffix(_LOCK)))
            elif entry.name.startswith(".") and entry.name.endswith(_FORMER):
                with suppress(OSError):
                    former = Path(entry.path)
                    recover(former, former.with_name(entry.name[1 : -len(_FORMER)]))


def _sweep_one(draft: Path) -> None:
    """Remove a draft and the lock beside it, where there is one."""
    aside = _lock_of(draft)
    by_lock = os.path.lexists(aside)
    if LOCKS_ASIDE and not by_lock:
        return  # another system's, on a share: nothing here tells whether its writer is alive
    # Windows locks nothing that is open for reading alone.
    held = open_carefully(*((aside, os.O_RDWR) if by_lock else (draft,)), links=False)
    try:
        lock_descriptor(held)
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=by_lock)
    finally:
        os.close(held)
    if by_lock:
        aside.unlink(missing_ok=True)


def former_of(place: Path) -> Path:
    """Where a folder lies while another takes its place."""
    return place.with_name(f".{place.name}{_FORMER}")


def recover(former: Path, place: Path) -> None:
    """End what a process that was killed had begun: the former folder comes back, or goes."""
    if not former.is_dir():
        return
    if place.exists():
        shutil.rmtree(former)
    else:
        former.replace(place)
