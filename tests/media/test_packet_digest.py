"""The packets that a container's own index names make a digest; nothing of the film is read."""

from __future__ import annotations

import errno
import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest
from videos import make_video, motion, remuxed

from benchmarks.reading_io_identity import measured, write_film
from tempo_edge.media import packet_digest as module
from tempo_edge.media.packet_digest import packet_digest


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    shots = [(motion(1), 4)]
    make_video(path, shots=shots, size=(128, 96), rate=Fraction(10), gop=10, codec="mpeg4")
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_a_container_with_an_index_has_one(film: Path, tmp_path: Path, suffix: str) -> None:
    path = remuxed(film, tmp_path / f"film{suffix}")
    digest = packet_digest(path)
    assert digest is not None and digest.startswith(b"packets1:") and len(digest) == 9 + 32
    assert packet_digest(Path(shutil.copy(path, tmp_path / "copy"))) == digest, "by any name"


@pytest.mark.parametrize("suffix", [".ts", ".nut"])
def test_a_container_without_an_index_has_none(film: Path, tmp_path: Path, suffix: str) -> None:
    assert packet_digest(remuxed(film, tmp_path / f"film{suffix}")) is None


def resized(film: Path, path: Path, number: int) -> Path:
    """A copy of a film in which two bytes were moved from a packet to the next."""
    with av.open(str(film)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        sizes = [packet.size for packet in packets]
        if number >= 0:
            sizes[number] -= 2
            sizes[number + 1] += 2
        for packet, size in zip(packets, sizes, strict=True):
            other = av.Packet(bytes(packet)[:size].ljust(size, b"\0"))
            other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
            other.is_keyframe, other.stream = packet.is_keyframe, stream
            out.mux(other)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_the_size_of_every_packet_counts(film: Path, tmp_path: Path, suffix: str) -> None:
    films = [resized(film, tmp_path / f"{i}{suffix}", i) for i in (-1, 1, 20, 37)]
    assert len({path.stat().st_size for path in films}) == 1
    assert len({packet_digest(path) for path in films}) == len(films)


def test_what_is_in_the_packets_does_not(film: Path, tmp_path: Path) -> None:
    content = bytearray(film.read_bytes())
    at = content.index(b"mdat") + 4 + 5000
    content[at : at + 8] = bytes(8)
    (tmp_path / "other.mp4").write_bytes(content)
    assert packet_digest(tmp_path / "other.mp4") == packet_digest(film)


@pytest.mark.parametrize("content", [b"", b"text\n" * 100, bytes(10_000), b"ffconcat version 1\n"])
def test_what_is_no_film_has_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "film.mp4").write_bytes(content)
    assert packet_digest(tmp_path / "film.mp4") is None


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    assert packet_digest(tmp_path / "film.mp4") is None


def test_a_disk_that_fails_is_told(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "open_container", fail)
    with pytest.raises(OSError, match="Input/output error"):
        packet_digest(film)


def test_a_long_film_is_told_by_little_of_it(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_film(film, 40 << 20)
    rows = measured(film, 1)
    new, copy, before = (rows[name]["bytes"] for name in rows)
    look = 4096  # to look at the count is to read
    assert new <= (1 << 20) + look
    assert copy <= new + film.stat().st_size // 50
    assert before >= film.stat().st_size
