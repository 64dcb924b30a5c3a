"""Files and folders that come to lie in their place whole or not at all.

What is to become a file or a folder is written beside its place, under a hidden name that nobody
takes for it (see :mod:`tempo_edge._files.drafts`), brought onto the disk, and then renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from tempo_edge._files.drafts import (
    former_of,
    held_draft,
    make_file,
    make_folder,
    recover,
    sweep,
)
from tempo_edge._files.opening import FOR_SYNCING, open_carefully
from tempo_edge._files.overwriting import check_folder, check_overwriting
from tempo_edge._files.ownership import set_mode

__all__ = [
    "atomic_dir",
    "atomic_write",
    "clear",
    "draft_beside",
    "draft_folder",
    "make_private",
    "publish",
    "take_place",
]

# What file systems answer that know no hard links, or no renaming of that kind.
_CAN_NOT = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK})

# Of renameat2(2), and for "relative to the working folder".
_EXCHANGE, _HERE = 2, -100


@contextmanager
def atomic_write(
    path: Path,
    *,
    mode: int | None = None,
    new_mode: int | None = None,
    replace: bool = True,
    own: bool = False,
) -> Iterator[Path]:
    """Where to write what is to become the file ``path``, once the block ends well.

    A pipe or a device is written to, not replaced: of those it is the path itself. So it is of a
    folder, which can't be opened for writing. Of a link it is the file that the link leads to.

    Args:
        path: the file; its folder is there.
        mode: permissions; by default those of the file that is replaced, or ``new_mode``.
        new_mode: permissions where no file was; by default what the umask allows.
        replace: whether a file that is there is replaced.
        own: what is there is known to be of the caller's own making, and may be footage.

    Raises:
        FootageError: what is there is footage, or a library.
        FileExistsError: it is there, and ``replace`` is false.
        OSError: it can't be written. What was there is there still, and the draft is gone.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = Path(os.path.realpath(path))
    if replace and not own:
        check_overwriting(target)
    with draft_beside(target, mode=mode, new_mode=new_mode) as draft:
        yield draft
        publish(draft, target, replace=replace)


@contextmanager
def atomic_dir(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A new folder to be filled, which becomes the folder ``path`` once the block ends well.

    Folders above it are made if need be.

    Raises:
        FootageError: there is footage in the folder that is to be replaced.
        FileExistsError: ``path`` is there, and ``replace`` is false.
        OSError: it can't be written. What was there is there still, and the draft is gone.
    """
    if not replace and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    check_folder(path)
    with draft_folder(path) as draft:
        yield draft
        take_place(draft, path)


@contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """A new folder beside ``path``, for :func:`take_place`; gone at the end otherwise.

    Folders above it are made if need be.

    Raises:
        OSError: it can't be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    with held_draft(path, make_folder) as (draft, _):
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def draft_beside(
    path: Path, *, mode: int | None = None, new_mode: int | None = None
) -> Iterator[Path]:
    """An empty file in the folder of ``path``, for :func:`publish`; gone at the end otherwise.

    Args:
        mode: permissions; by default those of ``path``, or ``new_mode``.
        new_mode: permissions where ``path`` is no file; by default what the umask allows.

    Raises:
        OSError: it can't be made.
    """
    sweep(path.parent)
    at_first = next((each for each in (mode, new_mode) if each is not None), 0o666)
    with held_draft(path, partial(make_file, mode=at_first)) as (draft, held):
        try:
            with suppress(OSError):  # nothing there, or a file system without permissions
                set_mode(held, path.stat().st_mode & 0o777 if mode is None else mode)
            yield draft
        finally:
            with suppress(OSError):  # a disk that can't be written to has no draft either
                draft.unlink(missing_ok=True)


def publish(draft: Path, path: Path, *, replace: bool = True) -> None:
    """Bring a finished draft onto the disk and let it take its place.

    Raises:
        FileExistsError: a file is there, and ``replace`` is false.
        OSError: it fails. What was there is there still.
    """
    _sync(draft)
    if replace:
        draft.replace(path)
    else:
        _take_free(draft, path)
    _sync_folder(path.parent)


def take_place(folder: Path, place: Path) -> None:
    """Bring a finished folder onto the disk and let it take a place beside it.

    Raises:
        FootageError: there is footage in the folder that lies there.
        OSError: it fails. What was there is there still.
    """
    check_folder(place)
    for where, _, names in os.walk(folder):
        for name in names:
            _sync(Path(where, name))
        _sync_folder(Path(where))
    former = former_of(place)
    recover(former, place)
    if not place.exists():
        folder.replace(place)
    elif _exchange(folder, place):
        shutil.rmtree(folder, ignore_errors=True)  # which is the former one by now
    else:
        place.replace(former)
        try:
            folder.replace(place)
        except OSError:
            former.replace(place)
            raise
        shutil.rmtree(former, ignore_errors=True)
    _sync_folder(place.parent)


def make_private(folder: Path) -> None:
    """Make a folder and those missing above it, closed to others; what is there stays as it is.

    Raises:
        OSError: one can't be made.
    """
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        folder.mkdir()  # which says what is wrong


def clear(folder: Path, about: str) -> None:
    """Remove a folder, the file that says what it is first.

    Without that what is left is nothing, even if the rest can't be removed.

    Raises:
        OSError: it can't be removed.
    """
    (folder / about).unlink()
    shutil.rmtree(folder)


def _take_free(draft: Path, path: Path) -> None:
    """Give a draft a name that nothing has, if it is free still."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _CAN_NOT:
            raise
        path.open("xb").close()  # nobody else takes it meanwhile
        try:
            draft.replace(path)
        except BaseException:
            path.unlink()
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where that can't be done."""
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, TypeError):  # Linux alone has it; on Windows there is nothing to ask
        return False
    names = os.fsencode(one.absolute()), os.fsencode(other.absolute())
    if rename(_HERE, names[0], _HERE, names[1], ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    if ctypes.get_errno() in _CAN_NOT:
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))


def _sync(path: Path) -> None:
    held = open_carefully(path, FOR_SYNCING, waiting=True)
    try:
        os.fsync(held)
    finally:
        os.close(held)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's names onto the disk, where its file system can."""
    with suppress(OSError):
        _sync(folder)
