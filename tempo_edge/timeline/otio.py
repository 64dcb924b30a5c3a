"""OpenTimelineIO's own format, written by OpenTimelineIO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError
from tempo_edge.timeline.cuts import Cut
from tempo_edge.timeline.escaping import address, plain_name, plain_text

__all__ = ["write_otio"]


def write_otio(cuts: Sequence[Cut]) -> bytes:
    """A time line with a video track and, where there is sound, an audio track beside it.

    Every clip counts in its own file's frames, start time code included, so that several rates
    may follow one another. The exact rate and what was found are metadata, under ``tempo-edge``. A
    line of words is a marker at the beginning of its clip of pictures.

    Raises:
        MissingExtraError: OpenTimelineIO is not installed.
    """
    try:
        import opentimelineio as otio
    except ImportError as error:
        raise MissingExtraError(lacking("opentimelineio")) from error
    schema = otio.schema
    timeline = schema.Timeline("tempo-edge")
    seen = [_clip(otio, cut) for cut in cuts]
    for each, cut in zip(seen, cuts, strict=True):
        if cut.moment.text:
            each.markers.append(_marker(otio, cut))
    timeline.tracks.append(schema.Track("video", children=seen, kind=schema.TrackKind.Video))
    if any(cut.source.audio_channels for cut in cuts):
        heard = [_clip(otio, cut) if cut.source.audio_channels else _gap(otio, cut) for cut in cuts]
        timeline.tracks.append(schema.Track("audio", children=heard, kind=schema.TrackKind.Audio))
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text.encode()


def _frames(otio: Any, cut: Cut, first: int, length: int) -> Any:
    """Frames of a cut's file or of nothing, at the rate of that."""
    time, rate = otio.opentime, float(cut.source.rate)
    return time.TimeRange(time.RationalTime(first, rate), time.RationalTime(length, rate))


def _marker(otio: Any, cut: Cut) -> Any:
    return otio.schema.Marker(
        name=plain_text(cut.moment.text),
        marked_range=_frames(otio, cut, cut.source.start_frame + cut.first, 1),
        color=otio.schema.MarkerColor.GREEN,
    )


def _clip(otio: Any, cut: Cut) -> Any:
    source = cut.source
    found = {
        "rate": str(source.rate),
        "variable_rate": source.variable,
        "drop_frame": source.drop,
        "confidence": cut.moment.confidence,
        "start_seconds": cut.moment.start_seconds,
        "end_seconds": cut.moment.end_seconds,
        "found_by": list(cut.moment.found_by),
    }
    whole = _frames(otio, cut, source.start_frame, source.frames)
    return otio.schema.Clip(
        name=plain_name(source.path),
        media_reference=otio.schema.ExternalReference(address(source.path), whole),
        source_range=_frames(otio, cut, source.start_frame + cut.first, cut.length),
        metadata={"tempo-edge": found},
    )


def _gap(otio: Any, cut: Cut) -> Any:
    return otio.schema.Gap(source_range=_frames(otio, cut, 0, cut.length))
