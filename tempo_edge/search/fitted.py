"""What a profile was fitted to: its grounders, the one that it prefers, how each is judged."""

from __future__ import annotations

from tempo_edge.models import Profile
from tempo_edge.search.calibrate import READ_FEATURES, Calibration

__all__ = ["GROUNDERS", "calibration_of", "grounders_of", "preferred"]

#: What may turn candidates into spans, the one first that is taken unless another is asked for;
#: a profile without a decoder has no ``mllm``, one without a hub model no ``vlm``.
GROUNDERS = ("mllm", "curve", "vlm")


def grounders_of(profile: Profile) -> tuple[str, ...]:
    """The grounders that a profile has.

    Raises:
        ProfileError: it is not calibrated, or its calibration can't be read.
    """
    has = {
        "mllm": profile.has_grounder and "mllm" in profile.calibration,
        "curve": True,
        "vlm": profile.has_vlm,
    }
    return tuple(name for name in GROUNDERS if has[name])


def preferred(profile: Profile) -> str:
    """The grounder that a profile's calibration prefers, if it has that one.

    Raises:
        ProfileError: it is not calibrated, or its calibration can't be read.
    """
    about = profile.calibration
    name = about.optional("default", about.text)
    return name if name in grounders_of(profile) else "curve"


def calibration_of(profile: Profile, grounder: str) -> Calibration:
    """The calibration of one of a profile's grounders.

    Raises:
        ProfileError: there is none, or it can't be read.
    """
    if grounder == "curve":
        return Calibration.of(profile.calibration)
    if grounder == "vlm" and "vlm" not in profile.calibration:
        return Calibration.none_fitted()
    return Calibration.of(profile.calibration.part(grounder), READ_FEATURES)
