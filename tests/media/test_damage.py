"""A damaged or shortened file is read as far as it goes and says so; a whole one does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from gallery import GALLERY
from harness import Said
from videos import Truth, make_cut_short, make_video, motion

from tempo_edge.media import Run, open_video

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
            list(video.frames(Run(key, end - 1)))
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
        return max(packet.pos + packet.size for packet in container.demux(video=0) if packet.size)


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
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mp4", "mpeg4"), ("a.mpg", "mpeg2video")]
)
def test_pictures_that_can_not_be_decoded_whole_are_counted(
    tempo: Callable[..., Said], tmp_path: Path, name: str, codec: str
) -> None:
    harm(make_video(tmp_path / name, shots=[(motion(1), 4)], gop=10, codec=codec).path)
    said = tempo("index", tmp_path).err.splitlines()
    assert said[0].startswith(f"remark on {tmp_path / name}: ")
    assert "damaged: " in said[0] and "not whole" in said[0]
    assert said[-1].startswith("1 indexed")
