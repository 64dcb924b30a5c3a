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
    """A process with mounts and settings of its own, which runs commands on one library."""

    def __init__(self, folder: Path, library: str, *mounts: str) -> None:
        ours, theirs = os.pipe()
        home = folder / "home"
        environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "TEMPO_EDGE_LIBRARY": library,
            "ANSWERS": str(theirs),
        }
        script = " && ".join([*mounts, 'exec "$0" -c "$1"'])
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
        self._run.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._run.stdin.flush()
        line = self._answers.readline()
        assert line, "the machine is gone"
        return Spoken(*json.loads(line))

    def mount(self, *words: str | Path) -> None:
        """Mount or take away something on this machine alone, while it runs."""
        inside = ["nsenter", "--mount", f"--target={self._run.pid}"]
        subprocess.run([*inside, *map(str, words)], check=True, capture_output=True)

    def end(self) -> None:
        assert self._run.stdin is not None
        self._run.stdin.close()
        self._run.wait()
        self._answers.close()


Machines = Callable[..., Machine]


@pytest.fixture(scope="module", autouse=True)
def _mounting() -> None:
    try:
        subprocess.run(
            [*_UNSHARE, "mount", "--bind", "/tmp", "/tmp"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounts of a process's own are not permitted here: {error}")


@pytest.fixture
def library() -> str:
    return server().name(server().new_database())


@pytest.fixture
def share(tmp_path: Path, originals: Path) -> Path:
    """What a file server shares: two films, one of them in a folder."""
    folder = tmp_path / "share"
    (folder / "trip").mkdir(parents=True)
    shutil.copy2(originals / "beach.mp4", folder / "trip")
    shutil.copy2(originals / "garden.mp4", folder)
    return folder


@pytest.fixture
def machines(tmp_path: Path, library: str, share: Path) -> Iterator[Machines]:
    """Starts machines by name, each with folders of its own to mount things at."""
    made: list[Machine] = []

    def start(name: str, at: str, *, options: str = "rw") -> Machine:
        """A machine with the share at a folder of its own, and nowhere else."""
        folder = tmp_path / name / at
        folder.mkdir(parents=True)
        bind = f"mount --bind {share} {folder} && mount -o remount,bind,{options} {folder}"
        hide = f"mount -t tmpfs -o size=1m none {share}"
        made.append(Machine(folder.parent, library, bind, hide))
        return made[-1]

    yield start
    for each in made:
        each.end()


def paths(said: Spoken) -> list[str]:
    return [row["path"] for row in said.rows()]


def test_each_machine_has_paths_of_its_own(machines: Machines, share: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one" / "nas", tmp_path / "two" / "films"
    first = machines("one", "nas")
    named = first("volumes", "add", one)
    assert named.status == 0 and f"volume nas is {one} here; 0 files kept by it" in named.err
    assert (share / ".tempo-edge-volume").is_file()
    indexed = first("index", "--quiet", one)
    assert (indexed.status, indexed.out) == (0, "")

    second = machines("two", "films")
    assert second("volumes", "--json").rows() == [
        {
            "name": "nas",
            "path": str(two),
            "mounted": True,
            "files": 2,
            "known_by": "marker",
            "expected": None,
        }
    ]
    assert paths(second("list", "--json")) == [f"{two}/garden.mp4", f"{two}/trip/beach.mp4"]
    found = second("find", "--json", "--min-confidence", "0", "--in", two / "trip", "a beach")
    assert set(paths(found)) == {f"{two}/trip/beach.mp4"}
    again = second("index", two)
    assert "2 unchanged" in again.err

    second.mount("umount", two)
    away = "/not-mounted/nas"
    assert paths(second("list", "--json")) == [f"{away}/garden.mp4", f"{away}/trip/beach.mp4"]
    found = second("find", "--min-confidence", "0", "--seen", "a beach")
    assert f"{away}/trip/beach.mp4" in found.out and "(offline)" in found.out
    assert all(row["offline"] for row in second("find", "--json", "beach").rows())
    assert f"offline   {away}/garden.mp4: its volume is not there" in second("status").out
    rescan = second("index", tmp_path / "two")
    assert rescan.status == 0 and "dropped" not in rescan.err
    rescan = second("index", away)
    assert f"offline {away}: its volume is not there, keeping 2 files" in rescan.err
    assert paths(first("list", "--json")) == [f"{one}/garden.mp4", f"{one}/trip/beach.mp4"]
