"""Clocks that start again, jump or go astray: no picture is lost, none is sought in vain."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from videos import Picture, make_gap, make_video, numbered, read_number, texture

from tempo_edge import Library
from tempo_edge.clips import cut, cut_or_copy
from tempo_edge.indexing.footage import Footage, FootageReader, Sampling
from tempo_edge.media import DecodeRange, PacketTable, _restarts
from tempo_edge.media._clock import Clock
from tempo_edge.media.pyav import PyAVVideo
from tempo_edge.media.stills import stills
from tempo_edge.models import load_profile
from tempo_edge.moment import Span
from tempo_edge.search.retrieve import retrieve

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


def read(path: Path, sampling: Sampling | None = None) -> Footage:
    """What indexing a file gives."""
    reader = FootageReader(load_profile("nano"), sampling or Sampling())
    try:
        return reader.read(path)
    finally:
        reader.close()


def seconds(video: PyAVVideo, table: PacketTable) -> np.ndarray[Any, Any]:
    return np.asarray([float(video.info.time_of(int(pts))) for pts in table.pts])


def numbers(video: PyAVVideo, run: DecodeRange) -> list[int]:
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
        run = DecodeRange(int(table.pts[0]), int(table.pts[-1]))
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
                run = DecodeRange(int(table.pts[first]), int(table.pts[last]))
                assert numbers(video, run) == list(range(first, last + 1))
            within = video.pictures(int(table.pts[117]), int(table.pts[123]))
            seen = [read_number(frame.reformat(format="gray").to_ndarray()) for frame in within]
            assert seen == list(range(117, 124))


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
@pytest.mark.parametrize("copied", [True, False])
def test_clips_of_a_later_part_are_of_that_part(tmp_path: Path, suffix: str, copied: bool) -> None:
    path = joined(tmp_path / f"all{suffix}", (0, 0, 0), audio=suffix == ".ts")
    with PyAVVideo(path) as video:
        table = video.packets()
        start = float(video.info.time_of(int(table.pts[70])))
    span = Span(start, start + 0.8)
    clip = cut_or_copy(path, span, tmp_path).path if copied else cut(path, span, tmp_path)
    with av.open(str(clip)) as container:
        seen = [
            read_number(frame.reformat(format="gray").to_ndarray())
            for frame in container.decode(video=0)
        ]
    assert seen == list(range(70, 90))
    if suffix == ".ts":
        with av.open(str(clip)) as container:
            heard = sum(frame.samples for frame in container.decode(audio=0)) / 48_000
        assert heard == pytest.approx(0.8, abs=0.1)


def test_a_joined_file_is_indexed_whole_and_a_remark_says_so(tmp_path: Path) -> None:
    path = joined(tmp_path / "all.ts", (0, 0))
    footage = read(path)
    assert footage.video.duration_seconds == pytest.approx(4)
    assert footage.remarks == ("its clock starts again at 2.0 s",)
    times = footage.video.seconds(np.asarray([row.pts for row in footage.frames]))
    assert (times > 2).any()
    shown = stills(path, [footage.frames[-1].pts], 48)
    grey = shown[footage.frames[-1].pts].mean(axis=2)
    assert read_number(grey.astype(np.uint8)) == round(times[-1] * 25)


def test_a_larger_file_is_looked_at_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To show one picture of a long film, not all of it may be read; a joined one is found out."""
    monkeypatch.setattr(_restarts, "_NEAREST", 4096)
    options = {"shots": [(texture(1), 20)], "size": (64, 48), "gop": 25, "scenecut": False}
    plain = make_video(tmp_path / "a.ts", **options).path
    both = tmp_path / "both.ts"
    both.write_bytes(plain.read_bytes() * 2)
    read: list[Path] = []
    whole = PyAVVideo.packets

    def packets(self: PyAVVideo) -> PacketTable:
        read.append(self._path)
        return whole(self)

    monkeypatch.setattr(PyAVVideo, "packets", packets)
    for path in (plain, both):
        with PyAVVideo(path) as video:
            tick = int((15 + video.info.start_time) / video.info.time_base)
            assert next(video.pictures(tick, tick + 90_000)).pts == tick
    assert read == [both]


class Counting(PyAVVideo):
    """Counts the packets that are read."""

    demuxed = 0

    def _demux(self) -> Iterator[Any]:
        for packet in super()._demux():
            self.demuxed += 1
            yield packet


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_a_picture_far_into_a_joined_file_is_not_sought_from_its_start(
    tmp_path: Path, suffix: str
) -> None:
    path = joined(tmp_path / f"all{suffix}", (0, 0, 0, 0))
    with PyAVVideo(path) as video:
        table = video.packets()
    with Counting(path, table=table) as video:
        for row in np.flatnonzero(table.keys)[:-12:-5].tolist():
            before = video.demuxed
            run = DecodeRange(int(table.pts[row]), int(table.pts[row]))
            assert row > 80 and numbers(video, run) == [row]
            assert video.demuxed - before < 60


def test_looks_come_nearer_and_nearer_to_both_ends_of_a_file() -> None:
    size = 1 << 30
    near = {1 << power for power in range(19, 24)}
    meant = {look << 24 for look in range(64)} | near | {size - place for place in near}
    assert list(_restarts._places(size)) == sorted(meant)


TICK, SECOND = 3600, 90_000.0


@pytest.mark.parametrize("by", [10 * 3600, -3600])
def test_a_damaged_time_stamp_moves_nothing(by: int) -> None:
    times = np.arange(100, dtype=np.int64) * TICK
    times[20] += round(by * SECOND)
    clock = Clock.of(times, times, SECOND, resets=True)
    assert np.flatnonzero(~clock.good).tolist() == [20]
    assert clock.shifts.tolist() == [0]


@given(
    lengths=st.lists(st.integers(3, 40), min_size=1, max_size=5),
    starts=st.lists(st.integers(0, 3600 * 25), min_size=5, max_size=5),
)
def test_times_rise_through_parts_that_go_back(lengths: list[int], starts: list[int]) -> None:
    """FFmpeg adds 26.5 hours where a clock starts again far below: those parts follow on too."""
    firsts = sorted(starts, reverse=True)[: len(lengths)]
    parts = [first + np.arange(length) for first, length in zip(firsts, lengths, strict=True)]
    times = np.concatenate(parts).astype(np.int64) * TICK
    assume((np.diff([part[0] for part in parts]) < -250).all())
    far = times < times[0] - 60 * SECOND
    for raw in (times, np.where(far, times + 2**33, times)):
        clock = Clock.of(raw, raw, SECOND, resets=True)
        assert clock.good.all()
        assert np.diff(clock.rising(raw)).tolist() == [TICK] * (len(times) - 1)


def test_an_hour_that_is_missing_is_no_footage(tmp_path: Path) -> None:
    """Its clock goes on, as players have it; what is shown ends with the picture before it."""
    path = joined(tmp_path / "hole.ts", (0, 3600))
    footage = read(path)
    video = footage.video
    assert video.duration_seconds == pytest.approx(4, abs=0.1)
    assert video.end_seconds == pytest.approx(3602, abs=0.1)
    assert footage.remarks == ()
    assert len(read(path, Sampling(frames_per_second=1)).frames) <= 6
    with Library.open(tmp_path / "library.db") as library:
        assert library.index(path).footage_seconds == pytest.approx(4, abs=0.1)
        assert library.totals()["hours"] * 3600 == pytest.approx(4, abs=0.1)
        assert library.catalogue.video(1) == video
        library.vectors.refresh()
        query = np.ones(library.profile.dim, np.float32)
        windows = retrieve(query / np.linalg.norm(query), library.catalogue, library.vectors)
    ends = sorted((float(window.edges[0]), float(window.edges[-1])) for window in windows)
    assert np.asarray(ends) == pytest.approx(np.asarray([(0, 2), (3600, 3602)]), abs=0.1)


def test_a_gap_of_years_is_neither_footage_nor_an_array(tmp_path: Path) -> None:
    path = tmp_path / "years.mkv"
    make_gap(path, seconds=50 * 31_536_000)
    for sampling in (Sampling(), Sampling(frames_per_second=1)):
        footage = read(path, sampling)
        assert 7 <= footage.video.duration_seconds <= 10
        assert len(footage.frames) == 9
