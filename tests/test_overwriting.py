"""Nothing that is written takes the place of footage: by name, by content, by what is indexed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said, Shelf
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge._files import atomic_dir, atomic_write
from tempo_edge._overwriting import check_folder, check_output, check_overwriting
from tempo_edge.errors import FootageError
from tempo_edge.library.catalogue import Catalogue
from tempo_edge.library.rows import FileRow

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


@pytest.mark.parametrize("name", ["film.mp4", "FILM.MKV", "film.Ts"])
def test_a_file_that_is_named_as_a_video_stays(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.write_text("half copied")
    with pytest.raises(FootageError, match="is named as a video"):
        check_overwriting(place)


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
    odd = tmp_path / "odd.raw"
    odd.write_bytes(b"neither suffix nor mark")
    writer = Catalogue(shelf.path)
    with writer.transaction():
        writer.put_file(FileRow(str(odd), "", odd.stat().st_size, 1, "skipped", "is odd"))
    writer.close()
    os.link(odd, tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(footage / "beach.mp4")
    for place in (odd, tmp_path / "hard.csv", tmp_path / "soft.csv", shelf.path):
        before = place.read_bytes()
        said = tempo("find", "a beach", *options, str(place))
        assert said.status == 2 and str(place) in said.error
        assert place.read_bytes() == before
