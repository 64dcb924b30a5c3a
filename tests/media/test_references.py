"""FFmpeg opens the file that it is given and no other, whatever the file asks for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from harness import Said, Shelf
from videos import make_picture, make_video, motion

from tempo_edge.errors import MediaError
from tempo_edge.media import open_video
from tempo_edge.media.container import open_container

LISTS = {
    "list.mp4": "ffconcat version 1.0\n" + "file inner.mp4\n" * 300,
    "list.mkv": "ffconcat version 1.0\nfile inner.mp4\n",
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:5,\ninner.mp4\n#EXT-X-ENDLIST\n",
    "session.mov": (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    ),
    "titles.avi": "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A film, and the lists that name it."""
    make_video(tmp_path / "inner.mp4", shots=[(motion(1), 1)], size=(64, 48))
    for name, text in LISTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_other_files_is_refused_by_what_it_is(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str, decoder: str
) -> None:
    with pytest.raises(MediaError) as caught:
        open_video(folder / name, decoder)
    assert str(caught.value) == ("can't be opened: it is a list or a script that names other files")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shift", range(4))
def test_a_long_list_is_text_wherever_its_head_ends(tmp_path: Path, shift: int) -> None:
    """The first few thousand bytes may end within a character, of up to four bytes."""
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\n#" + "-" * shift + "\U0001f39e" * 3000 + "\n", "utf-8")
    with pytest.raises(MediaError, match="it is a list or a script that names other files"):
        open_video(path)


def test_lists_are_skipped_in_walks_and_by_name(
    tempo: Callable[..., Said], folder: Path, shelf: Shelf
) -> None:
    said = tempo("index", folder)
    assert said.status == 0 and "1 indexed, 4 skipped" in said.err
    assert set(shelf.reasons()) == {name for name in LISTS if name != "list.m3u8"}
    said = tempo("index", folder / "list.m3u8")
    assert said.status == 0 and "0 indexed, 1 skipped" in said.err


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(MediaError, match=r"^can't be opened: not a regular file$"):
        open_video(tmp_path / "pipe.mp4")


def test_a_device_is_not_read() -> None:
    with pytest.raises(MediaError, match=r"^can't be opened: not a regular file$"):
        open_video(Path("/dev/zero"))


def test_a_percent_sign_in_the_name_of_a_picture_names_no_other(tmp_path: Path) -> None:
    for number in range(3):
        make_picture(tmp_path / f"{number}.png")
    with pytest.raises((av.error.FFmpegError, OSError)):
        open_container(tmp_path / "%d.png")
    make_picture(tmp_path / "%d.png")
    with open_container(tmp_path / "%d.png") as container:
        assert len(list(container.demux(video=0))) <= 2, "itself, and the end"
