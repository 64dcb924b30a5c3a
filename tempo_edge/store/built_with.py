"""The profile that a library was built with, held beside the one that it is opened with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tempo_edge.errors import LibraryError, ProfileError

if TYPE_CHECKING:
    from pathlib import Path

    from tempo_edge.models import Profile
    from tempo_edge.store.interface import Catalogue

__all__ = ["check_built_with", "expect_profile"]


def check_built_with(
    path: Path, profile: Callable[[], Profile], recorded: str, asked: str | None
) -> None:
    """Refuse models that a library was not built with.

    Args:
        path: of the library, for errors.
        profile: gives the models of the name that the library was built with.
        recorded: the fingerprint of those that it was built with.
        asked: the name of the profile that somebody wants, if one does.

    Raises:
        LibraryError: another profile is asked for, or there is another version of it now.
    """
    name = recorded.rpartition("-")[0]
    if asked is not None and asked != name:
        raise LibraryError(
            f"{path} was built with profile {name!r}, not {asked!r}: "
            f"use another --library, or read it again with tempo-edge index --profile {asked}"
        )
    now = profile().fingerprint
    if now != recorded:
        raise LibraryError(
            f"{path} was built with another version of profile {name!r} "
            f"({recorded}, now {now}): tempo-edge index DIR, with any of "
            "its folders, reads all of it again"
        )


def expect_profile(catalogue: Catalogue, recorded: str) -> None:
    """Hold the vectors of a library to what its profile makes, where that profile is installed.

    Args:
        recorded: the fingerprint of the profile that it was built with.
    """
    from tempo_edge.models import load_profile

    try:
        profile = load_profile(recorded.rpartition("-")[0])
        known = profile.fingerprint == recorded
    except ProfileError:
        return
    if known:
        catalogue.expect(profile.dim, profile.tokens_per_frame)
