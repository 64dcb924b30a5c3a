"""Calibrations: what a bundle says of spans and confidences, with any value in any field."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from benchmarks.campaign.mutations import mutate
from benchmarks.fuzz.target import Refusal, Target, holds
from tempo_edge.errors import ProfileError
from tempo_edge.models.description import load_json
from tempo_edge.models.registry import Profile, load_profile
from tempo_edge.search.calibrate import FEATURES, READ_FEATURES
from tempo_edge.search.fitted import calibration_of, grounders_of, preferred
from tempo_edge.search.grounders import GROUNDERS
from tempo_edge.search.similarity import CurveSettings

__all__ = ["TARGET"]

_FIELDS = ("features", "weights", "bias", "threshold")

_PLACES = [
    *_FIELDS,
    *(f"mllm.{name}" for name in _FIELDS),
    *("curve", *(f"curve.{each.name}" for each in fields(CurveSettings)), "curve.more"),
    *("default", "mllm", "vlm", "weights.0", "weights.5", "mllm.weights.3", "features.0"),
]

_numbers = st.one_of(
    st.integers(-2, 2),
    st.floats(),
    st.sampled_from([1e308, -1e308, 1e9, 1e10, 10**400, 2**63, 0.0, -0.0, 1e-320, True]),
)
_values = st.one_of(
    _numbers,
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["curve", "mllm", "vlm", "\x1b[2J", list(FEATURES), list(READ_FEATURES)]),
    st.lists(_numbers, max_size=8),
    st.sampled_from([{}, [], {"keep": 0.5}, [[0.0] * 6]]),
)

_changes = st.dictionaries(st.sampled_from(_PLACES), _values, max_size=3)


@cache
def _whole() -> str:
    return json.dumps(load_json(load_profile("nano").checked("calibration.json")))


def _written(changes: dict[str, Any], dropped: str | None, seed: int | None) -> bytes:
    facts = json.loads(_whole())
    for place, value in changes.items():
        _put(facts, place.split("."), value)
    if dropped is not None:
        facts.pop(dropped)
    contents = json.dumps(facts).encode()
    return contents if seed is None else mutate(contents, random.Random(seed))[1]


def _put(facts: Any, way: list[str], value: Any) -> None:
    """Put a value in a place, if what was put before has left it there."""
    for name in way[:-1]:
        facts = facts.get(name) if isinstance(facts, dict) else None
    if isinstance(facts, dict):
        facts[way[-1]] = value
    elif isinstance(facts, list) and way[-1].isdigit() and int(way[-1]) < len(facts):
        facts[int(way[-1])] = value


_cases = st.builds(
    _written,
    _changes,
    st.sampled_from([None] * 6 + [*_FIELDS, "curve", "default", "mllm"]),
    st.one_of(st.none(), st.none(), st.integers(0, 2**32)),
)


def _profile(contents: bytes, folder: Path) -> Profile:
    """A profile of towers that are not opened, with this calibration."""
    (folder / "calibration.json").write_bytes(contents)
    files = {
        "calibration.json": hashlib.sha256(contents).hexdigest(),
        **dict.fromkeys(("grounder.onnx", "grounder.json"), "0" * 64),
    }
    return Profile("tiny", "1", 256, 224, 9, folder, files)


def _check(case: bytes, folder: Path) -> None:
    profile = _profile(case, folder)
    with Refusal(ProfileError):
        shape = CurveSettings.of(profile)
        holds(0 < shape.keep < 1 and 0 < shape.seed <= 1, f"{shape} is no shape")
        holds(0 <= shape.smooth <= 0.5 and 0 <= shape.join_seconds <= 1e9, f"{shape} is no shape")
        holds(0 <= shape.likeness <= 1 and 0 <= shape.noise <= 1e9, f"{shape} is no shape")
    with Refusal(ProfileError):
        holds(preferred(profile) in GROUNDERS, "prefers what there is not")
        for grounder in grounders_of(profile):
            with Refusal(ProfileError):
                _check_confidence(profile, grounder)


def _check_confidence(profile: Profile, grounder: str) -> None:
    """Whatever a span looks like, its confidence is a probability."""
    calibration = calibration_of(profile, grounder)
    count = len(GROUNDERS[grounder].features)
    holds(calibration.weights.shape == (count,), f"{grounder} has {calibration.weights.shape}")
    holds(0 <= calibration.threshold <= 1, f"threshold {calibration.threshold}")
    for scale in (0.0, 1.0, 1e6):
        confidence = calibration.confidence(np.linspace(-scale, scale, count))
        holds(0.0 <= confidence <= 1.0, f"{grounder} is confident by {confidence}")


TARGET = Target(
    "calibrations",
    ("tempo_edge.models.description", "tempo_edge.search.fitted", "tempo_edge.search.calibrate"),
    _cases,
    _check,
)
