"""Nothing that is written takes the place of footage: by name, by content, by what is indexed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from harness import Said, Shelf
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge._files import atomic_dir, atomic_write
from tempo_edge._files.overwriting import check_folder, check_overwriting
from tempo_edge.errors import FootageError
from tempo_edge.evaluation import plots
from tempo_edge.store.opening import open_store
from tempo_edge.store.outputs import check_output
from tempo_edge.store.rows import FileRow

Tempo = Callable[..., Said]

FORMATS = {
    "mp4": b"\0\0\0\x20ftypisom",
    "mov": b"\0\0\0\x08wide\0\0\0\0mdat",
    "mkv": b"\x1a\x45\xdf\xa3\x01",
    "avi": b"RIFF\x10\0\0\0AVI LIST",
    "wmv": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    "flv": b"FLV\x01\x05",
    "mpg": b"\0\0\x01\xba\x44",
    "h264": b"\0\0\0\x01\x67",
    "ts": (b"\x47" + b"\0" * 187) * 4,
    "m2ts": (b"\0\0\0\0\x47" + b"\0" * 187) * 4,
    "ogv": b"OggS\0",
    "mxf": b"\x06\x0e\x2b\x34\x02\x05",
    "y4m": b"YUV4MPEG2 W2 H2",
    "mlv": b"MLVI\x34\0\0\0",
    "r3d": b"\0\0\x01\x08RED2\0",
    "braw": b"\0\0\0\x08wide\0\0\0\0mdat",
    "ivf": b"DKIF\0\0\x20\0",
    "mp3": b"\xff\xfb\x90\x64\0",
    "mp3 with tags": b"ID3\x04\0\0\0",
    "aac": b"\xff\xf1\x50\x80\x2e\x7f\xfc",
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "flac": b"fLaC\0\0\0\x22",
    "m4a": b"\0\0\0\x1cftypM4A ",
    "aiff": b"FORM\0\0\0\x2eAIFF",
    "ape": b"MAC \x96\x0f\0\0",
    "jpg": b"\xff\xd8\xff\xe1\0\x10Exif",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "gif": b"GIF89a\x01\0",
    "webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "heic": b"\0\0\0\x18ftypheic",
    "jxl": b"\0\0\0\x0cJXL \r\n\x87\n",
    "bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "dng": b"II*\0\x08\0\0\0",
    "nef": b"MM\0*\0\0\0\x08",
    "cr3": b"\0\0\0\x18ftypcrx ",
    "raf": b"FUJIFILMCCD-RAW 0201",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_holds_media_stays(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "notes.csv"
    place.write_bytes(FORMATS[kind])
    with pytest.raises(FootageError, match=r"notes\.csv holds media and is not replaced"):
        check_overwriting(place)
    with pytest.raises(FootageError), atomic_write(place) as draft:
        draft.write_text("x")
    assert place.read_bytes() == FORMATS[kind]
    assert [file.name for file in tmp_path.iterdir()] == ["notes.csv"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("a video", "film.mp4 FILM.MKV film.Ts a.braw A.R3D a.crm a.MLV a.lrv a.ivf"),
        ("a picture", "a.jpg A.JPEG a.png a.gif a.webp A.HEIC a.dng A.ARW a.cr3 a.tif"),
        ("sound", "a.mp3 A.WAV a.flac a.m4a a.ogg a.opus"),
    ],
)
def test_a_file_stays_that_is_named_as_what_is_recorded(
    tmp_path: Path, kind: str, names: str
) -> None:
    for name in names.split():
        place = tmp_path / name
        place.write_text("half copied")
        with pytest.raises(FootageError, match=f"{name} is named as {kind} .*name another file"):
            check_overwriting(place)


def test_a_picture_and_sound_as_encoders_write_them_stay(tmp_path: Path) -> None:
    for codec, muxer, form in (
        ("mjpeg", "image2", "yuvj420p"),
        ("png", "image2", "rgb24"),
        ("gif", "gif", "rgb8"),
        ("bmp", "image2", "bgr24"),
        ("tiff", "image2", "rgb24"),
    ):
        place = tmp_path / f"{codec}.csv"
        options = {"update": "1"} if muxer == "image2" else {}
        with av.open(str(place), "w", format=muxer, options=options) as out:
            stream = out.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 16, 16, form
            picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
            out.mux(stream.encode(picture))
            out.mux(stream.encode())
        with pytest.raises(FootageError, match="holds media"):
            check_overwriting(place)
    for codec, muxer in (("mp2", "mp2"), ("aac", "adts"), ("pcm_s16le", "wav"), ("ac3", "ac3")):
        place = tmp_path / f"{codec}.csv"
        with av.open(str(place), "w", format=muxer) as out:
            sound = out.add_stream(codec, rate=48000)
            form = sound.codec_context.format.name
            planes = np.zeros((2, 2048) if form.endswith("p") else (1, 4096))
            kind = {"s16": np.int16, "fltp": np.float32, "s16p": np.int16}[form]
            frame = av.AudioFrame.from_ndarray(planes.astype(kind), format=form, layout="stereo")
            frame.sample_rate = 48000
            out.mux(sound.encode(frame))
            out.mux(sound.encode())
        with pytest.raises(FootageError, match="holds media"):
            check_overwriting(place)


@pytest.mark.parametrize(
    "text",
    ["ID3,title", "ID3\nx", "MAC address,name", "BM,x\n" * 9, "GIF,JPEG", "RIFF,x", "FORM,x,AIFF"],
)
def test_a_table_that_only_speaks_of_media_may_be_replaced(tmp_path: Path, text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "x.csv").write_text(text, encoding=encoding)
        check_overwriting(tmp_path / "x.csv")


def test_a_plot_is_drawn_again_but_over_no_other_picture(tmp_path: Path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    place = tmp_path / "curves.png"
    for _ in range(2):
        plots.save(pyplot.figure(figsize=(1, 1)), place)
    assert place.read_bytes().startswith(b"\x89PNG")
    place.write_bytes(FORMATS["png"])
    with pytest.raises(FootageError, match=r"curves\.png"):
        plots.save(pyplot.figure(figsize=(1, 1)), place)
    assert place.read_bytes() == FORMATS["png"]


def test_a_page_is_written_again_and_is_its_users_own(
    tempo: Tempo, shelf: Shelf, footage: Path, tmp_path: Path
) -> None:
    shelf.index(footage)
    page = tmp_path / "page.html"
    for mode in (0o600, 0o640):
        assert tempo("find", "a beach", "--explain", str(page)).status in (0, 1)
        assert page.read_text().startswith("<!doctype html>")
        assert page.stat().st_mode & 0o777 == mode
        page.chmod(0o640)  # who shares it goes on doing so


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_lead_to_what_they_lead_to(tmp_path: Path, link: object) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(FORMATS["mp4"])
    assert callable(link)
    link(film, tmp_path / "out.csv")
    with pytest.raises(FootageError, match=r"out\.csv"):
        check_overwriting(tmp_path / "out.csv")


def test_a_library_stays(tmp_path: Path) -> None:
    place = tmp_path / "x.csv"
    with sqlite3.connect(place) as made:
        made.execute(f"PRAGMA application_id={int.from_bytes(b'TmpE', 'big')}")
    made.close()
    with pytest.raises(FootageError, match="is a library"):
        check_overwriting(place)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300))
def test_text_may_be_replaced(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    place = tmp_path_factory.mktemp("text") / "out.csv"
    place.write_text("path,start\n" + text, encoding="utf-8")
    check_overwriting(place)


def test_what_is_not_there_and_what_is_no_file_may_be_written(tmp_path: Path) -> None:
    check_overwriting(tmp_path / "new.mp4")
    check_overwriting(Path(os.devnull))
    check_output(tmp_path / "new.csv")


def test_a_folder_that_holds_footage_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "films" / "deep").mkdir(parents=True)
    (tmp_path / "films" / "deep" / "a.mkv").write_text("")
    with pytest.raises(FootageError, match=r"films is not replaced: .*a\.mkv is named as a video"):
        check_folder(tmp_path / "films")
    with (
        pytest.raises(FootageError),
        atomic_dir(tmp_path / "films", replace=True) as folder,
    ):
        (folder / "x").write_text("")
    assert (tmp_path / "films" / "deep" / "a.mkv").exists()


@pytest.mark.parametrize(
    "options", [("--export", "csv", "--output"), ("--explain",)], ids=["export", "explain"]
)
def test_find_writes_over_no_footage(
    tempo: Tempo, shelf: Shelf, footage: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Nor over a file that only the library knows for footage, by whatever link."""
    shelf.index(footage)
    odd = tmp_path / "odd.bin"
    odd.write_bytes(b"neither suffix nor mark")
    writer = open_store(shelf.path).writer()
    with writer.transaction():
        writer.put_file(FileRow(str(odd), "", odd.stat().st_size, 1, "skipped", "is odd"))
    writer.close()
    os.link(odd, tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(footage / "beach.mp4")
    (tmp_path / "A.HEIC").write_text("half copied")
    (tmp_path / "picture").write_bytes(FORMATS["jpg"])
    for place in (
        tmp_path / "A.HEIC",
        tmp_path / "picture",
        odd,
        tmp_path / "hard.csv",
        tmp_path / "soft.csv",
        shelf.path,
    ):
        before = place.read_bytes()
        said = tempo("find", "a beach", *options, str(place))
        assert said.status == 2 and str(place) in said.error
        assert place.read_bytes() == before
        if place != shelf.path and "--explain" in options:
            for command in (["backup"], ["models", "export-bundle", "nano"]):
                said = tempo(*command, str(place))
                assert said.status == 2 and str(place) in said.error
                assert place.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        "a.srt",
        "a.en.vtt",
        "A.LRC",
        "a.xmp",
        "a.mp4.xmp",
        "a.mp4.json",
        "a.mp4.supplemental-metadata.json",
        "b.mp4(1).json",
    ],
)
def test_what_lies_beside_a_film_and_tells_of_it_is_not_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "b(1).mp4").write_bytes(b"")
    (tmp_path / name).write_bytes(b"words")
    with pytest.raises(FootageError, match=r"lies beside [ab].*\.mp4 and tells of it"):
        check_overwriting(tmp_path / name)
    with pytest.raises(FootageError), atomic_write(tmp_path / name):
        pass
    assert (tmp_path / name).read_bytes() == b"words"


@pytest.mark.parametrize("name", ["a.json", "b.srt", "ab.xmp", "a.csv", "a.html"])
def test_what_only_lies_near_a_film_is_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / name).write_bytes(b"words")
    check_overwriting(tmp_path / name)
