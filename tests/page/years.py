"""A library of many years, made of few films: one film under many names costs no disk."""

from __future__ import annotations

import os
import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import tempo_edge
from tempo_edge.capture.facts import Capture, Coordinates, Instant
from tempo_edge.store.opening import open_store
from tempo_edge.store.rows import FileRow

__all__ = ["COUNT", "make_years"]

#: How many videos there are, besides those of the library that it is made of.
COUNT = 300

_LISBON = Coordinates(38.7139, -9.1394)
_FIRST = datetime(2007, 6, 1)


def make_years(shown: Path, folder: Path) -> Path:
    """A library of the videos of another one and of many more, drawn by a seed; its path.

    Of every seventh only the time of its file is known; a third is by a telephone in Lisbon. Of
    one video no time is known. For three years nothing was taken.
    """
    library = folder / "kept" / "library.db"
    shutil.copytree(shown.parent, library.parent)
    drawn = random.Random(7)
    store = open_store(library)
    with tempo_edge.Library.open(library) as opened:
        rows = [row for row in opened.files() if row.state == "indexed"]
    film = next(row for row in rows if row.path.endswith("summer.mp4"))
    days = sorted(drawn.sample([day for day in range(6900) if not 2000 < day < 3100], COUNT))
    with store.lock(), store.writer() as writer, writer.transaction():
        assert film.video_id is not None
        facts, curve = writer.video(film.video_id), writer.curve(film.video_id)
        for number, day in enumerate(days):
            path = folder / f"{number:03}.mp4"
            os.link(film.path, path)
            video = writer.put_video(f"{number}".encode(), facts, [], curve)
            row = FileRow(str(path), "", film.size, film.mtime_ns, "indexed", "", video)
            writer.put_file(row)
            instant = Instant(_FIRST + timedelta(days=day, hours=12))
            if number % 7 == 0:
                capture = Capture(instant, "file")
            elif number % 3 == 0:
                capture = Capture(instant, "container", _LISBON, "Lisbon, PT", "Apple", "iPhone 12")
            else:
                capture = Capture(instant, "container")
            if number:
                writer.note_capture(str(path), "", capture)
    return library
