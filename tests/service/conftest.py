"""A library with names that are hard to carry, and a service of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from door import Service, running
from videos import make_not_a_video, make_video, texture

import tempo_edge

# Line ends, quotes, percent signs, a leading dash, text from right to left, and a mark for that.
NAMES = (
    "plain.mp4",
    "line\nend.mp4",
    "tab\tand 'quotes' \"two\".mp4",
    "100%25 & more?#.mp4",
    "-rf.mp4",
    "סרט חתולים.mp4",
    "evil\u202e4pm.mp4",
    "<img src=x onerror=alert(1)>.mkv",
)


@dataclass(frozen=True)
class Footage:
    """A folder of videos, one bad file among them, and a library of it."""

    folder: Path
    library: Path


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    folder = tmp_path_factory.mktemp("named") / "films"
    folder.mkdir()
    for seed, name in enumerate(NAMES):
        shots = [(texture(seed), 2), (texture(seed + 50), 2)]
        make_video(folder / name, shots=shots, size=(96, 64), rate=Fraction(10))
    make_not_a_video(folder / "bad\nnews.mp4")
    library = folder.parent / "library.db"
    with tempo_edge.Library.open(library) as opened:
        opened.index(folder)
    return Footage(folder, library)


@pytest.fixture(scope="session")
def service(named: Footage, environment: dict[str, str]) -> Iterator[Service]:
    """A service that no test may change anything of."""
    with running(named.library, environment, "--port", "0") as started:
        yield started


@pytest.fixture
def own(named: Footage, tmp_path: Path) -> Footage:
    """A copy of the footage and a library of it that a test may change."""
    folder = tmp_path / "films"
    shutil.copytree(named.folder, folder)
    library = tmp_path / "kept" / "library.db"
    with tempo_edge.Library.open(library) as opened:
        opened.index(folder)
    return Footage(folder, library)


@pytest.fixture
def empty(tmp_path: Path, environment: dict[str, str]) -> Iterator[Service]:
    """A service of a library that is not there yet."""
    with running(tmp_path / "kept" / "library.db", environment) as started:
        yield started


def films(folder: Path, source: Path, count: int) -> list[Path]:
    """Copies of a film that are different files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(count):
        path = folder / f"{number:02}.mp4"
        path.write_bytes(source.read_bytes() + b"\0" * number)
        made.append(path)
    return made
