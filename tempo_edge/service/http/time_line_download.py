"""Moments as a file for an editor or a player."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tempo_edge.errors import MediaError, MissingExtraError, ServiceError
from tempo_edge.library import Library
from tempo_edge.moment import Moment
from tempo_edge.service.http.listing import files_of, shown_path
from tempo_edge.words.line import Line

__all__ = ["MOST", "content_type", "header", "moments_named", "write"]

#: Moments that may be named in one request.
MOST = 200

# Times in a request are to the microsecond, or to the millisecond where people write them.
_SAME_SECONDS = 0.0006

# Remarks that an answer's head has room for, whatever the names of files in them are.
_REMARKS = 10

_NAMED = re.compile(r"([0-9]{1,18}):([0-9]{1,13}(?:\.[0-9]{1,9})?)-([0-9]{1,13}(?:\.[0-9]{1,9})?)")

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "edl": "text/plain; charset=utf-8",
    "fcpxml": "application/xml",
    "json": "application/json",
    "llc": "application/json",
    "m3u": "audio/x-mpegurl",
    "otio": "application/json",
    "zip": "application/zip",
}


def content_type(form: str) -> str:
    """The media type of a format."""
    return _TYPES.get(form, "application/octet-stream")


def header(remarks: list[str]) -> str:
    """Remarks as the value of an HTTP header: a JSON list in ASCII, of the first few if many."""
    return json.dumps(remarks[:_REMARKS])


def moments_named(library: Library, named: list[str]) -> list[Moment]:
    """The moments that a request names as ``ID:START-END``, times in seconds.

    One that is a line of words has these words, in each language that the video has them in.

    Raises:
        ServiceError: one is not of that form (status 400), or its video not listed (404).
    """
    moments = []
    lines_of = cache(library.catalogue.lines)
    for text in named:
        found = _NAMED.fullmatch(text)
        if found is None:
            raise ServiceError(400, f"moment {text!r} must be ID:START-END, as 12:3.5-8")
        row, online = shown_path(files_of(library, int(found[1])))
        start, end = float(found[2]), float(found[3])
        if end <= start:
            raise ServiceError(400, f"moment {text!r} must end after it starts")
        name = library.profile.name
        moment = Moment(Path(row.path), start, end, 0.0, 1.0, name, not online)
        moments.append(replace(moment, **_words(lines_of(int(found[1])), moment)))
    return moments


def _words(lines: list[Line], moment: Moment) -> dict[str, Any]:
    """What a moment was found by, and its words, where it is the very span of a line of words."""
    same = [
        line
        for line in lines
        if line.kind != "name"  # which a whole video would be
        and abs(line.start_seconds - moment.start_seconds) < _SAME_SECONDS
        and abs(line.end_seconds - moment.end_seconds) < _SAME_SECONDS
    ]
    if not same:
        return {}
    texts = dict.fromkeys(line.text for line in same)
    return {
        "found_by": tuple(dict.fromkeys(line.kind for line in same)),
        "text": " / ".join(texts),
    }


def write(moments: list[Moment], form: str) -> tuple[bytes, list[str]]:
    """A file that holds some moments, and what may surprise, one line each.

    Moments whose videos are not there are left out, as the command line does; that is said.

    Raises:
        ServiceError: what writes it is not installed (status 503), or none of the videos is there
            and can be read (404).
        TempoEdgeError: there is no such format, or there are no moments.
    """
    from tempo_edge import timeline  # opens decoders, which a search does without

    remarks: list[str] = []
    try:
        return timeline.write(moments, form, on_remark=remarks.append), remarks
    except MediaError as error:
        raise ServiceError(404, str(error)) from error
    except MissingExtraError as error:
        raise ServiceError(503, str(error)) from error
