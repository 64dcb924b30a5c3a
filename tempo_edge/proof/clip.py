"""The sample clip of a proof: drawn and encoded once, for all of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tempo_edge.proof.part import AbsentError, Budget, Figure, Part, Row, verdict
from tempo_edge.sample_clips import RATE, draw_clip

__all__ = ["SIZE", "SampleClip", "clip_of"]

#: Width and height of its pictures.
SIZE = (1920, 1080)

_PICTURES = 240


class SampleClip(Part):
    """The clip that decoders and the indexer are tried on."""

    name = "clip"
    what = "a 1080p clip"
    against = "what was drawn"
    needs = "an encoder of H.264 or MPEG-4 in FFmpeg"
    budget_seconds = 20.0

    def run(self, budget: Budget, scratch: Path) -> Iterator[Row]:
        draft = scratch / "clip.draft"
        drawn = draw_clip(draft, _PICTURES, SIZE, lambda: budget.is_over(0.5))
        draft.replace(_place(scratch))
        megabytes = _place(scratch).stat().st_size / 1e6
        yield verdict(
            self.what,
            self.against,
            "" if drawn else "no picture was encoded",
            Figure("pictures", drawn),
            Figure("film", drawn / RATE, "s"),
            Figure("file", round(megabytes, 2), "MB"),
            Figure("drawn and encoded at", round(drawn / budget.spent, 1), "pictures/s"),
            cut_short="" if drawn == _PICTURES else f"{drawn} of {_PICTURES} pictures",
        )


def clip_of(scratch: Path) -> Path:
    """The clip that was made.

    Raises:
        AbsentError: it was not.
    """
    if not _place(scratch).is_file():
        raise AbsentError("there is no sample clip: it could not be encoded here")
    return _place(scratch)


def _place(scratch: Path) -> Path:
    return scratch / "clip.mp4"
