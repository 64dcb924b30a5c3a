"""Bundles: a whole profile in one file, for machines that no network reaches.

A bundle is a plain tar archive: ``profile.json`` first, then the files that it lists. Nothing of it
is trusted before its checksum has been compared, and nothing lies where a profile is looked for
until all of it has.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tempo_edge._draft import draft_of
from tempo_edge.errors import ProfileError
from tempo_edge.models.registry import (
    Profile,
    installed_profiles,
    profiles_in,
    read_profile,
)
from tempo_edge.models.rooms import clear, room, take_place

__all__ = ["pack", "remove", "unpack"]

_ABOUT = "profile.json"
_MOST_ABOUT = 1 << 20
# Of the formats the plainest that has room for a file of 8 GiB; smaller ones are as in USTAR.
_FORMAT = tarfile.PAX_FORMAT
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def pack(profile: Profile, target: Path) -> int:
    """Write a profile, checked, into the file ``target``; gives the bundle's size in bytes.

    The same profile gives the same bytes. An earlier bundle is replaced when all is written; a file
    that is none stays.

    Raises:
        ProfileError: a file of the profile is missing or altered, or ``target`` can't be written.
    """
    if target.is_file() and target.stat().st_size and not tarfile.is_tarfile(target):
        raise ProfileError(f"bundle {target} can't be written: what is there is no bundle")
    try:
        with draft_of(target) as draft, tarfile.open(draft, "w", format=_FORMAT) as bundle:
            about = (profile.folder / _ABOUT).read_bytes()
            bundle.addfile(_entry(_ABOUT, len(about)), io.BytesIO(about))
            for name in sorted(profile.files):
                path = profile.checked(name)
                with path.open("rb") as file:
                    bundle.addfile(_entry(name, path.stat().st_size), file)
    except OSError as error:
        raise ProfileError(f"bundle {target} can't be written: {error.strerror}") from error
    return target.stat().st_size


def unpack(bundle: Path, store: Path, *, replace: bool = False) -> Profile:
    """Put the profile of a bundle into the folder ``store``; gives the profile as it lies there.

    Args:
        replace: whether one of the same name in ``store`` makes room; it stays as it is until the
            new one is whole.

    Raises:
        ProfileError: the bundle is cut short, altered, holds what it should not or lacks what it
            should hold, or ``store`` has such a profile already.
    """
    try:
        with tarfile.open(bundle, "r:") as archive, room(store) as folder:
            entries = iter(archive)
            profile = _described(archive, next(entries, None), folder, bundle)
            place = store / profile.name
            if place.exists() and not replace:
                raise ProfileError(f"profile {profile.name!r} is in {store} already")
            _copy(archive, entries, profile.files, folder, bundle)
            take_place(folder, place)
    except (tarfile.TarError, OSError, EOFError) as error:
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
        clear(place, _ABOUT)
    except OSError as error:
        raise ProfileError(f"profile {name!r} can't be removed: {error}") from error
    return place


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _described(
    archive: tarfile.TarFile, entry: tarfile.TarInfo | None, folder: Path, bundle: Path
) -> Profile:
    """The profile that a bundle's first entry describes, which is put into ``folder``."""
    if entry is None or entry.name != _ABOUT or not entry.isfile() or entry.size > _MOST_ABOUT:
        raise ProfileError(f"bundle {bundle} must begin with {_ABOUT}")
    (folder / _ABOUT).write_bytes(_open(archive, entry).read())
    try:
        profile = read_profile(folder)
    except ProfileError as error:
        raise ProfileError(
            f"bundle {bundle}: {_ABOUT} can't be read: {error.__cause__!r}"
        ) from error
    for name in (profile.name, *profile.files):
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name == _ABOUT:
            raise ProfileError(f"bundle {bundle}: {_ABOUT} names {name!r}")
    return profile


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
            raise ProfileError(f"bundle {bundle} holds {entry.name!r}, which it should not")
        digest = hashlib.sha256()
        with (folder / entry.name).open("xb") as out:
            source = _open(archive, entry)
            while block := source.read(1 << 20):
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
