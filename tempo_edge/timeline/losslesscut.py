"""Cuts as projects of LosslessCut: one of one file, or one for each file in a ZIP.

A project is JSON5, which JSON is as well, and names its video without a folder. LosslessCut looks
for that beside the project, and opens ``film-proj.llc`` by itself with ``film.mp4``. All of its
releases read version 1.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tempo_edge.errors import TempoEdgeError
from tempo_edge.timeline.cuts import Cut
from tempo_edge.timeline.escaping import plain_text

__all__ = ["home_of", "write_llc", "write_llc_zip"]


def write_llc(cuts: Sequence[Cut]) -> bytes:
    """A project, to be kept beside the one file that it may cut.

    A segment is called by its line of words, or by how likely it is.

    Raises:
        TempoEdgeError: the cuts are of several files.
    """
    paths = list(dict.fromkeys(cut.source.path for cut in cuts))
    if len(paths) > 1:
        raise TempoEdgeError(
            f"llc holds cuts of one file, not of {len(paths)}: take zip, which has a project for "
            "each, or search in one with --in"
        )
    return _project(cuts)


def write_llc_zip(cuts: Sequence[Cut]) -> bytes:
    """A ZIP of projects, one for each file, to be unpacked in :func:`home_of` them."""
    home = home_of(cuts)
    archive = io.BytesIO()
    taken: set[str] = set()
    with ZipFile(archive, "w", ZIP_DEFLATED) as zipped:
        for path in dict.fromkeys(cut.source.path for cut in cuts):
            # Two films that differ in what their names end in alone can't both be opened by it.
            names = (f"{path.stem}-proj.llc", f"{path.name}-proj.llc")
            inside = [
                plain_text((path.parent.relative_to(home) / name).as_posix()) for name in names
            ]
            name = next((each for each in inside if each not in taken), inside[-1])
            taken.add(name)
            of_it = [cut for cut in cuts if cut.source.path == path]
            zipped.writestr(ZipInfo(name), _project(of_it), ZIP_DEFLATED)
    return archive.getvalue()


def home_of(cuts: Sequence[Cut]) -> Path:
    """The folder that all files of some cuts lie in, or below.

    Raises:
        TempoEdgeError: there is none, as on two drives of Windows.
    """
    try:
        return Path(os.path.commonpath([cut.source.path.parent for cut in cuts]))
    except ValueError as error:
        raise TempoEdgeError(
            "zip holds cuts of one drive, not of several: search on one with --in"
        ) from error


def _project(cuts: Sequence[Cut]) -> bytes:
    document = {
        "version": 1,
        "mediaFileName": cuts[0].source.path.name,
        "cutSegments": [
            {
                "start": round(float(cut.start_time), 6),
                "end": round(float(cut.end_time), 6),
                "name": plain_text(cut.moment.text) or f"{cut.moment.confidence:.2f}",
            }
            for cut in cuts
        ],
    }
    return (json.dumps(document, indent=2) + "\n").encode("ascii")
