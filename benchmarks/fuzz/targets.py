"""The registry of targets."""

from __future__ import annotations

from benchmarks.fuzz.target import Target
from benchmarks.fuzz.timecodes import TARGET as TIMECODES

__all__ = ["TARGETS"]

#: Every target by its name.
TARGETS: dict[str, Target] = {each.name: each for each in (TIMECODES,)}
