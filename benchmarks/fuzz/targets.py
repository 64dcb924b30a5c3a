"""The registry of targets."""

from __future__ import annotations

from benchmarks.fuzz.bundles import TARGET as BUNDLES
from benchmarks.fuzz.calibrations import TARGET as CALIBRATIONS
from benchmarks.fuzz.containers import TARGET as CONTAINERS
from benchmarks.fuzz.packets import TARGET as PACKETS
from benchmarks.fuzz.queries import TARGET as QUERIES
from benchmarks.fuzz.subtitles import TARGET as SUBTITLES
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.timecodes import TARGET as TIMECODES
from benchmarks.fuzz.timelines import EDL, FCPXML
from benchmarks.fuzz.tokenizers import TARGET as TOKENIZERS

__all__ = ["TARGETS"]

#: Every target by its name.
TARGETS: dict[str, Target] = {
    each.name: each
    for each in (
        *(PACKETS, CONTAINERS, TIMECODES, SUBTITLES, EDL, FCPXML),
        *(BUNDLES, CALIBRATIONS, TOKENIZERS, QUERIES),
    )
}
