"""Clocks that start again, jump or go astray: no picture is lost, none is sought in vain."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from videos import Picture, make_video, numbered, read_number

from tempo_edge.media import PacketTable, Run
from tempo_edge.media._pyav import PyAVVideo

RATE = Fraction(25)

# Suffix, and how the pictures are coded there.
KINDS: dict[str, dict[str, Any]] = {
    ".ts": {"codec": "libx264", "bframes": 2},
    ".m2ts": {"codec": "mpeg2video", "bframes": 2},
    ".mpg": {"codec": "mpeg2video", "bframes": 2},
    ".vob": {"codec": "mpeg2video", "bframes": 0},
}


def counting_from(first: int) -> Callable[[int, int, int], Picture]:
    """Pictures that tell their number, the first of them this one."""
    draw = numbered()
    return lambda width, height, index: draw(width, height, first + index)


def joined(path: Path, starts: Sequence[float], seconds: float = 2.0, **options: Any) -> Path:
    """Parts joined byte by byte, each with a clock that starts at its own time."""
    content = b""
    for number, start in enumerate(starts):
        part = path.with_name(f"{number}{path.suffix}")
        make_video(
            part,
            shots=[(counting_from(round(number * seconds * RATE)), seconds)],
            size=(192, 112),
            gop=10,
            scenecut=False,
            start_seconds=start,
            **{**KINDS[path.suffix], **options},
        )
        content += part.read_bytes()
    path.write_bytes(content)
    return path


def seconds(video: PyAVVideo, table: PacketTable) -> np.ndarray[Any, Any]:
    return np.asarray([float(video.info.time_of(int(pts))) for pts in table.pts])


def numbers(video: PyAVVideo, run: Run) -> list[int]:
    return [read_number(frame.luma()) for frame in video.frames(run)]


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("starts", [(0, 0), (0, 0, 0, 0), (300, 7), (3, 1.4)])
def test_parts_follow_one_another(tmp_path: Path, suffix: str, starts: tuple[float, ...]) -> None:
    path = joined(tmp_path / f"all{suffix}", starts)
    with PyAVVideo(path) as video:
        table = video.packets()
        count = 50 * len(starts)
        assert len(table) == count
        found = seconds(video, table)
        assert found - found[0] == pytest.approx(np.arange(count) / 25, abs=0.05)
        assert found[0] == pytest.approx(0, abs=0.2)  # sound may begin a little before
        run = Run(int(table.pts[0]), int(table.pts[-1]))
        assert numbers(video, run) == list(range(count))
        assert len(table.parts) == len(starts)
    told = {2: "its clock starts again at 2.0 s", 4: "its clock starts again at 2.0, 4.0 and 6.0 s"}
    assert table.remarks == (told[len(starts)],)


@pytest.mark.parametrize("suffix", KINDS)
def test_every_run_of_a_joined_file_is_what_was_put_in(tmp_path: Path, suffix: str) -> None:
    path = joined(tmp_path / f"all{suffix}", (0, 0, 0))
    with PyAVVideo(path) as video:
        table = video.packets()
    keys = np.flatnonzero(table.keys).tolist()
    rng = random.Random(suffix)
    runs = [(key, min(149, key + rng.randrange(30))) for key in rng.sample(keys, 10)]
    runs.append((keys[-1], 149))
    # With the table as a worker has it, and by somebody who opens the file at some time later.
    for known in (table, None):
        with PyAVVideo(path, table=known) as video:
            for first, last in runs:
                run = Run(int(table.pts[first]), int(table.pts[last]))
                assert numbers(video, run) == list(range(first, last + 1))
            within = video.pictures(int(table.pts[117]), int(table.pts[123]))
            seen = [read_number(frame.reformat(format="gray").to_ndarray()) for frame in within]
            assert seen == list(range(117, 124))
