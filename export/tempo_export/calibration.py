"""The calibration of a profile that was just made, on videos whose moments are known."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tempo_edge import Library
from tempo_edge.evaluation import fitting
from tempo_edge.evaluation.truth import read_truth
from tempo_edge.models.profile_manifest import write_calibration
from tempo_edge.models.registry import Profile
from tempo_export.request import Progress

__all__ = ["calibrate"]


def calibrate(profile: Profile, videos: Path, progress: Progress) -> None:
    """Fit the confidence of a profile's grounders, and write it into the profile's folder.

    Args:
        videos: a folder with a ``truth.jsonl``.

    Raises:
        TempoEdgeError: the videos or their truth can't be read.
    """
    progress(f"calibrating {profile.name} on {videos}")
    queries = read_truth(videos)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Library.open(Path(scratch) / "library.db", profile=profile) as library,
    ):
        library.index([videos])
        contents = fitting.calibrate(library, queries, fitting.varied(queries, seed=0), seed=0)
    write_calibration(profile.folder, contents)
