"""Words that a media file carries itself: its tracks of text, titles of chapters, its title."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from tempo_edge.capture.telemetry import is_telemetry
from tempo_edge.media.text_tracks import ContainerText, text_of_container
from tempo_edge.words.languages import language_tag
from tempo_edge.words.line import Line
from tempo_edge.words.markup import plain
from tempo_edge.words.names import NAME_CONFIDENCE
from tempo_edge.words.timing import timed

__all__ = ["lines_of_container"]

# Lines of all tracks together: of a film in thirty languages.
_MOST_LINES = 100_000


def lines_of_container(
    path: Path, zero: Fraction, end_seconds: float
) -> tuple[tuple[Line, ...], str]:
    """(the lines that a media file carries, what its owner should know of them or nothing).

    Args:
        path: the file.
        zero: instant of the container that its film's times count from, in seconds.
        end_seconds: when its film is over, counted from there.

    Raises:
        MediaError: the file can't be opened.
    """
    text = text_of_container(path, zero)
    lines = _titles(text, end_seconds)
    remarks: list[str] = []
    for track in text.tracks:
        if is_telemetry("\n".join(cue.text for cue in track.cues[:3])):
            continue  # a drone's, which says nothing
        found = timed(track.cues, end_seconds)
        written = language_tag(track.language), 1.0, track.name
        room = max(0, _MOST_LINES - len(lines))
        lines += [
            Line(span.start_seconds, span.end_seconds, "subtitle", span.text, *written)
            for span in found.spans[:room]
        ]
        left = len(found.spans) - room
        more = f"{left} lines more than {_MOST_LINES:,} are left out" if left > 0 else ""
        said = ", ".join(filter(None, (track.fault, found.remark, more)))
        if said:
            remarks.append(f"text of {track.name}: {said}")
    return tuple(lines), "; ".join(remarks)


def _titles(text: ContainerText, end_seconds: float) -> list[Line]:
    """A line for the title of the whole, and one for that of each chapter."""
    lines: list[Line] = []
    title = plain(text.title)
    if title:
        lines.append(Line(0.0, end_seconds, "name", title, "", NAME_CONFIDENCE, "title"))
    for number, cue in enumerate(text.chapters):
        following = text.chapters[number + 1].start if number + 1 < len(text.chapters) else None
        ends = cue.end if cue.end is not None else following
        start = max(0.0, float(cue.start))
        end = min(end_seconds, end_seconds if ends is None else float(ends))
        named = plain(cue.text)
        if named and start < end:
            lines.append(Line(start, end, "chapter", named, "", 1.0, "chapters"))
    return lines
