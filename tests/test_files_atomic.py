"""Files and folders come to lie in their place whole, or not at all, or an OSError says why."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from harness import PATIENCE

from tempo_edge._files import atomic, atomic_dir, atomic_write, draft_beside, drafts, publish


def written(path: Path, text: str) -> None:
    with atomic_write(path) as draft:
        draft.write_text(text)


def test_what_was_there_is_replaced_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "x.txt"
    place.write_text("old")
    with atomic_write(place) as draft:
        draft.write_text("new")
        assert place.read_text() == "old"
    assert place.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


def test_what_goes_wrong_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "x.txt"
    place.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(place) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert place.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        written(Path(name), "x")


@pytest.mark.parametrize("name", ["x" * 250, "短" * 80])
def test_the_longest_names_have_a_draft(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, "x")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    written(pipe, "through")
    reader.join(PATIENCE / 9)
    assert read == ["through"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_disk_that_can_not_be_written_to_is_the_error_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(FileNotFoundError):
        written(tmp_path / "none" / "x", "x")


def test_what_was_written_is_on_the_disk_before_it_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file, then each folder that names it; only the last comes after the renaming."""
    place, done = tmp_path / "x.txt", list[str]()
    sync = os.fsync

    def synced(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        done.append(f"{name} {place.exists()}")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    written(place, "x")
    assert [line.split()[-1] for line in done] == ["False", "True"]
    assert done[1] == f"{tmp_path.name} True"


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x.txt").write_text("old")
    (tmp_path / "x.txt").symlink_to(tmp_path / "kept" / "x.txt")
    written(tmp_path / "x.txt", "new")
    assert (tmp_path / "x.txt").is_symlink()
    assert (tmp_path / "kept" / "x.txt").read_text() == "new"


def test_permissions_are_those_of_what_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "x.txt"
    written(place, "x")
    assert place.stat().st_mode & 0o777 == 0o666 & ~_umask()
    place.chmod(0o600)
    written(place, "y")
    assert place.stat().st_mode & 0o777 == 0o600
    with atomic_write(tmp_path / "own", mode=0o640) as draft:
        draft.write_text("z")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o640


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.fixture(params=[False, True], ids=["locked itself", "locked aside"])
def aside(request: pytest.FixtureRequest) -> bool:
    """Whether a draft's lock is that of a file beside it, as on Windows."""
    return bool(request.param)


def test_a_draft_that_is_locked_aside_is_open_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows moves no file that is open, and opens no folder."""
    monkeypatch.setattr(drafts, "LOCKS_ASIDE", True)
    for what in (atomic_write, atomic_dir):
        with what(tmp_path / what.__name__) as draft:
            held = [
                str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.exists()
            ]
            assert str(draft) not in held and f"{draft}-lock" in held
    assert {file.name for file in tmp_path.iterdir()} == {"atomic_write", "atomic_dir"}


def test_a_draft_of_another_system_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that is not locked aside nobody can tell there whether its writer is alive."""
    line = [sys.executable, "-c", KILLED.format(what="atomic_write", aside=False)]
    subprocess.run([*line, str(tmp_path / "dead")], check=False, capture_output=True)
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr(drafts, "LOCKS_ASIDE", True)
    written(tmp_path / "x", "x")
    assert left.exists()


KILLED = """
import os, sys
from pathlib import Path
from tempo_edge._files import atomic_dir, atomic_write, drafts
drafts.LOCKS_ASIDE = {aside}
with {what}(Path(sys.argv[1])) as draft:
    print(draft, flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("what", ["atomic_write", "atomic_dir"])
def test_what_a_killed_process_left_goes_with_the_next_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, aside: bool
) -> None:
    monkeypatch.setattr(drafts, "LOCKS_ASIDE", aside)
    line = [sys.executable, "-c", KILLED.format(what=what, aside=aside), str(tmp_path / "dead")]
    left = subprocess.run(line, check=False, capture_output=True, text=True).stdout.strip()
    assert left and Path(left).exists()
    with draft_beside(tmp_path / "other") as living:
        assert not Path(left).exists()
        written(tmp_path / "x.txt", "x")
        assert living.exists(), "one that is being written is left alone"
        publish(living, tmp_path / "other")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other", "x.txt"]


@pytest.mark.parametrize("locks_first", [True, False], ids=["sweeper first", "swept before"])
@pytest.mark.parametrize("what", [atomic_write, atomic_dir])
def test_a_draft_that_another_process_takes_for_a_dead_one_s_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: Any, locks_first: bool, aside: bool
) -> None:
    """A draft is there for an instant before its writer has locked it."""
    monkeypatch.setattr(drafts, "LOCKS_ASIDE", aside)
    lock, sweep, swept = drafts._lock, drafts.sweep, []

    def late(descriptor: int) -> None:
        if swept:
            return lock(descriptor)
        swept.extend(tmp_path.iterdir())
        if not locks_first:
            sweep(tmp_path)
            return lock(descriptor)
        held = os.open(swept[0], os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            lock(descriptor)
        finally:
            os.close(held)
            sweep(tmp_path)

    monkeypatch.setattr(drafts, "_lock", late)
    with what(tmp_path / "new") as draft:
        assert draft.exists() and draft != swept[0]
        monkeypatch.setattr(drafts, "_lock", lock)
        sweep(tmp_path)
        assert draft.exists(), "this one's writer is known to be alive"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_what_is_there_may_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refused(*names: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:  # as on FAT
        monkeypatch.setattr(os, "link", refused)
    with atomic_write(tmp_path / "x", replace=False) as draft:
        draft.write_text("first")
    with (
        pytest.raises(FileExistsError),
        atomic_write(tmp_path / "x", replace=False) as draft,
    ):
        draft.write_text("second")
    assert (tmp_path / "x").read_text() == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "above" / "folder"
    with atomic_dir(place) as draft:
        (draft / "x").write_text("x")
        assert not place.exists()
    assert (place / "x").read_text() == "x"
    with pytest.raises(FileExistsError), atomic_dir(place):
        pass
    with pytest.raises(ZeroDivisionError), atomic_dir(place, replace=True) as draft:
        (draft / "x").write_text("half")
        raise ZeroDivisionError
    assert (place / "x").read_text() == "x"
    assert [file.name for file in place.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("exchanged", [True, False])
def test_a_folder_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanged: bool
) -> None:
    if not exchanged:  # as on NFS
        monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    for text in ("old", "new"):
        with atomic_dir(tmp_path / "folder", replace=True) as draft:
            (draft / text).write_text(text)
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["new"]
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_lost_its_place_comes_back(tmp_path: Path) -> None:
    """A process was killed between two renames, where a file system can't exchange folders."""
    former = tmp_path / ".folder.tempo-former"
    former.mkdir()
    (former / "x").write_text("x")
    written(tmp_path / "y", "y")
    assert (tmp_path / "folder" / "x").read_text() == "x"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_a_folder_that_takes_no_file_is_the_error_told() -> None:
    """It says of every new file that it is not there, as if its folder had just been swept."""
    with pytest.raises(FileNotFoundError), atomic_write(Path("/proc/a.html")):
        pass
