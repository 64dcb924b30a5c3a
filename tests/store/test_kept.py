"""What a reader keeps of all rows is what they say, whoever writes them meanwhile."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tempo_edge.capture.facts import Capture, Instant
from tempo_edge.filters import Filters
from tempo_edge.store.embedded.catalogue import SqliteCatalogue
from tempo_edge.store.rows import FileRow, FrameRow, VideoRow

SINCE = Filters(since=datetime(2020, 1, 1))


def put(catalogue: SqliteCatalogue, number: int, frames: int, *, timed: bool) -> None:
    facts = VideoRow("h264", 64, 48, 9.0, None, Fraction(1), Fraction(0))
    nothing = np.zeros(0, np.uint8), np.zeros((0, 4), np.int8)
    rows = [FrameRow(i, 0.5, False, np.ones(4, np.int8), *nothing) for i in range(frames)]
    path = f"/films/{number}.mp4"
    with catalogue.transaction():
        video = catalogue.put_video(bytes([number]), facts, rows, np.zeros((0, 2), np.float32))
        catalogue.put_file(FileRow(path, "", 1, 1, "indexed", "", video))
        if timed:
            catalogue.note_capture(path, "", Capture(Instant(datetime(2021, 1, 1)), "container"))


def test_a_reader_sees_what_others_write(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with SqliteCatalogue(path) as writer, SqliteCatalogue(path, readonly=True) as reader:
        told = []
        for number, timed in enumerate([True, False, False]):
            put(writer, number, 2, timed=timed)
            with reader.snapshot():
                told.append((reader.count_frames(), reader.lacking(SINCE)))
                put(writer, 10 + number, 5, timed=False)
                assert told[-1] == (reader.count_frames(), reader.lacking(SINCE)), "a snapshot"
            assert (writer.count_frames(), writer.lacking(SINCE)) == (
                reader.count_frames(),
                reader.lacking(SINCE),
            )
        assert told == [(2, 0), (9, 2), (16, 4)]


def test_it_is_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "library.db"
    with SqliteCatalogue(path) as writer:
        put(writer, 1, 3, timed=False)
    with SqliteCatalogue(path, readonly=True) as reader:
        said: list[str] = []
        reader._db.set_trace_callback(said.append)
        for _ in range(3):
            with reader.snapshot():
                assert (reader.count_frames(), reader.lacking(SINCE)) == (3, 1)
        assert sum("sum(frame_count)" in each for each in said) == 1
        assert sum("DISTINCT video_id" in each for each in said) == 2
