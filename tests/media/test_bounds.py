"""A file may claim what one of its size can hold, and pictures that memory has room for."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import pytest
from av.packet import Packet
from av.video.frame import VideoFrame
from bombs import make_table, png
from hypothesis import given, settings
from hypothesis import strategies as st
from videos import make_video, motion

from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, open_video
from tempo_edge.media._bounds import bounded
from tempo_edge.media._promises import promised_samples
from tempo_edge.media.container import open_container


def small() -> bytes:
    """An MP4 with every table that promises something."""
    with tempfile.TemporaryDirectory() as folder:
        edits = [(5, 0), (5, 20), (5, 0)]
        path = make_table(Path(folder) / "a.mp4", b"x" * 100, size=2, chunks=50, edits=edits)
        return path.read_bytes()


SMALL = small()


def test_pictures_that_unpack_to_half_a_gigabyte_are_refused(tmp_path: Path) -> None:
    picture = png(8192)
    path = make_table(
        tmp_path / "a.mov", picture, size=len(picture), chunks=8, codec=b"png ", shape=(8192, 8192)
    )
    with pytest.raises(MediaError) as caught:
        open_video(path)
    assert str(caught.value) == (
        "holds pictures of 8192x8192 that take 537 MB each, at most 210 MB are decoded"
    )


def test_pictures_too_large_to_be_looked_at_are_not_decoded_at_all(tmp_path: Path) -> None:
    picture = png(16384, depth=8)
    path = make_table(
        tmp_path / "a.mov", picture, size=len(picture), codec=b"png ", shape=(16384, 16384)
    )
    with pytest.raises(MediaError, match="codec or size is unknown, or too large"):
        open_video(path)


def pictures_alive() -> int:
    # By type, because to ask a proxy of something that is gone is an error.
    return sum(issubclass(type(each), VideoFrame) for each in gc.get_objects())


def test_no_picture_outlives_its_use(tmp_path: Path) -> None:
    """Decoded pictures are large: they go at once, not when Python looks for circles."""
    truth = make_video(tmp_path / "a.mp4", shots=[(motion(1), 2)], size=(64, 48))
    gc.disable()
    try:
        with open_video(truth.path) as video:
            table = video.packets()
            before = pictures_alive()
            for frame in video.frames(DecodeRange(int(table.pts[0]), int(table.pts[-1]))):
                frame.luma()
                frame.thumbnail(32)
                alive = pictures_alive() - before
                assert alive <= 8, "this one, and those that came with it"
    finally:
        gc.enable()


def test_a_table_that_promises_millions_is_refused_before_it_is_listed(tmp_path: Path) -> None:
    path = make_table(tmp_path / "a.mp4", b"\xff" * 7000, size=1, chunks=7000, samples_a_chunk=7000)
    with pytest.raises(MediaError) as caught:
        open_video(path)
    assert str(caught.value) == (
        "can't be opened: its tables promise 49000000 pictures and sounds, "
        "more than its 35580 bytes can hold"
    )


def test_an_edit_list_that_repeats_a_stretch_for_hours_is_refused(tmp_path: Path) -> None:
    picture = png(32, depth=8)
    path = make_table(
        tmp_path / "a.mp4",
        picture,
        size=len(picture),
        chunks=50,
        codec=b"png ",
        shape=(32, 32),
        edits=[(50, 0)] * 900,
    )
    assert promised_samples(path) == 900 * 50
    with pytest.raises(MediaError, match="promise 45000 pictures"):
        open_video(path)


def test_a_few_edits_are_footage(tmp_path: Path) -> None:
    picture = png(32, depth=8)
    path = make_table(
        tmp_path / "a.mp4",
        picture,
        size=len(picture),
        chunks=50,
        codec=b"png ",
        shape=(32, 32),
        edits=[(5, 0), (5, 20), (5, 0)],
    )
    with open_video(path) as video:
        assert len(video.packets()) == 15


@pytest.mark.parametrize("scales", [(1, 1), (600, 10), (10, 600)])
def test_an_edit_lasts_in_ticks_of_the_movie_and_begins_in_those_of_its_track(
    tmp_path: Path, scales: tuple[int, int]
) -> None:
    picture = png(32, depth=8)
    path = make_table(
        tmp_path / "a.mp4",
        picture,
        size=len(picture),
        chunks=50,
        codec=b"png ",
        shape=(32, 32),
        edits=[(5, 0), (7, 20), (3, 40)],
        scales=scales,
    )
    with open_container(path) as container:
        assert sum(1 for packet in container.demux() if packet.size) == 5 + 7 + 3
    # A picture that an edit only touches counts as well.
    assert promised_samples(path) == 6 + 8 + 4


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".3gp", ".m4v"])
@pytest.mark.parametrize("fragmented", [False, True])
def test_what_tables_promise_is_counted_as_ffmpeg_counts_it(
    tmp_path: Path, suffix: str, fragmented: bool
) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"} if fragmented else {}
    codec = "mpeg4" if suffix == ".3gp" else "libx264"
    truth = make_video(
        tmp_path / f"a{suffix}",
        shots=[(motion(1), 3)],
        size=(176, 144),
        gop=10,
        codec=codec,
        audio=True,
        container_options=options,
    )
    with open_container(truth.path) as container:
        listed = sum(1 for packet in container.demux() if packet.size)
    assert 0 <= promised_samples(truth.path) - listed <= 2


def test_a_fragment_that_promises_millions_is_refused(tmp_path: Path) -> None:
    truth = make_video(
        tmp_path / "a.mp4",
        shots=[(motion(1), 1)],
        container_options={"movflags": "frag_keyframe+empty_moov"},
    )
    data = bytearray(truth.path.read_bytes())
    at = data.index(b"trun") + 8
    data[at : at + 4] = (10**8).to_bytes(4, "big")
    truth.path.write_bytes(data)
    with pytest.raises(MediaError, match="tables promise 100000"):
        open_video(truth.path)


@settings(max_examples=200)
@given(st.data())
def test_counting_promises_never_stumbles(data: st.DataObject) -> None:
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 5))
        content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(content)
        file.flush()
        assert promised_samples(Path(file.name)) >= 0


def test_the_same_bytes_named_again_and_again_are_no_film(tmp_path: Path) -> None:
    """AVI's index of sixteen bytes a picture may name one megabyte a thousand times over."""
    packet = Packet(bytes(1000))
    with pytest.raises(MediaError, match="promises more pictures than its 5000 bytes can hold"):
        list(bounded([packet] * 2000, file_bytes=5000))
    assert len(list(bounded([packet] * 20, file_bytes=5000))) == 20
    with pytest.raises(MediaError, match="promises more pictures"):
        list(bounded([Packet(b"x")] * 6000, file_bytes=5000))
