"""A run gives every picture from its key frame to its last: once, in order, and no more work."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from gallery import GALLERY
from numpy.typing import NDArray
from videos import Truth, make_video, read_number, texture

from tempo_edge.errors import MediaError
from tempo_edge.media import DecodeRange, PacketTable, open_video
from tempo_edge.media._decoding import Damage
from tempo_edge.media.pyav import PyAVVideo

Gallery = Callable[[str], Truth]
Numbered = list[tuple[int, int]]


def decode_all(path: Path) -> Numbered:
    """(pts, number drawn) of every picture, by plain linear decoding, with the loop filter on."""
    with av.open(str(path)) as container:
        return [
            (frame.pts, read_number(frame.reformat(format="gray").to_ndarray()))
            for frame in container.decode(container.streams.video[0])
            if frame.pts is not None
        ]


def decode(video: PyAVVideo, run: DecodeRange) -> Numbered:
    """(pts, number drawn) of every picture of a run."""
    return [(f.pts, read_number(f.luma(), 2**f.bit_depth - 1)) for f in video.frames(run)]


def run_of(table: PacketTable, first: int, last: int) -> DecodeRange:
    return DecodeRange(int(table.pts[first]), int(table.pts[last]))


def test_a_film_is_decoded_on_one_thread(gallery: Gallery) -> None:
    """Several films are read at once, and what a machine has besides is somebody else's.

    FFmpeg would take every core, and hold as many pictures back.
    """
    with PyAVVideo(gallery("one_gop.mp4").path) as video:
        table = video.packets()
        for first, last in ((0, 5), (0, len(table) - 1), (0, 2)):
            assert len(decode(video, run_of(table, first, last))) == last - first + 1
            assert video.codec_context.thread_count == 1


@pytest.mark.parametrize("name", GALLERY)
def test_runs_give_what_linear_decoding_gives(gallery: Gallery, name: str) -> None:
    path = gallery(name).path
    expected = decode_all(path)
    rng = random.Random(name)
    with PyAVVideo(path) as video:
        table = video.packets()
        assert [pts for pts, _ in expected] == table.pts.tolist()
        keys = np.flatnonzero(table.keys).tolist()
        runs = [(0, len(table) - 1), (keys[-1], len(table) - 1), (keys[0], keys[0])]
        for _ in range(12):  # also backwards, across key frames, and the same one again
            key = rng.choice(keys)
            runs.append((key, rng.randrange(key, min(len(table), key + 30))))
        for first, last in runs:
            assert decode(video, run_of(table, first, last)) == expected[first : last + 1]


@pytest.mark.parametrize("name", ["open.mp4", "open.ts", "hevc.mp4", "trimmed.mp4"])
def test_pictures_before_a_key_frame_are_whole_and_not_left_out(
    gallery: Gallery, name: str
) -> None:
    """In an open GOP they are coded after the next key frame, and lean on it."""
    path = gallery(name).path
    expected = decode_all(path)
    with PyAVVideo(path) as video:
        table = video.packets()
        keys = np.flatnonzero(table.keys)
        for first, following in pairwise(keys):
            run = run_of(table, int(first), int(following) - 1)
            assert decode(video, run) == expected[int(first) : int(following)]


def test_pictures_decodes_from_the_key_frame_before(gallery: Gallery) -> None:
    path = gallery("closed.ts").path
    expected = decode_all(path)
    with PyAVVideo(path, fast=False) as video:
        table = video.packets()
        found = [frame.pts for frame in video.pictures(int(table.pts[17]), int(table.pts[29]))]
        assert found == [pts for pts, _ in expected[17:30]]
        assert all(
            frame.time_base == video.info.time_base
            for frame in video.pictures(int(table.pts[50]), int(table.pts[-1]))
        )


class CountingVideo(PyAVVideo):
    """Counts the packets that go into the decoder and those that are read at all."""

    fed = 0
    demuxed = 0

    def _decoded(self, packets: Any, damage: Damage) -> Iterator[Any]:
        def counted() -> Iterator[Any]:
            for packet in packets:
                self.fed += packet is not None
                yield packet

        return super()._decoded(counted(), damage)

    def _demux(self) -> Iterator[Any]:
        for packet in super()._demux():
            self.demuxed += 1
            yield packet


@pytest.mark.parametrize("name", ["one_gop.mp4", "plain.mp4", "open.mp4", "closed.ts", "vp9.webm"])
def test_a_key_frame_alone_costs_one_packet(gallery: Gallery, name: str) -> None:
    with CountingVideo(gallery(name).path) as video:
        table = video.packets()
        video.demuxed = 0
        for count, key in enumerate(np.flatnonzero(table.keys), 1):
            assert len(list(video.frames(run_of(table, int(key), int(key))))) == 1
            assert video.fed == count
        if not name.endswith(".ts"):  # there, the seek itself has to look around
            assert video.demuxed == video.fed


@pytest.mark.parametrize("name", ["one_gop.mp4", "closed.ts", "hevc.mp4"])
def test_no_packet_is_decoded_beyond_what_the_last_picture_needs(
    gallery: Gallery, name: str
) -> None:
    with CountingVideo(gallery(name).path) as video:
        table = video.packets()
        assert len(list(video.frames(run_of(table, 0, 7)))) == 8
        # A picture that is coded early may have to be fed before one that is shown earlier.
        assert video.fed <= 8 + 4


@pytest.mark.parametrize("name", ["one_gop.mp4", "closed.ts"])
def test_where_nothing_can_be_decoded_it_stops_reading_in_time(gallery: Gallery, name: str) -> None:
    """A decoder may hold back pictures that it will never give."""

    class Silent(CountingVideo):
        def _decoded(self, packets: Any, damage: Damage) -> Iterator[Any]:
            self.fed = sum(packet is not None for packet in packets)
            yield from ()

    with Silent(gallery(name).path) as video:
        table = video.packets()
        assert list(video.frames(run_of(table, 0, 7))) == []
        assert 8 <= video.fed <= 8 + 3  # and what is coded early for those after it


def test_a_picture_far_into_a_transport_stream_is_not_sought_from_its_start(tmp_path: Path) -> None:
    shots = [(texture(1), 20)]
    truth = make_video(tmp_path / "long.ts", shots=shots, size=(64, 48), gop=25, scenecut=False)
    with CountingVideo(truth.path) as video:
        table = video.packets()
        video.demuxed = 0
        assert len(list(video.frames(run_of(table, 450, 450)))) == 1
        assert video.demuxed < 80


class Liar:
    """A container whose index is broken: seeks land at one place, or fail."""

    def __init__(self, container: Any, lands_at: int | None) -> None:
        self._container, self._lands_at = container, lands_at

    def seek(self, ticks: int, **how: Any) -> None:
        if "stream" not in how:  # back to the start of the file: that needs no index
            self._container.seek(ticks, **how)
        elif self._lands_at is None:
            raise av.error.PermissionError(1, "Operation not permitted")
        else:
            self._container.seek(self._lands_at, **how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)


@pytest.mark.parametrize("how", ["late", "fails"])
def test_where_the_index_lies_the_key_frame_is_found_all_the_same(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = gallery("plain.mp4").path
    expected = decode_all(path)
    with PyAVVideo(path) as video:
        table = video.packets()
        liar = Liar(video._container, lands_at=int(table.pts[36]) if how == "late" else None)
        monkeypatch.setattr(video, "_container", liar)
        assert decode(video, run_of(table, 12, 20)) == expected[12:21]


def test_a_run_that_is_not_there_gives_nothing(gallery: Gallery) -> None:
    with PyAVVideo(gallery("plain.mp4").path) as video:
        far = 10**9
        assert list(video.frames(DecodeRange(far, far))) == []
        assert len(list(video.frames(DecodeRange(0, 0)))) == 1


def test_a_run_can_be_left_in_the_middle(gallery: Gallery) -> None:
    with PyAVVideo(gallery("one_gop.mp4").path) as video:
        table = video.packets()
        for _ in range(3):
            frames = video.frames(run_of(table, 0, 50))
            assert [next(frames).pts for _ in range(3)] == table.pts[:3].tolist()
            frames.close()


def test_frames_are_released_as_the_caller_lets_go_of_them(gallery: Gallery) -> None:
    alive: list[weakref.ref[NDArray[Any]]] = []
    with PyAVVideo(gallery("one_gop.mp4").path) as video:
        table = video.packets()
        for frame in video.frames(run_of(table, 0, 50)):
            whole = frame.luma().base
            while isinstance(whole, np.ndarray) and whole.base is not None:
                owner, whole = whole, whole.base
            alive.append(weakref.ref(owner))
        del frame, whole, owner
        gc.collect()
    assert len(alive) == 51
    assert not any(ref() is not None for ref in alive)


def test_damage_costs_the_damaged_pictures_only(gallery: Gallery, tmp_path: Path) -> None:
    source = gallery("one_gop.mp4")
    data = bytearray(source.path.read_bytes())
    with av.open(str(source.path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        at = packets[20].pos
    assert at is not None
    data[at : at + 4] = b"\x7f\xff\xff\xff"  # the length of its first unit
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    with PyAVVideo(broken) as video:
        table = video.packets()
        found = [frame.pts for frame in video.frames(run_of(table, 0, len(table) - 1))]
    assert len(table) == 60
    assert 55 <= len(found) < 60
    assert found[-1] == table.pts[-1]
    assert found == sorted(found)


def test_where_all_is_damaged_it_says_so(gallery: Gallery, tmp_path: Path) -> None:
    source = gallery("intra.mov")
    with av.open(str(source.path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][3]
    assert packet.pos is not None
    data = bytearray(source.path.read_bytes())
    data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    broken = tmp_path / "broken.mov"
    broken.write_bytes(data)
    with open_video(broken) as video:
        table = video.packets()
        with pytest.raises(MediaError, match=r"^can't be decoded: invalid data found when"):
            list(video.frames(run_of(table, 3, 3)))
        assert len(list(video.frames(run_of(table, 4, 4)))) == 1


def test_run_must_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="must not end at 3, before its key frame 4"):
        DecodeRange(4, 3)
