"""The benchmark of clips: no two are alike, the limit does what it says, a table is one."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest
from videos import make_video, texture

from benchmarks._reading_films import repeat
from benchmarks.reading_clips import Run, SlowDisk, least, table, write_clips
from tempo_edge.media import open_video
from tempo_edge.models import load_profile


def test_clips_have_the_same_pictures_and_other_contents(tmp_path: Path) -> None:
    film, clips = tmp_path / "film.mp4", tmp_path / "clips"
    make_video(film, shots=[(texture(1), 12)], size=(96, 64), rate=Fraction(5), gop=5)
    write_clips(clips, 3, film)
    found = sorted(clips.iterdir())
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in found}) == 3
    tables = []
    for path in found:
        with open_video(path) as video:
            tables.append(video.packets().pts.tolist())
    assert tables[0] == tables[1] == tables[2]
    assert 50 <= len(tables[0]) <= 51, "ten seconds"


@pytest.mark.parametrize("seconds", [3, 12, 30])
def test_a_film_is_repeated_for_as_long_as_is_asked(tmp_path: Path, seconds: int) -> None:
    film, longer = tmp_path / "film.mp4", tmp_path / "longer.mp4"
    make_video(film, shots=[(texture(1), 12)], size=(96, 64), rate=Fraction(5), gop=5)
    repeat(film, longer, seconds)
    with open_video(longer) as video:
        table = video.packets()
    assert len(table.pts) == 5 * seconds
    assert len(set(table.pts.tolist())) == len(table.pts)


def test_the_limit_encodes_as_many_pictures_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film.mp4"
    make_video(film, shots=[(texture(1), 2)], size=(96, 64), rate=Fraction(5), gop=5)
    tower = type(load_profile("nano").image_tower)
    encode, counted = tower.encode, list[int]()

    def counting(self: object, pictures: object) -> object:
        counted.append(len(pictures))  # type: ignore[arg-type]
        return encode(self, pictures)  # type: ignore[arg-type]

    monkeypatch.setattr(tower, "encode", counting)
    least([film], 20)
    assert sorted(counted) == [4, 16]


def test_a_row_tells_how_busy_the_cores_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.reading_clips.cpu_count", lambda: 2)
    run = Run("clips", "now", 120.0, 2.0, 3.0, 250.0, 17.0, 40)
    assert run.busy == 0.75
    assert table([run]).splitlines()[-1] == (
        "| clips | now | 120 s | 2.00 s | 60.0 | 3.0 s | 75% | 250 MB | 17 MB | 40 |"
    )


def test_a_disk_that_nobody_knows_is_not_slowed() -> None:
    with pytest.raises(OSError, match="names no disk for /proc"):
        SlowDisk(Path("/proc"), 40_000_000)
