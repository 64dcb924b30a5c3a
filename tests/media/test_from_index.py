"""A film that is listed by its container's index is the film that is listed by reading it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from gallery import GALLERY
from harness import Said
from videos import Truth, make_cut_short, make_video, motion

from benchmarks._pairs import pairs, write
from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, PacketTable, VideoInfo, _blocks, _listing, open_video
from tempo_edge.saa import SamplingBudget, plan

Gallery = Callable[[str], Truth]

# Transport streams have no index, and AVI says of B-frames less than they do themselves.
DEMUXED = ("open.ts", "closed.ts", "interlaced.ts", "mpeg4.avi")


@pytest.fixture(autouse=True)
def small_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is not read as a whole because it is small: all of these are."""
    monkeypatch.setattr(_listing, "_SMALL", 0)


def listed(path: Path, *, whole: bool) -> tuple[VideoInfo, PacketTable]:
    with open_video(path, whole=whole) as video:
        return video.info, video.packets()


def assert_same(table: PacketTable, other: PacketTable) -> None:
    for name in (field.name for field in fields(PacketTable) if field.name != "from_index"):
        one, two = getattr(table, name), getattr(other, name)
        np.testing.assert_array_equal(one, two, err_msg=name)


def all_frames(path: Path, table: PacketTable) -> list[tuple[int, np.ndarray[Any, Any]]]:
    """(time stamp, luma) of every run from one key frame to the next, the last one first."""
    found = []
    keys = table.pts[table.keys].tolist()
    ends = [*keys[1:], int(table.pts[-1]) + 1]
    with open_video(path, table=table) as video:
        for key, end in reversed(list(zip(keys, ends, strict=True))):
            run = DecodeRange(key, int(table.pts[table.pts < end][-1]))
            found += [(frame.pts, frame.luma().copy()) for frame in video.frames(run)]
        assert not video.contradicted and video.damaged == 0
    return found


@pytest.mark.parametrize("name", GALLERY)
def test_the_table_the_plan_and_the_pictures_are_those_of_the_whole_file(
    gallery: Gallery, name: str
) -> None:
    path = gallery(name).path
    (info, table), (whole_info, whole) = listed(path, whole=False), listed(path, whole=True)
    assert table.from_index == (name not in DEMUXED) and not whole.from_index
    assert info == whole_info
    assert_same(table, whole)
    budget = SamplingBudget()
    assert plan(table, info, budget).runs == plan(whole, info, budget).runs
    frames, meant = all_frames(path, table), all_frames(path, whole)
    assert [pts for pts, _ in frames] == [pts for pts, _ in meant]
    for (_, luma), (_, right) in zip(frames, meant, strict=True):
        np.testing.assert_array_equal(luma, right)


@pytest.mark.parametrize("name", ["plain.mp4", "variable.mkv", "intra.avi", "mpeg4.avi"])
def test_one_reader_may_list_and_decode(gallery: Gallery, name: str) -> None:
    with open_video(gallery(name).path) as video:
        table = video.packets()
        for last in table.pts[[-1, 5]].tolist():
            frames = list(video.frames(DecodeRange(int(table.pts[0]), last)))
            assert [frame.pts for frame in frames] == table.pts[table.pts <= last].tolist()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes that each file object has read, by the time it is closed."""
    found: list[int] = []
    close = _blocks.BlockFile.close

    def closing(file: _blocks.BlockFile) -> None:
        found.append(file.bytes_read)
        file.bytes_read = 0
        close(file)

    monkeypatch.setattr(_blocks.BlockFile, "close", closing)
    return found


def long_film(path: Path, **options: Any) -> Path:
    """A film of some megabytes with sound, and its index at the end."""
    coding = {"gop": 25, "scenecut": False, "size": (640, 360), "audio": True, **options}
    film: Path = make_video(path, shots=[(motion(1), 12)], options={"crf": "1"}, **coding).path
    assert film.stat().st_size > 1_000_000
    return film


def test_neither_listing_nor_a_run_reads_what_it_does_not_need(
    tmp_path: Path, counted: list[int]
) -> None:
    film = long_film(tmp_path / "a.mp4")
    _, table = listed(film, whole=False)
    assert counted[0] < film.stat().st_size / 50, "the index, and nothing besides"
    with open_video(film, table=table):
        pass
    opening = counted[-1]  # what FFmpeg reads to find out what it is
    key, end = table.pts[table.keys][[6, 7]].tolist()
    last = int(table.pts[table.pts >= key][4])
    with open_video(film, table=table) as video:
        assert len(list(video.frames(DecodeRange(key, last)))) == 5
    needed = table.sizes[(table.pts >= key) & (table.pts < end)][:9].sum()  # B-frames lean ahead
    sound = 20_000
    assert counted[-1] - opening <= needed + sound


@pytest.mark.parametrize("fraction", [0.5, 0.9])
def test_a_film_that_breaks_off_is_read_as_a_whole(tmp_path: Path, fraction: float) -> None:
    whole = long_film(tmp_path / "a.mp4", container_options={"movflags": "+faststart"})
    film = make_cut_short(whole, tmp_path / "b.mp4", fraction)
    _, table = listed(film, whole=False)
    assert not table.from_index and table.remarks[0].startswith("cut short")
    assert_same(table, listed(film, whole=True)[1])


def harm(film: Path, number: int, fill: bytes) -> None:
    """Overwrite a packet of the pictures."""
    with av.open(str(film)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][number]
    content = bytearray(film.read_bytes())
    content[packet.pos : packet.pos + packet.size] = fill * packet.size
    film.write_bytes(content)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_a_packet_that_is_decoded_and_is_not_what_the_index_says_is_found_out(
    tempo: Callable[..., Said], tmp_path: Path, codec: str, fill: bytes
) -> None:
    film = make_video(tmp_path / "a.mp4", shots=[(motion(1), 4)], gop=10, codec=codec, bframes=0)
    run = plan(*reversed(listed(film.path, whole=True)), SamplingBudget()).runs[1]
    _, table = listed(film.path, whole=False)
    harm(film.path, int(np.searchsorted(table.pts, run.key)), fill)
    _, table = listed(film.path, whole=False)
    assert table.from_index and table.keys[table.pts == run.key].all()
    with open_video(film.path, table=table) as video:
        with suppress(MediaError):
            list(video.frames(run))
        assert video.contradicted
    remark = "damaged: 1 of 100 packets is not whole"
    if codec != "mpeg4" or fill == b"\0":
        said = tempo("index", film.path).err.splitlines()
        assert said[0].startswith(f"remark on {film.path}: {remark}"), said


def test_an_index_that_tells_of_key_frames_that_are_none_is_found_out(tmp_path: Path) -> None:
    """The table of key frames names the second picture beside each."""
    film = make_video(tmp_path / "a.mp4", shots=[(motion(1), 4)], gop=10, bframes=0).path
    _, right = listed(film, whole=True)
    content = bytearray(film.read_bytes())
    at = content.index(b"stss") + 12
    first = content[at : at + 4]
    assert int.from_bytes(first, "big") == 1
    content[at + 4 : at + 8] = (15).to_bytes(4, "big")
    film.write_bytes(content)
    _, table = listed(film, whole=False)
    assert table.from_index and table.keys[14] and not table.keys[10]
    with open_video(film, table=table) as video:
        list(video.frames(DecodeRange(int(table.pts[14]), int(table.pts[16]))))
        assert video.contradicted
    assert_same(listed(film, whole=True)[1], replace(right, from_index=False))


# A muxer, the codecs in it whose packets it tells of, and some of whose packets it does not.
FAMILIES = {
    "mp4": (("libx264", "libx265", "mpeg4", "libsvtav1"), ()),
    "mov": (("libx264", "prores_ks", "mjpeg", "mpeg2video", "dnxhd", "h263"), ()),
    "matroska": (("libx264", "libx265", "libvpx", "mpeg2video", "ffv1", "mjpeg"), ()),
    "flv": (("libx264", "flv", "flashsv"), ()),
    "avi": (("mjpeg", "mpeg4", "msmpeg4", "dvvideo", "huffyuv"), ("mpeg2video", "h263")),
    "mxf": (("dnxhd", "jpeg2000", "dvvideo"), ("mpeg2video", "libx264")),
}
WRITTEN = [
    (muxer, encoder, told)
    for muxer, family in FAMILIES.items()
    for told, encoders in zip((True, False), family, strict=True)
    for encoder in encoders
]


@pytest.mark.parametrize(("muxer", "encoder", "is_told"), WRITTEN)
@pytest.mark.parametrize("kind", ["plain", "B-frames", "no index", "left out", "joined"])
def test_what_ffmpeg_writes_is_listed_the_same_either_way(
    tmp_path: Path, muxer: str, encoder: str, is_told: bool, kind: str
) -> None:
    pair = next(
        (each for each in pairs(kind) if (each.muxer, each.encoder) == (muxer, encoder)), None
    )
    path = None if pair is None else write(pair, tmp_path)
    if path is None:
        return  # no such kind of that codec
    try:
        info, table = listed(path, whole=False)
    except MediaError as refused:
        with pytest.raises(MediaError, match=re.escape(str(refused))):
            listed(path, whole=True)
        return
    whole_info, whole = listed(path, whole=True)
    if kind == "plain":
        assert table.from_index == is_told
    assert info == whole_info
    assert_same(table, whole)
