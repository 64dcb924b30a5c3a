"""Cuts as plain lists: a table, a playlist, JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from tempo_edge.timeline.cuts import Cut
from tempo_edge.timeline.escaping import address, cell, plain_name, plain_text

__all__ = ["write_csv", "write_json", "write_m3u"]


def write_csv(cuts: Sequence[Cut]) -> bytes:
    """A table (RFC 4180) in UTF-8; a name that is no UTF-8 keeps its bytes.

    The kinds of evidence are apart by spaces, and no line of words begins as a formula does.
    """
    table = io.StringIO(newline="")
    rows = [
        {
            **_row(cut),
            "found_by": " ".join(cut.moment.found_by),
            "text": cell(plain_text(cut.moment.text)),
        }
        for cut in cuts
    ]
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue().encode("utf-8", errors="surrogateescape")


def write_json(cuts: Sequence[Cut]) -> bytes:
    """One object with a list of moments. A name that is no UTF-8 is spelled as Python does."""
    document = {"version": 1, "moments": [_row(cut) for cut in cuts]}
    return (json.dumps(document, indent=2) + "\n").encode("ascii")


def write_m3u(cuts: Sequence[Cut]) -> bytes:
    """A playlist in UTF-8 whose entries VLC starts and stops at the bounds.

    Other players know no bounds in playlists and play the files from beginning to end. Files are
    named by their addresses, because a line can't hold every name. A line of words stands behind
    the name.
    """
    lines = ["#EXTM3U"]
    for cut in cuts:
        title = plain_name(cut.source.path)
        if cut.moment.text:
            title += f": {plain_text(cut.moment.text)}"
        lines.append(f"#EXTINF:{float(cut.end_time - cut.start_time):.3f},{title}")
        lines.append(f"#EXTVLCOPT:start-time={float(cut.start_time):.6f}")
        lines.append(f"#EXTVLCOPT:stop-time={float(cut.end_time):.6f}")
        if cut.source.track is not None:
            lines.append(f"#EXTVLCOPT:video-track={cut.source.track}")
        lines.append(address(cut.source.path))
    return "".join(f"{line}\n" for line in lines).encode()


def _row(cut: Cut) -> dict[str, str | float | int | bool | list[str]]:
    """What is known of a cut. Ends are exclusive; times count from the start of the container."""
    source = cut.source
    try:
        labels = cut.timecode(cut.first), cut.timecode(cut.after)
    except ValueError:
        labels = "", ""  # no time code counts at this rate
    return {
        "path": str(source.path),
        "start_seconds": float(cut.start_time),
        "end_seconds": float(cut.end_time),
        "rate": str(source.rate),
        "variable_rate": source.variable,
        "start_frame": cut.first,
        "end_frame": cut.after,
        "start_timecode": labels[0],
        "end_timecode": labels[1],
        "confidence": round(cut.moment.confidence, 4),
        "score": round(cut.moment.score, 4),
        "profile": cut.moment.profile,
        "found_by": list(cut.moment.found_by),
        "text": cut.moment.text,
    }
