"""`kill -9` in a reread: the library is searched with the old vectors or the new, whole."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import PATIENCE, Said
from processes import Forked

from tempo_edge.indexing.footage import Sampling
from tempo_edge.library import Library
from tempo_edge.models import load_profile

Environment = dict[str, str]

# Ends the process right before a call of this kind with such a path, as if the machine had gone.
DIE = """
import os, signal, sys

def dying(event, arguments, event_meant={event!r}, path={path!r}):
    if event == event_meant and str(arguments[0]).endswith(path):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(dying)
"""


@pytest.fixture
def other(tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> str:
    """The built-in profile under another name, which makes another one of it."""
    folder = tmp_path / "profiles" / "other"
    shutil.copytree(load_profile("nano").folder, folder)
    about = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**about, "name": "other"}))
    monkeypatch.setenv("TEMPO_EDGE_PROFILES", str(folder.parent))
    environment["TEMPO_EDGE_PROFILES"] = str(folder.parent)
    return "other"


@pytest.fixture
def library(footage: Path, library_path: Path, other: str) -> Path:
    """A library of three films, read with the built-in profile and with frames of its own."""
    with Library.open(library_path, profile="nano") as made:
        made.index(footage, sampling=Sampling(frames_per_second=4.0))
    return library_path


def searched_with(path: Path) -> str:
    """The profile of a library, every vector and every moment of which is of that one."""
    rows = sqlite3.connect(path)
    assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    frames = [number for (number,) in rows.execute("SELECT id FROM frames ORDER BY id")]
    rows.close()
    with Library.open(path) as library:
        assert len(library.files()) == 3
        found = library.find("a beach", min_confidence=0.0)
        assert {moment.path.name for moment in found.moments} == {
            *("beach.mp4", "garden.mp4", "street.mkv")
        }
        assert {moment.profile for moment in found.moments} == {library.profile.name}
        query = library.profile.text_tower.encode(["a beach"])[0]
        assert sorted(library.vectors.search(query, 1000, None).ids.tolist()) == frames
        assert len(frames) > 20 if library.profile.name == "nano" else len(frames) <= 20
        return library.profile.name


def read_again(path: Path, films: Path, environment: Environment, first: str = "") -> Forked:
    words: list[str | Path] = ["index", "-q", "--library", path, "--profile", "other", films]
    return Forked(words, environment, stderr=subprocess.PIPE, first=first)


@pytest.mark.parametrize(
    ("event", "path", "then"),
    [
        ("sqlite3.connect", ".draft.db?mode=rw", "nano"),  # all is read, nothing is settled
        ("os.rename", ".draft.db", "nano"),  # right before the swap
        ("shutil.rmtree", "library.vectors", "other"),  # right after it
        ("os.rename", ".draft.vectors", "other"),  # the old cache is gone
        ("os.remove", ".draft.lock", "other"),
    ],
)
def test_killed_at_an_instant_of_the_swap(
    library: Path, footage: Path, environment: Environment, event: str, path: str, then: str
) -> None:
    program = DIE.format(event=event, path=path)
    with read_again(library, footage, environment, program) as run:
        said = run.rest(PATIENCE)
    assert (run.returncode, said) == (-signal.SIGKILL, "")
    assert searched_with(library) == then
    with read_again(library, footage, environment) as run:
        said = run.rest(PATIENCE)
    assert (run.returncode, said) == (0, "")
    assert searched_with(library) == "other"
    left = {each.name for each in library.parent.iterdir()}
    assert left <= {"library.db", "library.lock", "library.vectors"}


def test_killed_again_and_again_the_reread_gets_done(
    library: Path, footage: Path, environment: Environment, tempo: Callable[..., Said]
) -> None:
    instants = random.Random(5)
    killed = 0
    for longest in (0.4, 1.0):
        with read_again(library, footage, environment) as run:
            time.sleep(instants.uniform(0, longest))
            run.kill()
            run.rest(PATIENCE)
        killed += run.returncode == -signal.SIGKILL
        assert searched_with(library) in ("nano", "other")
    assert killed
    assert tempo("index", "-q", "--profile", "other", footage).status == 0
    assert searched_with(library) == "other"
    left = {each.name for each in library.parent.iterdir()}
    assert left <= {"library.db", "library.lock", "library.vectors"}
