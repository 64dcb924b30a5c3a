"""The comparison of every execution provider of this machine with the CPU.

The same frames and sentences go through each of them, and through the real index and search: what
is compared are vectors, spans and the times of the frames that were kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge import Library
from tempo_edge.models.agreement import TOLERANCE
from tempo_edge.models.providers import standings
from tempo_edge.models.registry import Profile
from tempo_edge.models.sessions import open_session
from tempo_edge.sample_clips import sample_clips

__all__ = ["Difference", "compare"]

_SENTENCES = (
    "a bicycle",
    "cars on a city street",
    "a man in a suit",
    "a rabbit in a meadow",
    "a plate of sushi on a table",
    "someone plays the guitar",
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Seen:
    """The output of one provider."""

    frames: Floats
    sentences: Floats
    times: tuple[float, ...]
    spans: tuple[tuple[str, float, float] | None, ...]


@dataclass(frozen=True)
class Difference:
    """The difference of a provider from the CPU.

    Attributes:
        provider: its name, as ``TEMPO_EDGE_PROVIDERS`` takes it.
        trouble: why it was not tried; empty if it was.
        vectors: largest difference of a component, of frames and of sentences.
        spans: sentences that were answered with another span, or refused by one of the two.
        times: whether frames were kept at the very same times.
    """

    provider: str
    trouble: str = ""
    vectors: float = 0.0
    spans: int = 0
    times: bool = True

    @property
    def good(self) -> bool:
        """Whether it was tried and gives the same, or was not tried."""
        return bool(self.trouble) or (self.vectors <= TOLERANCE and self.spans == 0 and self.times)

    def to_json(self) -> dict[str, Any]:
        if self.trouble:
            return {"provider": self.provider, "trouble": self.trouble}
        return {
            "provider": self.provider,
            "largest_difference": self.vectors,
            "other_spans": self.spans,
            "same_times": self.times,
            "good": self.good,
        }

    def line(self) -> str:
        if self.trouble:
            return f"{self.provider:<12} not tried: {self.trouble}\n"
        kept = "the same" if self.times else "OTHER"
        return (
            f"{self.provider:<12} {'ok' if self.good else 'DIFFERS'}: "
            f"vectors by {self.vectors:.1e} at most, {len(_SENTENCES) - self.spans} of "
            f"{len(_SENTENCES)} answers the same, {kept} times\n"
        )


def compare(profile: Profile, clips: Sequence[Path] | None = None) -> list[Difference]:
    """Run a fixed set of real frames and sentences through each provider.

    Args:
        clips: videos to take frames from; by default the demo's.

    Raises:
        MissingExtraError: there are no clips and the ``demo`` extra is not installed.
        ProfileError: ``TEMPO_EDGE_PROVIDERS`` names what there is not.
    """
    clips = list(clips or sample_clips())
    ways = standings()
    wanted = _through("cpu", profile, clips)
    found = []
    for way in ways:
        if way.trouble:
            found.append(Difference(way.name, way.trouble))
            continue
        other = _through(way.name, profile, clips)
        same = other.times == wanted.times
        parts = [(other.sentences, wanted.sentences)]
        parts += [(other.frames, wanted.frames)] if same else []
        far = max(float(np.abs(ours - theirs).max()) for ours, theirs in parts)
        spans = sum(a != b for a, b in zip(other.spans, wanted.spans, strict=True))
        found.append(Difference(way.name, "", far, spans, same))
    return found


def _through(provider: str, profile: Profile, clips: Sequence[Path]) -> _Seen:
    """The output of one provider, all worked out anew, with nothing that another one loaded."""
    chain = ("cpu",) if provider == "cpu" else (provider, "cpu")
    fresh = replace(profile, opener=partial(open_session, providers=chain, compared=False))
    sentences = fresh.text_tower.encode(_SENTENCES)
    with (
        tempfile.TemporaryDirectory() as folder,
        Library.open(Path(folder) / "library.db", profile=fresh) as library,
    ):
        library.index(list(clips))
        frames, times = _frames(library)
        spans = [_first(library, sentence) for sentence in _SENTENCES]
    return _Seen(frames, sentences, times, tuple(spans))


def _frames(library: Library) -> tuple[Floats, tuple[float, ...]]:
    """Vectors of all kept frames, by file and time, and their times in seconds."""
    from tempo_edge.quantization import dequantize

    vectors, times = [], list[float]()
    for row in sorted(library.files(), key=lambda row: row.path):
        assert row.video_id is not None
        pts, _, packed = library.catalogue.frames_between(row.video_id, -(2**60), 2**60)
        vectors.append(dequantize(packed))
        times += library.catalogue.video(row.video_id).seconds(pts).tolist()
    return np.concatenate(vectors), tuple(times)


def _first(library: Library, sentence: str) -> tuple[str, float, float] | None:
    """The best span, shown or held back: a threshold must not hide a difference."""
    answer = library.find(sentence, min_confidence=0.0)
    if not answer.moments:
        return None
    best = answer.moments[0]
    return Path(best.path).name, best.start_seconds, best.end_seconds
