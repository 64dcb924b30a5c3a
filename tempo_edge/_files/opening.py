"""Descriptors of files, opened with care: never inherited, as they are, and without waiting.

What a system lacks of it is done as well as can be, here and nowhere else.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

__all__ = ["FOR_APPENDING", "FOR_MAKING", "FOR_SYNCING", "is_link", "open_carefully", "open_lock"]

if sys.platform == "win32":
    # Bytes are bytes: without O_BINARY ends of lines are translated.
    _ALWAYS = os.O_BINARY | os.O_NOINHERIT
    _AT_ONCE = _NO_LINK = _NO_TERMINAL = 0
    #: What is brought onto the disk has to be open for writing here.
    FOR_SYNCING = os.O_RDWR
else:
    _ALWAYS = os.O_CLOEXEC
    _AT_ONCE, _NO_LINK, _NO_TERMINAL = os.O_NONBLOCK, os.O_NOFOLLOW, os.O_NOCTTY
    FOR_SYNCING = os.O_RDONLY

#: A new file, by a name that nothing has.
FOR_MAKING = os.O_RDWR | os.O_CREAT | os.O_EXCL

#: What is written to its end, made if need be.
FOR_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def open_carefully(
    path: str | os.PathLike[str],
    flags: int = os.O_RDONLY,
    mode: int = 0o666,
    *,
    waiting: bool = False,
    links: bool = True,
    terminals: bool = True,
    no_link: int = _NO_LINK,
) -> int:
    """A descriptor of a file, which no other program inherits.

    Args:
        flags: those of :func:`os.open` that every system knows.
        mode: permissions of a file that is made.
        waiting: for somebody at the other end, should it be a pipe.
        links: whether a link is followed; a last one, that is, as above it they always are.
        terminals: whether one may come to be this process's own.
        no_link: the flag by which the system refuses a link; 0 where it has none. Then it is
            looked at before, and whoever may write there can put a link in between.

    Raises:
        OSError: it can't be opened, or is a link (``errno.ELOOP``).
    """
    if not links:
        flags |= no_link
        if not no_link and is_link(path):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    if not waiting:
        flags |= _AT_ONCE
    if not terminals:
        flags |= _NO_TERMINAL
    return os.open(path, flags | _ALWAYS, mode)


def open_lock(path: str | os.PathLike[str], *, links: bool = True) -> int:
    """A descriptor of a file whose lock stands for something; only its user may read it.

    Raises:
        OSError: it can't be opened, or made.
    """
    return open_carefully(path, os.O_RDWR | os.O_CREAT, 0o600, waiting=True, links=links)


def is_link(path: str | os.PathLike[str]) -> bool:
    """Whether a name is that of a link, or of what Windows calls a junction."""
    try:
        facts = os.lstat(path)
    except OSError:
        return False
    if sys.platform == "win32" and facts.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT:
        return True
    return stat.S_ISLNK(facts.st_mode)
