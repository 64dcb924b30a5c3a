"""Each bad file gets one line and a row, stops nothing, and leaves no traceback."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from bombs import make_stamped
from harness import Said, Shelf
from videos import (
    BLACK,
    RED,
    WHITE,
    Picture,
    make_audio,
    make_cut_short,
    make_not_a_video,
    make_picture,
    make_video,
    solid,
)

import tempo_edge
from tempo_edge.indexing.footage import Footage, FootageReader
from tempo_edge.indexing.report import IndexEvent

Bad = Callable[[Path, Path], None]
"""Makes a bad file at a path; the second is a good one."""


def cut_short(path: Path, good: Path) -> None:
    make_cut_short(good, path, 0.6)


def one_byte(path: Path, good: Path) -> None:
    path.write_bytes(b"\0")


def empty(path: Path, good: Path) -> None:
    path.touch()


def text(path: Path, good: Path) -> None:
    make_not_a_video(path)


def noise(path: Path, good: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(100_000))


def zeros(path: Path, good: Path) -> None:
    path.write_bytes(bytes(100_000))


def picture_data_gone(path: Path, good: Path) -> None:
    content = good.read_bytes()
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4 if content.index(b"moov") > start else len(content)
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])


def audio_only(path: Path, good: Path) -> None:
    make_audio(path)


def picture(path: Path, good: Path) -> None:
    make_picture(path, kind="png")


def photograph(path: Path, good: Path) -> None:
    make_picture(path, kind="jpeg")


def one_frame(path: Path, good: Path) -> None:
    make_video(path, shots=[(RED, Fraction(1, 25))], size=(64, 48))


def pipe(path: Path, good: Path) -> None:
    os.mkfifo(path)


def dangling(path: Path, good: Path) -> None:
    path.symlink_to("nowhere.mp4")


def circle(path: Path, good: Path) -> None:
    path.symlink_to(path.name)


def fork(path: Path, good: Path) -> None:
    path.write_bytes(b"\0\x05\x16\x07" + bytes(100))


def loop(path: Path, good: Path) -> None:
    path.symlink_to(path.parent)


BAD: dict[str, Bad] = {
    "cut short.mp4": cut_short,
    "one byte.mkv": one_byte,
    "empty.mp4": empty,
    "text.avi": text,
    "noise.mov": noise,
    "zeros.mpg": zeros,
    "no data.mp4": picture_data_gone,
    "audio.mp4": audio_only,
    "picture.mp4": picture,
    "photograph.mkv": photograph,
    "one frame.mp4": one_frame,
    "pipe.mp4": pipe,
    "dangling.mp4": dangling,
    "circle.mp4": circle,
    "._junk.mp4": fork,
    "loop": loop,
}


@pytest.fixture
def mess(footage: Path) -> Path:
    """Three good videos and every kind of bad file."""
    for name, make in BAD.items():
        make(footage / name, footage / "beach.mp4")
    Path(os.fsdecode(os.fsencode(footage) + b"/caf\xe9.mp4")).write_bytes(b"x")
    return footage


def test_each_gets_one_line_and_a_row_and_the_good_ones_are_indexed(
    tempo: Callable[..., Said], shelf: Shelf, mess: Path
) -> None:
    said = tempo("index", mess)
    assert said.status == 0 and said.out == ""
    *skips, summary = said.err.splitlines()
    assert summary.startswith(f"3 indexed, {len(BAD) + 1} skipped (0:00:09 of footage")
    told = dict(line.removeprefix(f"skipping {mess}/").split(": ", 1) for line in skips)
    assert set(told) == {*BAD, "caf\\xe9.mp4"}
    assert len(skips) == len(told)
    assert told == shelf.reasons()
    assert told["audio.mp4"] == "holds no video, only audio"
    assert told["one frame.mp4"] == "holds a single picture, not a video"
    assert told["picture.mp4"] == told["photograph.mkv"] == "is a picture, not a video"
    assert all(reason and "Traceback" not in reason for reason in told.values())

    listed = tempo("status").out.splitlines()
    for name, reason in told.items():
        assert f"skipped   {mess}/{name}: {reason}" in listed

    again = tempo("index", mess)
    assert again.status == 0
    # What may be different at the next look is looked at again; the rest is left in peace.
    assert [line.split(": ")[0] for line in again.err.splitlines()[:-1]] == [
        f"skipping {mess}/circle.mp4",
        f"skipping {mess}/dangling.mp4",
    ]


@pytest.mark.parametrize("name", ["cut short.mp4", "pipe.mp4", "loop", "dangling.mp4"])
def test_a_bad_file_that_is_asked_for_by_name(
    tempo: Callable[..., Said], footage: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    BAD[name](folder / name, footage / "beach.mp4")
    said = tempo("index", folder / name, footage / "garden.mp4")
    assert said.status == 0
    assert said.err.count("skipping") == 1
    assert "1 indexed, 1 skipped" in said.err


def test_what_a_download_left_halfway_is_searched_as_far_as_it_goes(
    shelf: Shelf, originals: Path, tmp_path: Path
) -> None:
    make_cut_short(originals / "street.mkv", tmp_path / "half.mkv", 0.7)
    assert shelf.index(tmp_path / "half.mkv").indexed == 1
    assert shelf.found_names() == {"half.mkv"}


def test_a_file_that_vanishes_before_it_is_read(shelf: Shelf, footage: Path) -> None:
    with tempo_edge.Library.open(shelf.path) as library:
        seen: list[IndexEvent] = []

        def vanish(event: IndexEvent) -> None:
            seen.append(event)
            if event.kind == "started":
                (footage / "garden.mp4").unlink(missing_ok=True)

        report = library.index(footage, on_event=vanish)
    assert (report.indexed, report.skipped) == (2, 1)
    assert [e.reason for e in seen if e.kind == "skipped"] == ["vanished before it was read"]
    assert shelf.reasons() == {"garden.mp4": "vanished before it was read"}
    assert shelf.index(footage).dropped == 1
    assert shelf.reasons() == {}


@pytest.fixture
def film(long_film: Path, tmp_path: Path) -> Path:
    """The long film, to be harmed."""
    return Path(shutil.copy(long_film, tmp_path))


def test_a_file_that_vanishes_while_it_is_read(shelf: Shelf, film: Path) -> None:
    with tempo_edge.Library.open(shelf.path) as library:

        def vanish(event: IndexEvent) -> None:
            if event.kind == "progress":
                film.unlink(missing_ok=True)

        report = library.index(film, on_event=vanish)
    assert (report.indexed, report.skipped) == (0, 1)
    assert shelf.reasons() == {"long.mp4": "vanished while it was read"}
    assert shelf.found() == []


def test_a_file_that_grows_while_it_is_read_is_read_again_next_time(
    shelf: Shelf, film: Path
) -> None:
    with tempo_edge.Library.open(shelf.path) as library:

        def grow(event: IndexEvent) -> None:
            if event.kind == "progress":
                with film.open("ab") as file:
                    file.write(b"\0\0\0\x08free")

        report = library.index(film, on_event=grow)
    assert (report.indexed, report.skipped) == (0, 1)
    assert shelf.reasons() == {
        "long.mp4": "changed while it was read: index it again when it is still"
    }
    assert shelf.index(film).indexed == 1


def test_a_reader_that_fails_as_nobody_foresaw_stops_nothing(
    shelf: Shelf, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FootageReader.read

    def stumble(self: FootageReader, path: Path, *rest: object) -> object:
        if path.name == "beach.mp4":
            raise IndexError("list index\nout of range")
        return read(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FootageReader, "read", stumble)
    assert shelf.index(footage).indexed == 2
    assert shelf.reasons() == {"beach.mp4": "can't be indexed: IndexError: list index out of range"}
    monkeypatch.undo()
    assert shelf.index(footage).indexed == 1, "it may have been our fault: look again"


def test_what_is_odd_about_a_film_is_told_once_and_kept(
    tempo: Callable[..., Said], footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FootageReader.read

    def remark(self: FootageReader, path: Path, *rest: object) -> Footage:
        found = read(self, path, *rest)  # type: ignore[arg-type]
        return replace(found, remarks=("its clock starts again", "it hums"))

    monkeypatch.setattr(FootageReader, "read", remark)
    film = footage / "garden.mp4"
    said = tempo("index", film).err.splitlines()
    assert said[0] == f"remark on {film}: its clock starts again; it hums" and len(said) == 2
    assert tempo("index", film).err.splitlines() == ["0 indexed, 1 unchanged"]
    monkeypatch.undo()
    moved = film.rename(footage / "meadow.mp4")
    said = tempo("index", "-q", film, moved).err.splitlines()
    assert said == [f"remark on {moved}: its clock starts again; it hums"]
    listed = tempo("status").out.splitlines()
    assert f"remark    {moved}: its clock starts again; it hums" in listed
    (told,) = json.loads(tempo("status", "--json").out)["remarks"]
    assert told == {"path": str(moved), "remark": "its clock starts again; it hums"}


def test_a_file_that_can_not_be_read_today_is_tried_tomorrow(
    shelf: Shelf, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    real = builtins.open

    def refuse(path: object, *rest: object, **choices: object) -> object:
        if str(path).endswith("beach.mp4"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest, **choices)  # type: ignore[call-overload]

    # Root may read everything, so the kernel can't be made to refuse.
    monkeypatch.setattr(builtins, "open", refuse)
    assert shelf.index(footage).skipped == 1
    monkeypatch.undo()
    assert shelf.reasons() == {"beach.mp4": "can't be read: permission denied"}
    assert shelf.index(footage).indexed == 1, "though neither size nor time has changed"


def test_a_file_without_permission(
    command: Callable[..., list[str]],
    environment: dict[str, str],
    shelf: Shelf,
    footage: Path,
) -> None:
    (footage / "beach.mp4").chmod(0)
    line = command("index", "-q", footage)
    if os.geteuid() == 0:  # a process of root's that may read no more than anybody else
        line = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *line]
    said = subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stderr
    assert said == f"skipping {footage / 'beach.mp4'}: can't be read: permission denied\n"
    assert shelf.reasons() == {"beach.mp4": "can't be read: permission denied"}


def test_a_folder_of_nothing_but_bad_files_has_no_matches(
    tempo: Callable[..., Said], footage: Path
) -> None:
    for path in footage.iterdir():
        path.write_bytes(b"bad")
    assert tempo("index", footage).status == 0
    assert tempo("find", "a beach").status == 1
    shutil.rmtree(footage)
    assert tempo("index", "-q", footage).status == 0
    assert "files     0 indexed, 0 skipped" in tempo("status").out


def test_two_pictures_of_one_instant_are_one(shelf: Shelf, footage: Path) -> None:
    def paint(width: int, height: int, index: int) -> Picture:
        picture = solid(BLACK if index < 11 else WHITE)(width, height, index)
        picture[10:20, index : index + 8] = 120
        return picture

    stamps = [1000 if index == 11 else index * 100 for index in range(40)]
    make_stamped(footage / "a.mkv", stamps, [paint] * 40)
    assert shelf.index(footage).indexed == 4
    assert "a.mkv" in shelf.found_names()


def test_rows_that_the_library_refuses_are_the_fault_of_their_file(
    tempo: Callable[..., Said], shelf: Shelf, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FootageReader.read

    def doubled(self: FootageReader, path: Path, *rest: object) -> Footage:
        found = read(self, path, *rest)  # type: ignore[arg-type]
        odd = {
            "beach.mp4": [*found.frames, found.frames[0]],
            "garden.mp4": [replace(found.frames[0], pts=2**70)],
        }
        return replace(found, frames=odd.get(path.name, found.frames))

    monkeypatch.setattr(FootageReader, "read", doubled)
    said = tempo("index", footage)
    assert said.status == 0 and "1 indexed, 2 skipped" in said.err
    reasons = shelf.reasons()
    assert reasons["beach.mp4"].startswith("can't be stored: IntegrityError: UNIQUE constraint")
    assert reasons["garden.mp4"].startswith("can't be stored: OverflowError: ")
    assert shelf.found_names() == {"street.mkv"}


def test_a_file_of_a_year_that_no_row_can_hold(shelf: Shelf, originals: Path) -> None:
    # Most disks know no such year, the file system in memory does.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        film = Path(shutil.copy(originals / "beach.mp4", place))
        os.utime(film, ns=(0, 2**63 + 10**9))
        assert film.stat().st_mtime_ns > 2**63
        assert shelf.index(film).indexed == 1
        assert shelf.index(film).unchanged == 1
