"""Who is believed of all that says when and where a film was taken; and what lies beside one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from taken import APPLE, TELEMETRY, plain, tagged

from tempo_edge._files.beside import Folder, films_beside
from tempo_edge.capture.facts import Capture
from tempo_edge.capture.reading import capture_mark, read_capture
from tempo_edge.capture.sidecars import MOST_BYTES, CaptureSidecars

MTIME = 1_600_000_000_000_000_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain(tmp_path_factory.mktemp("films") / "film.mp4")


def read(path: Path, **how: bool) -> Capture:
    sidecars = CaptureSidecars(Folder()).of(str(path))
    return read_capture(str(path), MTIME, sidecars, **how)


def told(path: Path) -> tuple[str | None, str]:
    found = read(path)
    return None if found.instant is None else found.instant.text, found.taken_from


def copy(film: Path, path: Path) -> Path:
    path.write_bytes(film.read_bytes())
    return path


def test_the_file_is_believed_last(film: Path, tmp_path: Path) -> None:
    assert told(film) == ("2020-09-13T12:26:40Z", "file")
    assert read_capture(str(film), -(2**63), ()) == read_capture(str(film), 0, ()) == Capture()
    assert read_capture(str(film), 2**63 - 1, ()) == Capture()
    named = copy(film, tmp_path / "VID_20240131_142500.mp4")
    assert told(named) == ("2024-01-31T14:25:00", "name")


def test_a_container_and_a_name(film: Path, tmp_path: Path) -> None:
    created = {"creation_time": "2024-01-31T13:25:00.000000Z", "location": "+38.7139-009.1394/"}
    bare = tagged(film, tmp_path / "beach.mp4", created)
    assert told(bare) == ("2024-01-31T13:25:00Z", "container")
    assert read(bare).coordinates is not None
    assert read(bare, opens=False).taken_from == "file"
    timed = tagged(film, tmp_path / "VID_20240131_142500.mp4", created)
    assert told(timed) == ("2024-01-31T14:25:00", "name"), "it knows the place's clock"
    same_day = tagged(film, tmp_path / "2024-01-31 beach.mp4", created)
    assert told(same_day) == ("2024-01-31T13:25:00Z", "container"), "it knows more than a day"
    exported = tagged(film, tmp_path / "2019-07-04 beach.mp4", created)
    assert told(exported) == ("2019-07-04", "name"), "it was written long after"


def test_a_telephone_and_whoever_mended_it(film: Path, tmp_path: Path) -> None:
    path = tagged(film, tmp_path / "VID_20200101_000000.mov", APPLE)
    assert told(path) == ("2023-07-04T12:00:00+02:00", "container")
    taken = {"photoTakenTime": {"timestamp": "1500000000"}}
    (tmp_path / f"{path.name}.supplemental-metadata.json"[:46]).with_suffix(".json").write_text(
        json.dumps(taken)
    )
    assert told(path)[1] == "container"
    (tmp_path / f"{path.stem}.XMP").write_text('<x exif:DateTimeOriginal="2001-02-03T04:05:06"/>')
    assert told(path) == ("2001-02-03T04:05:06", "xmp")
    assert read(path).camera == "Apple iPhone 12", "what one doesn't know another does"


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("a.mp4", "a.mp4.json"),
        ("a.mp4", "a.mp4.supplemental-metadata.json"),
        ("a.mp4", "a.json"),
        ("a(1).mp4", "a.mp4(1).json"),
        ("a(1).mp4", "a.mp4.supplemental-metadata(1).json"),
        (
            "a_very_long_name_of_a_film_1234567890.mp4",
            "a_very_long_name_of_a_film_1234567890.mp4.supp.json",
        ),
    ],
)
def test_what_google_photos_calls_its_files(
    film: Path, tmp_path: Path, name: str, beside: str
) -> None:
    copy(film, tmp_path / name)
    (tmp_path / beside).write_text('{"photoTakenTime": {"timestamp": "1706711100"}}')
    assert told(tmp_path / name) == ("2024-01-31T14:25:00Z", "takeout")
    assert films_beside(str(tmp_path / beside)) == [str(tmp_path / name)]


def test_a_drone_and_subtitles(film: Path, tmp_path: Path) -> None:
    path = copy(film, tmp_path / "DJI_0001.MP4")
    (tmp_path / "DJI_0001.SRT").write_text(TELEMETRY)
    assert told(path) == ("2022-08-09T10:11:12", "srt")
    (tmp_path / "DJI_0001.SRT").write_text(
        "1\n00:00:00,000 --> 00:00:01,000\n2022-08-09 10:11:12\n"
    )
    assert told(path)[1] == "file", "somebody says so"


def test_what_is_too_large_or_odd_is_left_alone(film: Path, tmp_path: Path) -> None:
    path = copy(film, tmp_path / "a.mp4")
    mark = capture_mark(CaptureSidecars(Folder()).of(str(path)), False)
    (tmp_path / "a.xmp").write_text(" " * MOST_BYTES + 'exif:DateTimeOriginal="2001-02-03"')
    assert told(path)[1] == "file"
    assert capture_mark(CaptureSidecars(Folder()).of(str(path)), False) != mark
    (tmp_path / "a.xmp").unlink()
    (tmp_path / "a.xmp").mkdir()
    os.mkfifo(tmp_path / "a.mp4.xmp")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    assert told(path)[1] == "file"
