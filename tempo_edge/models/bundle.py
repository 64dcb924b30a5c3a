"""Bundles: a whole profile in one file, for machines that no network reaches.

A bundle is a plain tar archive: ``profile.json`` first, then the files that it lists. Nothing of it
is trusted before its checksum has been compared, and nothing lies where a profile is looked for
until all of it has, and was seen to be of use.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from tempo_edge._files import atomic_write, clear, draft_folder, take_place
from tempo_edge.errors import ProfileError
from tempo_edge.models.profile_manifest import MANIFEST
from tempo_edge.models.registry import (
    Profile,
    installed_profiles,
    profiles_in,
    read_profile,
)

__all__ = ["install_bundle", "remove", "write_bundle"]

_MOST_ABOUT = 1 << 20
# Bytes of a bundle that are in memory at a time.
_BLOCK = 1 << 20
# Of the formats the plainest that has room for a file of 8 GiB; smaller ones are as in USTAR.
_FORMAT = tarfile.PAX_FORMAT

# What a tar archive that was made or altered by hand may do to the reader of tar archives.
_UNREADABLE = (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, RecursionError)


def write_bundle(profile: Profile, target: Path) -> int:
    """Write a profile, checked, into the file ``target``; gives the bundle's size in bytes.

    The same profile gives the same bytes. An earlier bundle is replaced when all is written; a file
    that is none stays.

    Raises:
        ProfileError: a file of the profile is missing or altered, or ``target`` can't be written.
    """
    if target.is_file() and target.stat().st_size and not tarfile.is_tarfile(target):
        raise ProfileError(f"bundle {target} can't be written: what is there is no bundle")
    try:
        with atomic_write(target) as draft, tarfile.open(draft, "w", format=_FORMAT) as bundle:
            about = (profile.folder / MANIFEST).read_bytes()
            bundle.addfile(_entry(MANIFEST, len(about)), io.BytesIO(about))
            for name in sorted(profile.files):
                path = profile.checked(name)
                with path.open("rb") as file:
                    bundle.addfile(_entry(name, path.stat().st_size), file)
    except OSError as error:
        raise ProfileError(f"bundle {target} can't be written: {error.strerror}") from error
    return target.stat().st_size


def install_bundle(
    bundle: Path, store: Path, *, inspect: Callable[[Profile], None], replace: bool = False
) -> Profile:
    """Put the profile of a bundle into the folder ``store``; gives the profile as it lies there.

    Args:
        inspect: reads what the profile holds before it is there, and raises ProfileError where it
            could not be used.
        replace: whether one of the same name in ``store`` makes room; it stays as it is until the
            new one is whole.

    Raises:
        ProfileError: the bundle is cut short, altered, holds what it should not or lacks what it
            should hold, or what can't be used, or ``store`` has such a profile already.
    """
    if bundle.exists() and not bundle.is_file():
        raise ProfileError(f"bundle {bundle} must be a file")
    try:
        with (
            bundle.open("rb") as file,
            tarfile.open(fileobj=cast("IO[bytes]", _Blocks(file)), mode="r:") as archive,
            draft_folder(store / bundle.name) as folder,
        ):
            entries = iter(archive)
            profile = _described(archive, next(entries, None), folder, bundle)
            place = store / profile.name
            if place.exists() and not replace:
                raise ProfileError(f"profile {profile.name!r} is in {store} already")
            _check_fits(bundle, store)
            _copy(archive, entries, profile.files, folder, bundle)
            with _said_of(bundle, folder):
                inspect(profile)
            take_place(folder, place)
    except _UNREADABLE as error:
        raise ProfileError(f"bundle {bundle} can't be read: {error}") from error
    return read_profile(place)


def remove(name: str) -> Path:
    """Remove an installed profile; gives where it was.

    Raises:
        ProfileError: none of that name was installed, or it can't be removed.
    """
    there = profiles_in(installed_profiles())
    if name not in there:
        known = f"one of the installed {sorted(there)}" if there else "installed, and none is"
        raise ProfileError(f"profile {name!r} must be {known}")
    place = there[name]
    try:
        clear(place, MANIFEST)
    except OSError as error:
        raise ProfileError(f"profile {name!r} can't be removed: {error}") from error
    return place


class _Blocks:
    """A bundle as the reader of tar archives sees it: read by blocks, and never more at once.

    A long name and an extended header are read whole, as long as they claim to be.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _BLOCK:
            raise tarfile.ReadError(f"a header claims {size} bytes, at most {_BLOCK} are read")
        return self._file.read(size)

    def seek(self, place: int) -> int:
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _described(
    archive: tarfile.TarFile, entry: tarfile.TarInfo | None, folder: Path, bundle: Path
) -> Profile:
    """The profile that a bundle's first entry describes, which is put into ``folder``."""
    if entry is None or entry.name != MANIFEST or not entry.isfile() or entry.size > _MOST_ABOUT:
        raise ProfileError(f"bundle {bundle} must begin with {MANIFEST}")
    _check_holds(entry, bundle)
    (folder / MANIFEST).write_bytes(_open(archive, entry).read())
    with _said_of(bundle, folder):
        return read_profile(folder)


@contextmanager
def _said_of(bundle: Path, folder: Path) -> Iterator[None]:
    """What is said of files in a draft's folder, as of the bundle: there they have no folder.

    Raises:
        ProfileError: something was.
    """
    try:
        yield
    except ProfileError as error:
        reason = str(error).replace(f"{folder}{os.sep}", "")
        raise ProfileError(f"bundle {bundle}: {reason}") from error


def _check_fits(bundle: Path, store: Path) -> None:
    """Refuse a bundle for which the disk has no room, before it is full."""
    needed, free = bundle.stat().st_size, shutil.disk_usage(store).free
    if needed > free:
        raise ProfileError(
            f"bundle {bundle} needs {needed / 1e6:.0f} MB, {store} has {free / 1e6:.0f} MB free: "
            "make room"
        )


def _check_holds(entry: tarfile.TarInfo, bundle: Path) -> None:
    """Refuse an entry that claims more than the archive holds: holes would fill the disk."""
    if entry.issparse() or not 0 <= entry.size <= bundle.stat().st_size:
        raise ProfileError(
            f"bundle {bundle}: {entry.name!a} claims {entry.size} bytes, more than are there"
        )


def _copy(
    archive: tarfile.TarFile,
    entries: Iterator[tarfile.TarInfo],
    files: dict[str, str],
    folder: Path,
    bundle: Path,
) -> None:
    """Every file into ``folder``, none but those that are listed, each with its own contents."""
    missing = dict(files)
    for entry in entries:
        expected = missing.pop(entry.name, None)
        if expected is None or not entry.isfile():
            raise ProfileError(f"bundle {bundle} holds {entry.name!a}, which it should not")
        _check_holds(entry, bundle)
        digest = hashlib.sha256()
        with (folder / entry.name).open("xb") as out:
            source = _open(archive, entry)
            while block := source.read(_BLOCK):
                digest.update(block)
                out.write(block)
        if digest.hexdigest() != expected:
            raise ProfileError(
                f"bundle {bundle}: {entry.name} has SHA-256 {digest.hexdigest()}, "
                f"expected {expected}"
            )
    if missing:
        raise ProfileError(f"bundle {bundle} lacks {min(missing)}")


def _open(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(entry)
    assert file is not None  # it is a regular file
    return file
