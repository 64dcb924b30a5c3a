"""What decord would get wrong is refused; what it takes is in ``test_decoder_conformance.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest
from videos import Truth, corners, make_video, motion, read_number

from tempo_edge.errors import MediaError
from tempo_edge.indexing.footage import FootageReader, Sampling
from tempo_edge.media import DecodeRange, open_video
from tempo_edge.models import load_profile

pytest.importorskip("decord")

Gallery = Callable[[str], Truth]

REFUSED = {
    "open.ts": "can't be decoded exactly by decord in this container: use pyav",
    "closed.ts": "can't be decoded exactly by decord in this container: use pyav",
    "interlaced.ts": "can't be decoded exactly by decord in this container: use pyav",
    "trimmed.mp4": "can't be decoded exactly by decord, which counts 48 pictures where the "
    "container shows 40: use pyav",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_decord_gets_wrong_is_refused(gallery: Gallery, name: str) -> None:
    with open_video(gallery(name).path, "decord") as video:
        start = int(video.packets().pts[0])
        with pytest.raises(MediaError) as caught:
            list(video.frames(DecodeRange(start, start)))
    assert str(caught.value) == REFUSED[name]


@pytest.mark.parametrize(
    ("matrix", "why"), [((-1, 0, 0, 1), "mirrored"), ((0, 1, -1, 0), "turned")]
)
def test_what_can_not_be_shown_as_it_is_meant_is_refused(
    tmp_path: Path, matrix: tuple[int, int, int, int], why: str
) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(corners(), 0.2)], matrix=matrix)
    with (
        open_video(truth.path, "decord") as video,
        pytest.raises(MediaError, match=rf"{why}: use pyav$"),
    ):
        list(video.frames(DecodeRange(0, 0)))


def test_rows_that_it_misreads_are_refused(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(corners(), 0.2)], size=(32, 32))
    with open_video(truth.path, "decord") as video:
        start = int(video.packets().pts[0])
        try:
            video.check()
        except MediaError as error:
            assert str(error).endswith("misreads rows of 32 points: use pyav")
            return
        (frame, *_) = video.frames(DecodeRange(start, start))  # of a release that is mended
        assert frame.thumbnail(16).shape == (16, 16, 3)


def test_damage_ends_the_run_without_noise(
    gallery: Gallery, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = gallery("one_gop.mp4").path
    with av.open(str(source)) as container:
        at = [packet.pos for packet in container.demux(video=0) if packet.size][20]
    assert at is not None
    data = bytearray(source.read_bytes())
    data[at : at + 4] = b"\x7f\xff\xff\xff"
    (tmp_path / "broken.mp4").write_bytes(data)
    capfd.readouterr()
    with open_video(tmp_path / "broken.mp4", "decord") as video:
        table = video.packets()
        for _ in range(2):  # a reader that has failed is not used again
            try:
                found = list(video.frames(DecodeRange(int(table.pts[0]), int(table.pts[-1]))))
            except MediaError as error:
                # Its thread may meet the damage before the first picture is asked for.
                assert str(error).startswith("can't be decoded: ")
                continue
            assert 1 <= len(found) < 60  # how many are lost differs between releases
            numbers = [read_number(frame.luma()) for frame in found[:15]]
            assert numbers == list(range(len(numbers)))
        with pytest.raises(MediaError, match=r"^can't be decoded: "):
            list(video.frames(DecodeRange(int(table.pts[40]), int(table.pts[41]))))
    assert capfd.readouterr() == ("", "")


def test_what_decord_can_not_open_is_refused_in_one_line(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(motion(4), 0.4)])
    with open_video(truth.path, "decord") as video:
        video.packets()
        truth.path.write_bytes(bytes(1000))
        with pytest.raises(MediaError) as caught:
            list(video.frames(DecodeRange(0, 0)))
    said = str(caught.value)
    assert said.startswith("can't be opened by decord: ") and "\n" not in said


def test_what_decord_gets_wrong_is_indexed_with_pyav_and_told(tmp_path: Path) -> None:
    truth = make_video(tmp_path / "a.mp4", shots=[(corners(), 0.4)], matrix=(-1, 0, 0, 1))
    reader = FootageReader(load_profile("nano"), Sampling(), "decord")
    try:
        footage = reader.read(truth.path)
    finally:
        reader.close()
    assert footage.frames
    assert footage.remarks == ("can't be shown by decord as it is meant, mirrored: pyav was used",)
