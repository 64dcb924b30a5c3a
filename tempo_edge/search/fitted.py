"""The fit of a profile: its grounders, the one that it prefers, how each is judged."""

from __future__ import annotations

from tempo_edge.models import Profile
from tempo_edge.search.calibrate import Calibration
from tempo_edge.search.grounders import GROUNDERS

__all__ = ["QUICK", "calibration_of", "grounders_of", "is_quick", "preferred"]

#: The grounder of every profile, which answers while somebody types.
QUICK = next(name for name, grounder in GROUNDERS.items() if grounder.is_quick)


def is_quick(name: str | None) -> bool:
    """Whether a grounder of this name may be used for every key that somebody presses."""
    return name in GROUNDERS and GROUNDERS[name].is_quick


def grounders_of(profile: Profile) -> tuple[str, ...]:
    """The grounders that a profile has.

    Raises:
        ProfileError: its calibration can't be read.
    """
    return tuple(name for name, each in GROUNDERS.items() if each.is_offered_by(profile))


def preferred(profile: Profile) -> str:
    """The grounder that a profile's calibration prefers, if it has that one.

    Raises:
        ProfileError: its calibration can't be read.
    """
    about = profile.calibration
    name = about.optional("default", about.text)
    return name if name in grounders_of(profile) else QUICK


def calibration_of(profile: Profile, grounder: str) -> Calibration:
    """The calibration of one of a profile's grounders.

    Raises:
        ProfileError: there is none, or it can't be read.
    """
    return GROUNDERS[grounder].calibration_of(profile)
