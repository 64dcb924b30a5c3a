"""The formats of time lines: which there are, and a file in one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tempo_edge.errors import TempoEdgeError
from tempo_edge.moment import Moment
from tempo_edge.timeline.cuts import Cut, plan
from tempo_edge.timeline.edl import write_edl
from tempo_edge.timeline.fcpxml import write_fcpxml
from tempo_edge.timeline.lists import write_csv, write_json, write_m3u
from tempo_edge.timeline.losslesscut import home_of, write_llc, write_llc_zip
from tempo_edge.timeline.otio import write_otio
from tempo_edge.timeline.source import Source

__all__ = ["FORMATS", "check_format", "write"]

_WRITERS: dict[str, Callable[[Sequence[Cut]], bytes]] = {
    "edl": write_edl,
    "fcpxml": write_fcpxml,
    "otio": write_otio,
    "csv": write_csv,
    "m3u": write_m3u,
    "json": write_json,
    "llc": write_llc,
    "zip": write_llc_zip,
}

FORMATS = tuple(_WRITERS)

# Those whose bounds are frames, and those that tell time codes; others keep the exact times.
_IN_FRAMES = frozenset({"edl", "fcpxml", "otio"})
_IN_LABELS = _IN_FRAMES | {"csv", "json"}


def check_format(format: str) -> str:
    """The format itself, if there is one of that name.

    Raises:
        TempoEdgeError: there is none.
    """
    if format not in _WRITERS:
        raise TempoEdgeError.naming("{format} {!r} must be one of {}", format, ", ".join(FORMATS))
    return format


def write(
    moments: Sequence[Moment],
    format: str,
    *,
    on_remark: Callable[[str], None] = lambda line: None,
) -> bytes:
    """A file that holds the moments in their order, one after another.

    Frames are counted at each file's own rate, as its time stamps tell it, from its start time
    code on. Ends are exclusive. Every file is opened, and one picture of it decoded.

    Args:
        moments: what was found, one at least.
        format: one of :data:`FORMATS`.
        on_remark: is told, in one line each, what may surprise and which moments are left out,
            because a file is not there or can't be read.

    Raises:
        MediaError: none of the files is there and can be read; the text names the first.
        MissingExtraError: the format needs an extra that is not installed.
        TempoEdgeError: there is no such format, there are no moments, or the format can't hold
            them; the text says why.
    """
    writer = _WRITERS[check_format(format)]
    if not moments:
        raise TempoEdgeError("there are no moments to write: a time line needs one")
    cuts = plan(moments, on_remark)
    for source in dict.fromkeys(cut.source for cut in cuts):
        for remark in _remarks(source, format):
            on_remark(f"{source.path}: {remark}")
    if format == "llc":
        on_remark(f"LosslessCut looks for {cuts[0].source.path} beside its project")
    if format == "zip":
        on_remark(f"unpack it in {home_of(cuts)}: LosslessCut looks for videos beside its projects")
    return writer(cuts)


def _remarks(source: Source, format: str) -> Iterator[str]:
    """What may surprise of a file in a format, one line each."""
    if format in _IN_LABELS:
        yield from source.remarks
    if source.track and format in (*_IN_FRAMES, "llc", "zip"):
        yield (
            f"its film is number {source.track + 1} of its video streams: a program that takes "
            "the first one shows another"
        )
    if format in _IN_FRAMES and source.variable:
        yield f"its frame rate varies: frames are counted on a grid of {source.rate} a second"
