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
    schema, time = otio.schema, otio.opentime

    def marker(cut: Cut) -> object:
        rate = float(cut.source.rate)
        start = time.RationalTime(cut.source.start_frame + cut.first, rate)
        return schema.Marker(
            name=plain_text(cut.moment.text),
            marked_range=time.TimeRange(start, time.RationalTime(1, rate)),
            color=schema.MarkerColor.GREEN,
        )

    def clip(cut: Cut) -> Any:
        source, rate = cut.source, float(cut.source.rate)

        def frames(first: int, length: int) -> object:
            start = time.RationalTime(source.start_frame + first, rate)
            return time.TimeRange(start, time.RationalTime(length, rate))

        reference = schema.ExternalReference(address(source.path), frames(0, source.frames))
        found = {
            "rate": str(source.rate),
            "variable_rate": source.variable,
            "drop_frame": source.drop,
            "confidence": cut.moment.confidence,
            "start_seconds": cut.moment.start_seconds,
            "end_seconds": cut.moment.end_seconds,
            "found_by": list(cut.moment.found_by),
        }
        return schema.Clip(
            name=plain_name(source.path),
            media_reference=reference,
            source_range=frames(cut.first, cut.length),
            metadata={"tempo-edge": found},
        )

    def gap(cut: Cut) -> object:
        rate = float(cut.source.rate)
        return schema.Gap(
            source_range=time.TimeRange(
                time.RationalTime(0, rate), time.RationalTime(cut.length, rate)
            )
        )

    timeline = schema.Timeline("tempo-edge")
    seen = [clip(cut) for cut in cuts]
    for each, cut in zip(seen, cuts, strict=True):
        if cut.moment.text:
            each.markers.append(marker(cut))
    timeline.tracks.append(schema.Track("video", children=seen, kind=schema.TrackKind.Video))
    if any(cut.source.audio_channels for cut in cuts):
        heard = [clip(cut) if cut.source.audio_channels else gap(cut) for cut in cuts]
        timeline.tracks.append(schema.Track("audio", children=heard, kind=schema.TrackKind.Audio))
    text: str = otio.adapters.write_to_string(timeline, "otio_json")
    return text.encode()
