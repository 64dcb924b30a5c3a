"""The volumes of a library on a server: one film, two mount points, two machines' worth of paths.

Each process has mounts of its own, as a machine has: `unshare --mount` gives them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from postgres_server import server

_UNSHARE = ["unshare", "--mount", "--propagation", "private"]

_EACH = """
import json, os, sys
from tempo_edge.cli import main
for line in sys.stdin:
    sys.argv[1:] = json.loads(line)
    out, err = os.memfd_create("out"), os.memfd_create("err")
    os.dup2(out, 1), os.dup2(err, 2)
    try:
        main()
    except SystemExit as ended:
        status = ended.code
    sys.stdout.flush(), sys.stderr.flush()
    said = [os.pread(each, 1 << 20, 0).decode() for each in (out, err)]
    os.write(int(os.environ["ANSWERS"]), (json.dumps([status, *said]) + "\\n").encode())
"""


@dataclass
class Spoken:
    """What a command of a machine came to."""

    status: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Machine:
    """A process with mounts and settings of its own, which runs commands.

    Args:
        folder: its own; ``share``: what it has at ``point``, a folder in that, and nowhere else.
        options: of the mount.

    Attributes:
        library: that commands are run on.
    """

    def __init__(self, folder: Path, share: Path, point: str, options: str = "rw") -> None:
        self.point = folder / point
        self.library = ""
        self.point.mkdir(parents=True)
        self._has = f"mount --bind {share} {self.point} && mount -o remount,bind,{options} "
        self._has += f"{self.point} && mount -t tmpfs -o size=1m none {share}"
        self._again = f"umount {share} && {self._has}"
        self._is_mounted = True
        ours, theirs = os.pipe()
        environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "ANSWERS": str(theirs),
        }
        script = f'{self._has} && exec "$0" -c "$1"'
        self._run = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", script, sys.executable, _EACH],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            pass_fds=[theirs],
            text=True,
        )
        os.close(theirs)
        self._answers = os.fdopen(ours)

    def __call__(self, *words: str | Path) -> Spoken:
        assert self._run.stdin is not None
        line = [*map(str, words), "--library", self.library]
        self._run.stdin.write(json.dumps(line) + "\n")
        self._run.stdin.flush()
        answer = self._answers.readline()
        assert answer, "the machine is gone"
        return Spoken(*json.loads(answer))

    def unmount(self) -> None:
        """Take its mount away, while it runs."""
        self._do(f"umount {self.point}")
        self._is_mounted = False

    def mount(self) -> None:
        """Have its mount again."""
        if not self._is_mounted:
            self._do(self._again)
            self._is_mounted = True

    def _do(self, script: str) -> None:
        line = ["nsenter", "--mount", f"--target={self._run.pid}", "sh", "-c", script]
        subprocess.run(line, check=True, capture_output=True)

    def end(self) -> None:
        assert self._run.stdin is not None
        self._run.kill()
        self._run.wait()
        self._run.stdin.close()
        self._answers.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, originals: Path) -> Path:
    """Two films that a file server shares, one of them in a folder, and one of a machine's own."""
    made = tmp_path_factory.mktemp("volumes")
    (made / "share" / "trip").mkdir(parents=True)
    (made / "own").mkdir()
    shutil.copy2(originals / "beach.mp4", made / "share" / "trip")
    shutil.copy2(originals / "garden.mp4", made / "share")
    shutil.copy2(originals / "street.mkv", made / "own")
    return made


@pytest.fixture(scope="module")
def pair(folder: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines that have the share at different places; the second can't write to it."""
    try:
        line = [*_UNSHARE, "mount", "--bind", "/tmp", "/tmp"]
        subprocess.run(line, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounts of a process's own are not permitted here: {error}")
    server()
    first = Machine(folder / "one", folder / "share", "nas")
    second = Machine(folder / "two", folder / "share", "films", "ro")
    yield first, second
    first.end()
    second.end()


@pytest.fixture(scope="module")
def before(pair: tuple[Machine, Machine], folder: Path) -> str:
    """A database with a library that the first machine made before there were names."""
    database = server().new_database()
    first, _ = pair
    first.library = server().name(database)
    indexed = first("index", first.point, folder / "own")
    assert indexed.status == 0 and "3 indexed" in indexed.err
    told = f"{first.point} is on no named volume: its files are kept by this machine's path"
    assert told in indexed.err
    return database


@pytest.fixture
def machines(pair: tuple[Machine, Machine], before: str) -> Iterator[tuple[Machine, Machine]]:
    """Both machines, with a copy of that library."""
    copy = f"{before}_copy"
    server().run(f"DROP DATABASE IF EXISTS {copy}", f"CREATE DATABASE {copy} TEMPLATE {before}")
    for each in pair:
        each.library = server().name(copy)
    yield pair
    for each in pair:
        each.mount()


def paths(said: Spoken) -> list[str]:
    return [row["path"] for row in said.rows()]


def test_each_machine_has_paths_of_its_own(machines: tuple[Machine, Machine], folder: Path) -> None:
    first, second = machines
    one, two = first.point, second.point
    named = first("volumes", "add", one)
    assert named.status == 0 and f"volume nas is {one} here; 2 files kept by it" in named.err
    assert json.loads((folder / "share" / ".tempo-edge-volume").read_text())["name"] == "nas"
    shutil.copy2(folder / "share" / "garden.mp4", folder / "share" / "trip" / "again.mp4")
    assert "1 reused, 3 unchanged" in first("index", one, folder / "own").err

    (listed,) = second("volumes", "--json").rows()
    assert listed == {
        **{"name": "nas", "path": str(two), "mounted": True, "files": 3},
        **{"known_by": "marker", "expected": None},
    }
    theirs = [f"{two}/garden.mp4", f"{two}/trip/again.mp4", f"{two}/trip/beach.mp4"]
    assert paths(second("list", "--json", "--in", two)) == theirs
    found = second("find", "--json", "--min-confidence", "0", "--in", two / "trip", "a beach")
    assert f"{two}/trip/beach.mp4" in paths(found)
    assert all(path.startswith(f"{two}/") for path in paths(found))
    assert "3 unchanged" in second("index", two).err

    second.unmount()
    away = "/not-mounted/nas"
    gone = [path.replace(str(two), away) for path in theirs]
    assert paths(second("list", "--json", "--in", away)) == gone
    found = second("find", "--min-confidence", "0", "--seen", "a beach")
    assert f"{away}/trip/beach.mp4" in found.out and "(offline)" in found.out
    status = second("status").out
    assert f"offline   {away}/garden.mp4: its volume is not there" in status
    assert "volume    nas: not mounted here" in status
    assert "dropped" not in second("index", two.parent).err
    rescan = second("index", away)
    assert f"offline {away}: its volume is not there, keeping 3 files" in rescan.err
    assert len(paths(first("list", "--json", "--in", one))) == 3


@pytest.mark.slow
def test_a_volume_without_a_marker_loses_nothing_either(
    machines: tuple[Machine, Machine], folder: Path
) -> None:
    first, second = machines
    one, two = first.point, second.point
    (folder / "share" / ".tempo-edge-volume").unlink(missing_ok=True)
    was = paths(first("list", "--json"))
    (facts,) = first("volumes", "add", one, "--name", "films", "--no-marker", "--json").rows()
    assert (facts["files"], facts["left"], facts["marker"]) == (2, 0, None)
    assert not (folder / "share" / ".tempo-edge-volume").exists()
    assert paths(first("list", "--json")) == was
    listed = first("volumes")
    assert f"films  {one}  2 files" in listed.out and "1 file is on no named volume" in listed.err
    refused = first("volumes", "map", "films", folder / "own")
    assert refused.status == 2 and "none is there" in refused.err

    first.unmount()
    rescan = first("index", one)
    assert f"offline {one}: volume films is not mounted, keeping 2 files" in rescan.err
    assert "dropped" not in rescan.err
    assert [Path(path).name for path in paths(first("list", "--json", "--in", one))] == [
        *("garden.mp4", "beach.mp4"),
    ]
    refused = first("volumes", "forget", "films")
    assert refused.status == 2 and "2 of its files would be nowhere" in refused.err

    (found,) = second("volumes", "--json").rows()
    # Only some kinds of file systems can be told on another machine.
    assert found["path"] == (str(two) if found["known_by"] == "file system" else None)
    (mapped,) = second("volumes", "map", "films", two, "--json").rows()
    assert (mapped["path"], mapped["expected"]) == (str(two), str(two))
    forgotten = second("volumes", "forget", "films")
    assert "forgot volume films; 2 files kept by this machine's paths" in forgotten.err
    assert paths(second("list", "--json", "--in", two)) == [
        f"{two}/garden.mp4",
        f"{two}/trip/beach.mp4",
    ]


@pytest.fixture(scope="module")
def empty() -> str:
    """A database without a library."""
    return server().new_database()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "/nowhere"], "/nowhere is no folder that can be a volume"),
        (["add", "/"], "/ is no folder that can be a volume"),
        (["add", "/tmp", "--name", "a/b"], "'a/b' is no name for a volume"),
        (["add", "/tmp", "--name", "elsewhere"], "'elsewhere' is no name for a volume"),
        (["map", "nas", "/tmp"], "there is no library at"),
        (["--json", "list"], "--json goes behind list: type it there"),
        (["list"], "there is no library at"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    words: list[str], told: str, tempo: Callable[..., Any], empty: str
) -> None:
    library = [] if words[0] == "--json" else ["--library", server().name(empty)]
    said = tempo("volumes", *words, *library)
    assert said.status == 2 and told in said.err and said.err.count("\n") == 1


def test_a_library_in_a_file_keeps_paths_as_they_are(
    tempo: Callable[..., Any], tmp_path: Path, library_path: Path
) -> None:
    said = tempo("volumes", "add", tmp_path)
    assert said.status == 2 and "keeps paths as they are" in said.err
    assert not library_path.exists() and not list(tmp_path.glob(".tempo-edge*"))


@pytest.mark.slow
def test_a_worker_reads_what_another_machine_has_put_in(
    machines: tuple[Machine, Machine], folder: Path
) -> None:
    first, second = machines
    assert first("volumes", "add", first.point, "--name", "nas").status == 0
    late = folder / "share" / "trip" / "late.mkv"
    shutil.copy2(folder / "own" / "street.mkv", late)
    try:
        queued = first("index", "--queue", first.point)
        assert queued.status == 0 and " queued" in queued.err
        (state,) = second("status", "--json").rows()
        assert state["queue"]["waiting"]["pictures"] >= 1
        worked = second("worker", "--only", "pictures", "--until-empty")
        assert worked.status == 0, worked.err
        for machine in machines:
            listed = {row["path"] for row in machine("list", "--json").rows()}
            assert str(machine.point / "trip" / "late.mkv") in listed
    finally:
        late.unlink()
