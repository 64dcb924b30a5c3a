"""A drive that is unplugged keeps its rows; one that is really there forgets what was deleted."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Said, Shelf
from tabled import make_padded, of_before

import tempo_edge
from tempo_edge.indexing.session import WritingSession
from tempo_edge.volumes.mounts import is_mounted, volume_of


class Stick:
    """A file system in memory that can be mounted and taken away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def plug(self) -> None:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(self.folder)],
            check=True,
            capture_output=True,
        )

    def unplug(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True, capture_output=True)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    made = Stick(tmp_path / "stick")
    try:
        made.plug()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting is not permitted here: {error}")
    yield made
    if made.folder.is_mount():
        made.unplug()


@pytest.fixture
def on_stick(stick: Stick, originals: Path) -> Path:
    """A folder with one video on the stick."""
    folder = stick.folder / "trip"
    folder.mkdir()
    shutil.copy2(originals / "beach.mp4", folder)
    return folder


def test_a_stick_that_is_unplugged_keeps_its_rows(
    shelf: Shelf, stick: Stick, on_stick: Path, originals: Path
) -> None:
    shelf.index(originals / "garden.mp4", on_stick)
    stick.unplug()
    (moment,) = [m for m in shelf.found() if m.path.name == "beach.mp4"][:1]
    assert moment.offline and moment.as_dict()["offline"] is True
    assert not any(m.offline for m in shelf.found() if m.path.name == "garden.mp4")

    report = shelf.index(on_stick)
    assert (report.offline, report.dropped) == (1, 0)
    (event,) = [event for event in shelf.events if event.kind == "offline"]
    assert (event.path, event.reason) == (
        str(stick.folder),
        "its volume is not there, keeping 1 file",
    )
    assert shelf.states()["beach.mp4"] == "indexed"


def test_an_empty_mount_point_is_no_reason_to_forget(
    shelf: Shelf, stick: Stick, on_stick: Path
) -> None:
    shelf.index(stick.folder)
    stick.unplug()
    assert stick.folder.is_dir() and not list(stick.folder.iterdir())
    report = shelf.index(stick.folder.parent / "stick")
    assert (report.offline, report.dropped) == (1, 0)


def test_another_stick_in_its_place_forgets_nothing_of_the_first(
    shelf: Shelf, stick: Stick, on_stick: Path, originals: Path
) -> None:
    shelf.index(stick.folder)
    first = volume_of(str(stick.folder))
    stick.unplug()
    stick.plug()
    if volume_of(str(stick.folder)) == first:
        pytest.skip("this kernel gives every file system in memory the same identity")
    shutil.copy(originals / "street.mkv", stick.folder)
    report = shelf.index(stick.folder)
    assert (report.indexed, report.offline, report.dropped) == (1, 1, 0)
    assert {m.path.name: m.offline for m in shelf.found()} == {
        "beach.mp4": True,
        "street.mkv": False,
    }


@pytest.mark.parametrize("before", [False, True])
def test_a_film_that_is_moved_to_another_volume_is_not_decoded(
    shelf: Shelf, stick: Stick, tmp_path: Path, decoded: list[str], before: bool
) -> None:
    """Whether its library has samples or knows digests of whole files alone."""
    film = tmp_path / "film.mp4"
    make_padded(film)
    shelf.index(film)
    if before:
        of_before(shelf.path)
    decoded.clear()
    moved = Path(shutil.move(film, stick.folder / "moved.mp4"))
    report = shelf.index(film, stick.folder)
    assert (report.reused, report.dropped, report.indexed) == (1, 1, 0)
    assert decoded == [] and shelf.states() == {moved.name: "indexed"}


def test_a_stick_that_is_there_forgets_what_was_deleted(
    shelf: Shelf, stick: Stick, on_stick: Path
) -> None:
    shelf.index(stick.folder)
    (on_stick / "beach.mp4").unlink()
    report = shelf.index(stick.folder)
    assert (report.offline, report.dropped) == (0, 1)


def test_a_stick_that_calls_itself_something_else_today_is_taken_for_what_it_is(
    shelf: Shelf, stick: Stick, on_stick: Path, originals: Path
) -> None:
    """FAT on another socket has another device number: the files are the same."""
    shelf.index(stick.folder)
    stick.unplug()
    stick.plug()
    on_stick.mkdir()
    shutil.copy2(originals / "beach.mp4", on_stick)  # with the same time of change
    with tempo_edge.Library.open(shelf.path) as library:
        (row,) = library.files()
    if is_mounted(row.volume):
        pytest.skip("this kernel gives every file system in memory the same identity")
    report = shelf.index(stick.folder)
    assert report.unchanged == 1
    with tempo_edge.Library.open(shelf.path) as library:
        (row,) = library.files()
    assert is_mounted(row.volume)
    (on_stick / "beach.mp4").unlink()
    assert shelf.index(stick.folder).dropped == 1, "so that it can be forgotten later"


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Further folders that count as mount points, for machines where nobody may mount."""
    added: set[str] = set()
    ismount = os.path.ismount
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) in added or ismount(path))
    return added


def test_what_was_mounted_while_watching_is_kept_once_it_is_gone(
    shelf: Shelf, originals: Path, tmp_path: Path, mounts: set[str]
) -> None:
    """A watcher's indexer lives for weeks, and sticks come into folders that it knows."""
    folder = tmp_path / "media"
    folder.mkdir()
    shutil.copy(originals / "garden.mp4", folder)
    with (
        tempo_edge.Library.open(shelf.path) as library,
        WritingSession(library.store, library.profile, "pyav", None, None) as indexer,
    ):
        assert indexer.index([folder]).indexed == 1
        mounts.add(str(folder))
        shutil.copy(originals / "beach.mp4", folder)
        report = indexer.index([folder])
        assert (report.indexed, report.unchanged) == (1, 1)
        mounts.clear()
        (folder / "beach.mp4").unlink()
        report = indexer.index([folder])
        assert (report.offline, report.dropped) == (1, 0)
    assert set(shelf.states()) == {"beach.mp4", "garden.mp4"}


def test_commands_say_that_it_is_offline(
    tempo: Callable[..., Said], stick: Stick, on_stick: Path, tmp_path: Path
) -> None:
    assert tempo("index", "-q", stick.folder).status == 0
    stick.unplug()
    found = tempo("find", "a beach", "--min-confidence", "0")
    assert found.status == 0
    assert found.out.splitlines()[0].startswith(str(on_stick / "beach.mp4"))
    assert found.out.splitlines()[0].endswith("  (offline)  beach")
    line = f"offline   {on_stick / 'beach.mp4'}: its volume is not there\n"
    assert line in tempo("status").out
    again = tempo("index", stick.folder)
    assert again.err == (
        f"offline {stick.folder}: its volume is not there, keeping 1 file\n0 indexed, 1 offline\n"
    )
    clipped = tempo("find", "a beach", "--min-confidence", "0", "--limit", "1", "--clip", tmp_path)
    assert clipped.status == 2
    assert clipped.err == (
        f"skipping {on_stick / 'beach.mp4'}: it is offline\n"
        "tempo-edge: error: all of the files are offline: plug in the drive that holds them\n"
    )


def test_a_library_on_a_disk_that_is_read_only_can_be_searched(
    stick: Stick, built: Path, originals: Path
) -> None:
    path = stick.folder / "library.db"
    shutil.copy(built, path)
    subprocess.run(["mount", "-o", "remount,ro", str(stick.folder)], check=True)
    with tempo_edge.Library.open(path) as library:
        assert len(library.find("a beach", min_confidence=0)) > 0
        with pytest.raises(tempo_edge.LibraryError, match=r"can't be written \(Read-only"):
            library.index(originals)
