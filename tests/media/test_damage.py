"""A damaged or shortened file is read as far as it goes and says so; a whole one does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from gallery import GALLERY
from harness import Said
from videos import Picture, Truth, make_cut_short, make_video, motion, texture

from tempo_edge.media import DecodeRange, open_video

Gallery = Callable[[str], Truth]


def harm(path: Path, places: int = 40) -> Path:
    """Overwrite bytes in the middle of a file, as a failing disk does."""
    content, dice = bytearray(path.read_bytes()), random.Random(1)
    for _ in range(places):
        at = dice.randrange(len(content) * 3 // 10, len(content) * 7 // 10)
        content[at : at + 8] = dice.randbytes(8)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", GALLERY)
def test_a_whole_film_has_no_remarks(gallery: Gallery, name: str) -> None:
    with open_video(gallery(name).path) as video:
        table = video.packets()
        assert video.info.remarks == table.remarks == ()
        keys = table.pts[table.keys].tolist()
        for key, end in zip(keys, [*keys[1:], int(table.pts[-1]) + 1], strict=True):
            list(video.frames(DecodeRange(key, end - 1)))
        assert video.damaged == 0


@pytest.mark.parametrize(
    ("name", "codec", "remark"),
    [
        ("a.mp4", "libx264", "cut short: it ends at {} s, its container promises 4.0 s"),
        ("a.mkv", "libx264", "cut short: it ends at {} s, its container promises 4.0 s"),
        ("a.avi", "mpeg4", "cut short: it ends at {} s"),
        ("a.ts", "libx264", "cut short: it ends at {} s"),
        ("a.mpg", "mpeg2video", "cut short: it ends at {} s"),
        ("a.wmv", "wmv2", "cut short: it ends at {} s, its container promises 4.0 s"),
        ("a.flv", "flv", "cut short: it ends at {} s, its container promises 4.0 s"),
        ("a.mxf", "mpeg2video", "cut short: it ends at {} s"),
    ],
)
def test_a_film_that_breaks_off_says_where(
    tempo: Callable[..., Said], tmp_path: Path, name: str, codec: str, remark: str
) -> None:
    options = {"movflags": "+faststart"} if name == "a.mp4" else {}
    (tmp_path / "whole").mkdir()
    whole = make_video(
        tmp_path / "whole" / name,
        shots=[(motion(1), 4)],
        gop=10,
        codec=codec,
        container_options=options,
    )
    film = make_cut_short(whole.path, tmp_path / name, 0.6)
    with open_video(film) as video:
        table = video.packets()
        assert table.end is not None
        end = float(video.info.time_of(table.end))
    assert 1 < end < 3.5
    assert table.remarks == (remark.format(f"{end:.1f}"),)
    said = tempo("index", tmp_path).err.splitlines()
    assert said[0].startswith(f"remark on {film}: {table.remarks[0]}")
    assert "2 indexed" in said[-1] and len(said) == 2, "the whole one has none"
    assert f"remark    {film}: {table.remarks[0]}" in tempo("status").out


def last_byte(path: Path) -> int:
    """Where the last picture of a film ends."""
    with av.open(str(path)) as container:
        return max(int(packet.pos or 0) + packet.size for packet in container.demux(video=0))


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.mkv", "libx264")])
def test_a_film_that_lacks_its_index_alone_is_whole(tmp_path: Path, name: str, codec: str) -> None:
    whole = make_video(tmp_path / name, shots=[(motion(1), 4)], gop=10, codec=codec).path
    end = last_byte(whole)
    assert end + 100 < whole.stat().st_size, "there is an index"
    film = tmp_path / f"b{whole.suffix}"
    film.write_bytes(whole.read_bytes()[: end + 20])
    with open_video(film) as video:
        table = video.packets()
    assert len(table) == 100
    assert table.remarks == ()
    # Its last picture is another matter.
    film.write_bytes(whole.read_bytes()[: end - 2000])
    with open_video(film) as video:
        assert [remark[:9] for remark in video.packets().remarks] == ["cut short"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.mp4", "libx264"), ("a.mp4", "mpeg4"), ("a.mpg", "mpeg2video")),
        ("a.mp4", "libx265"),  # whose decoder says nothing of what it leaves out
    ],
)
def test_pictures_that_can_not_be_decoded_whole_are_counted(
    tempo: Callable[..., Said], tmp_path: Path, name: str, codec: str
) -> None:
    film = make_video(tmp_path / name, shots=[(motion(1), 4)], gop=10, codec=codec).path
    harm(film, places=200)  # so that some of what a plan decodes is hit, whatever the plan
    said = tempo("index", tmp_path).err.splitlines()
    assert said[0].startswith(f"remark on {tmp_path / name}: ")
    assert "damaged: " in said[0] and "not whole" in said[0]
    assert said[-1].startswith("1 indexed")


def busy(width: int, height: int, index: int) -> Picture:
    """Another picture five times a second, so that every stretch of a film takes some bytes."""
    return texture(index // 5, cell=16)(width, height, index)


LOSING: dict[str, dict[str, Any]] = {
    "a.ts": {"codec": "libx264"},
    "a.m2ts": {"codec": "libx264"},
    "a.mkv": {"codec": "libx265"},
    "one_gop.mkv": {"codec": "libx264", "gop": 250, "scenecut": False},
    "a.webm": {"codec": "libvpx-vp9"},
    "a.wmv": {"codec": "wmv2"},
    "a.flv": {"codec": "flv"},
    "a.mpg": {"codec": "mpeg2video"},
    "a.mxf": {"codec": "mpeg2video"},
}


def overwrite(path: Path, fill: str) -> Path:
    """Lose three tenths of a film in its middle."""
    content = bytearray(path.read_bytes())
    first, end = len(content) * 4 // 10, len(content) * 7 // 10
    lost = end - first
    content[first:end] = bytes(lost) if fill == "zeros" else random.Random(7).randbytes(lost)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("fill", ["zeros", "noise"])
@pytest.mark.parametrize("name", LOSING)
def test_a_stretch_that_can_not_be_read_is_told_and_is_a_hole(
    tmp_path: Path, name: str, fill: str
) -> None:
    options = {"gop": 12, **LOSING[name]}
    overwrite(make_video(tmp_path / name, shots=[(busy, 6)], **options).path, fill)
    with open_video(tmp_path / name) as video:
        table, info = video.packets(), video.info
    gaps = np.diff(table.pts)
    at = int(gaps.argmax())
    before, after = (float(info.time_of(int(pts))) for pts in table.pts[at : at + 2])
    assert 1 < before < 3 and 3.5 < after < 5.9
    # A single picture may stand shortly before what is lost.
    (told,) = (remark for remark in table.remarks if "nothing can be read" in remark)
    assert told.startswith("damaged: nothing can be read from ")
    assert told.endswith(f" to {after:.1f} s")
    assert before - 0.5 < float(told.split()[6]) < before + 0.1
    assert after in [float(info.time_of(end)) for _, end in table.holes]
    assert float(info.time_of(int(table.pts[-1]))) > 5.8, "what follows is read"


def test_of_a_film_that_counts_its_pictures_the_length_tells(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "a.avi", shots=[(busy, 6)], gop=12, codec="mpeg4").path
    with open_video(overwrite(whole, "zeros")) as video:
        table, info = video.packets(), video.info
    assert table.end is not None
    missed = float(6 - info.time_of(table.end))
    assert 1 < missed < 2.5
    assert table.remarks == (
        f"damaged: {missed:.1f} s can't be read, what follows is listed that early",
    )


STANDING = [(name, heard) for name in ("ts", "mkv", "mp4", "flv", "wmv") for heard in (False, True)]


@pytest.mark.parametrize(("suffix", "audio"), [*STANDING, ("vob", False)])
def test_a_picture_that_stands_for_long_is_no_damage(
    tmp_path: Path, suffix: str, audio: bool
) -> None:
    codec = {"flv": "flv", "wmv": "wmv2", "vob": "mpeg2video"}.get(suffix, "libx264")
    name = f"a.{suffix}"
    options = {"gop": 12, "codec": codec, "drop": range(40, 140)}
    make_video(tmp_path / name, shots=[(busy, 6)], audio=audio, **options)
    with open_video(tmp_path / name) as video:
        table = video.packets()
    assert np.diff(table.pts).max() * video.info.time_base > 4
    assert (table.remarks, table.holes) == ((), ())


@pytest.mark.parametrize("audio", [False, True])
def test_footage_that_nothing_leads_to_any_more_is_told(tmp_path: Path, audio: bool) -> None:
    """All of a short Matroska file is one cluster: what follows a lost stretch is in none."""
    options = {"cluster_time_limit": "20000", "cluster_size_limit": "100000000"}
    coding = {"gop": 250, "scenecut": False, "audio": audio, "container_options": options}
    whole = make_video(tmp_path / "a.mkv", shots=[(busy, 6)], **coding)  # type: ignore[arg-type]
    with open_video(whole.path) as video:
        assert video.packets().remarks == ()
    with open_video(overwrite(whole.path, "zeros")) as video:
        table = video.packets()
        assert table.end is not None
        end = float(video.info.time_of(table.end))
    assert 1.5 < end < 3
    assert table.remarks[-1] == f"damaged: nothing can be read after {end:.1f} s"


@pytest.mark.parametrize("fill", ["zeros", "noise"])
def test_fragments_that_can_not_be_reached_are_told(tmp_path: Path, fill: str) -> None:
    options = {"movflags": "+frag_keyframe+empty_moov"}
    whole = make_video(tmp_path / "a.mp4", shots=[(busy, 6)], gop=12, container_options=options)
    with open_video(whole.path) as video:
        assert video.packets().remarks == ()
    with open_video(overwrite(whole.path, fill)) as video:
        table = video.packets()
        assert table.end is not None
        end = float(video.info.time_of(table.end))
    assert 2 < end < 3.5
    assert table.remarks[-1] == f"damaged: nothing can be read after {end:.1f} s"


@pytest.mark.parametrize(("fill", "codec"), [(b"\xff", "libx264"), (b"\0", "mpeg4")])
def test_a_picture_that_nobody_decodes_is_known_to_be_damaged(
    tempo: Callable[..., Said], tmp_path: Path, fill: bytes, codec: str
) -> None:
    """Indexing decodes some pictures only: the others are looked at as they are listed."""
    film = make_video(
        tmp_path / "a.mp4", shots=[(motion(1), 4)], codec=codec, scenecut=False, bframes=0
    ).path
    with av.open(str(film)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][70]
    content = bytearray(film.read_bytes())
    content[packet.pos : packet.pos + packet.size] = fill * packet.size
    film.write_bytes(content)
    told = "damaged: 1 of 100 packets is not whole"
    assert tempo("index", tmp_path).err.splitlines()[0].startswith(f"remark on {film}: {told}")
    assert f"remark    {film}: {told}" in tempo("status").out
