"""The speed of a profile on this machine: measured once, and kept in the user's cache."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from tempo_edge._files import atomic_write
from tempo_edge.errors import TempoEdgeError
from tempo_edge.models.registry import Profile

__all__ = ["milliseconds_a_picture"]

# Pictures that are encoded; the quickest counts, for the machine may have other things to do.
_PICTURES = 4


def milliseconds_a_picture(profile: Profile) -> float | None:
    """Milliseconds that the image tower takes for a picture; None where it can't be run."""
    path = _path()
    known = _known(path)
    if profile.fingerprint not in known:
        try:
            known[profile.fingerprint] = _measured(profile)
        except TempoEdgeError:
            return None
        with suppress(OSError):  # measured again the next time
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as draft:
                draft.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return known[profile.fingerprint]


def _path() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("tempo-edge") / "speeds.json"


def _known(path: Path) -> dict[str, float]:
    """What was measured before, by a profile's fingerprint."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in facts.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _measured(profile: Profile) -> float:
    size = profile.image_size
    picture = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    tower = profile.image_tower
    tower.encode(picture)
    spent = []
    for _ in range(_PICTURES):
        began = time.perf_counter()
        tower.encode(picture)
        spent.append(time.perf_counter() - began)
    return round(1000 * min(spent), 1)
