"""Why a search answered as it did: a page with, per moment, what was seen and what was said.

The page is one HTML file that needs nothing else. For each moment it shows the frames that the
library kept around it, the similarity curve with chance and cuts, and the grounder's answer.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from tempo_edge._files import atomic_write
from tempo_edge._files.page import BEGINNING, check_page
from tempo_edge.answer import Answer
from tempo_edge.errors import MediaError, TempoEdgeError
from tempo_edge.media import jpeg
from tempo_edge.media.stills import stills
from tempo_edge.moment import Moment, format_timestamp
from tempo_edge.search.candidates import Candidate

__all__ = ["page", "write"]

# Footage that is drawn on either side of a moment, at least.
_AROUND_SECONDS = 12.0

# Frames shown of one moment, and their size in samples before they are stretched to their shape.
_FRAMES, _SIZE = 24, 144

_WIDTH, _HEIGHT = 960, 140


def write(path: Path, query: str, answer: Answer) -> None:
    """Write the page of an answer to `path`, replacing an earlier one in one step.

    It tells what somebody films: a new one is readable by its user only.

    Raises:
        FootageError: what is there is no page that was written here.
        TempoEdgeError: the file can't be written.
    """
    try:
        check_page(path)
        with atomic_write(path, new_mode=0o600) as draft:
            draft.write_text(page(query, answer), encoding="utf-8")
    except OSError as error:
        raise TempoEdgeError(f"{path} can't be written: {error.strerror}") from error


def page(query: str, answer: Answer) -> str:
    """The page as HTML."""
    shown = list(zip(answer.moments, answer.evidence, strict=True))
    parts = [_section(moment, candidate, "") for moment, candidate in shown]
    if not shown:
        parts.append("<p class=none>nothing matches</p>")
        held_back = list(zip(answer.rejected, answer.rejected_evidence, strict=True))
        parts += [_section(moment, candidate, "held back: ") for moment, candidate in held_back]
    title = html.escape(query)
    return (
        f"{BEGINNING}<title>{title} · tempo-edge</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    )


def _section(moment: Moment, candidate: Candidate | None, mark: str) -> str:
    span = f"{format_timestamp(moment.start_seconds)}–{format_timestamp(moment.end_seconds)}"
    said = ""
    if moment.text:
        kinds = ", ".join(moment.found_by)
        said = f"<p>Found by {kinds}: <q>{html.escape(moment.text)}</q></p>"
    seen = ""
    if candidate is not None:
        said += _grounding(candidate)
        drawn = _drawn(candidate)
        seen = _curve(candidate, *drawn) + _frames(moment, candidate, *drawn)
    return (
        f"<section><h2>{mark}{html.escape(str(moment.path))} <b>{span}</b> "
        f"<i>{moment.confidence:.2f}</i></h2>{said}{seen}</section>"
    )


def _grounding(candidate: Candidate) -> str:
    """What a model said of a candidate; nothing where none was asked."""
    said = ""
    if candidate.grounding is not None:
        grounding = candidate.grounding
        begins = grounding.context.begins(candidate.window)
        count = grounding.context.last - grounding.context.first
        said = (
            f"<p>Read {count} frames from {format_timestamp(max(0.0, begins))} on and said "
            f"<code>{html.escape(grounding.said)}</code>, seconds since then; that it occurs "
            f"there: {grounding.present:.2f}.</p>"
        )
    return said


def _drawn(candidate: Candidate) -> tuple[int, int]:
    """Frames ``[first, last)`` of the window that are drawn: the moment and what surrounds it."""
    edges, span = candidate.window.edges, candidate.segment.span
    around = max(_AROUND_SECONDS, span.duration_seconds)
    first = int(np.searchsorted(edges[1:], span.start_seconds - around))
    last = int(np.searchsorted(edges[:-1], span.end_seconds + around))
    return first, max(last, first + 1)


def _curve(candidate: Candidate, first: int, last: int) -> str:
    """The similarity of each frame as a step over the time that it stands for."""
    window, span = candidate.window, candidate.segment.span
    edges, values = window.edges[first : last + 1], window.similarities[first:last]
    low = float(min(values.min(), candidate.segment.floor)) - 0.02
    high = float(values.max()) + 0.02
    length = float(edges[-1] - edges[0])

    def x(seconds: float) -> float:
        return round((seconds - float(edges[0])) / length * _WIDTH, 1)

    def y(value: float) -> float:
        return round((high - value) / (high - low) * _HEIGHT, 1)

    steps = " ".join(
        f"{x(a)},{y(v)} {x(b)},{y(v)}"
        for a, b, v in zip(edges[:-1], edges[1:], values.tolist(), strict=True)
    )
    cuts = "".join(
        f"<path class=cut d='M{x(float(at))} 0V{_HEIGHT}'/>"
        for at, cut in zip(edges[:-1], window.cuts[first:last], strict=True)
        if cut
    )
    start, end = x(span.start_seconds), x(span.end_seconds)
    floor = y(candidate.segment.floor)
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT + 18}' role=img aria-label='similarity over time'>"
        f"<rect class=span x={start} y=0 width={round(end - start, 1)} height={_HEIGHT} />{cuts}"
        f"<path class=floor d='M0 {floor}H{_WIDTH}'/><polyline points='{steps}'/>"
        f"<text x=0 y={_HEIGHT + 14}>{format_timestamp(max(0.0, float(edges[0])))}</text>"
        f"<text x={_WIDTH} y={_HEIGHT + 14} text-anchor=end>{format_timestamp(float(edges[-1]))}"
        "</text></svg>"
    )


def _frames(moment: Moment, candidate: Candidate, first: int, last: int) -> str:
    """The kept frames, those of the moment framed; a few of them if there are many."""
    chosen = np.unique(np.linspace(first, last - 1, min(_FRAMES, last - first)).astype(int))
    pts = candidate.window.pts[chosen].tolist()
    try:
        pictures = _pictures(moment.path, pts)
    except (MediaError, OSError) as error:
        return f"<p class=none>{html.escape(str(error))}</p>"
    video = candidate.window.video
    shape = Fraction(max(1, video.width), max(1, video.height))
    cells = []
    times = video.seconds(candidate.window.pts[chosen]).tolist()
    for index, tick, seconds in zip(chosen.tolist(), pts, times, strict=True):
        inside = candidate.segment.first <= index <= candidate.segment.last
        source = f"data:image/jpeg;base64,{pictures[tick]}" if tick in pictures else ""
        cells.append(
            f"<figure class={'in' if inside else 'out'}>"
            f"<img alt='' style='aspect-ratio:{float(shape):.3f}' src='{source}'>"
            f"<figcaption>{format_timestamp(max(0.0, seconds))}"
            f" · {candidate.window.similarities[index]:.2f}</figcaption></figure>"
        )
    return f"<div class=frames>{''.join(cells)}</div>"


def _pictures(path: Path, pts: Sequence[int]) -> dict[int, str]:
    """JPEG in base64 of the pictures at some ticks, those that can be decoded."""
    return {
        tick: base64.b64encode(jpeg.encode(picture)).decode()
        for tick, picture in stills(path, pts, _SIZE).items()
    }


_STYLE = """
:root{color-scheme:light dark;--soft:#8884;--hit:#f0b42955}
body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1rem;font-weight:600;overflow-wrap:anywhere}
h2 b{color:#0a7d4f;margin:0 .5rem}h2 i{font-style:normal;opacity:.7}
section{border-top:1px solid var(--soft);padding:1rem 0}code{font-size:1.05em}
svg{width:100%;height:auto}polyline{fill:none;stroke:#3e7cb1;stroke-width:2}
.span{fill:var(--hit)}.cut{stroke:var(--soft);stroke-dasharray:2 3}
.floor{stroke:#c0392b;stroke-dasharray:5 4}text{font-size:11px;fill:currentColor;opacity:.7}
.frames{display:grid;grid-template-columns:repeat(auto-fill,minmax(110px,1fr));gap:6px}
figure{margin:0;border:3px solid transparent}figure.in{border-color:#f0b429}
figure img{width:100%;display:block;background:var(--soft)}
figcaption{font-size:11px;opacity:.75;padding:1px 3px}.none{opacity:.7}
"""
