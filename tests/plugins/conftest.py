"""A home of its own for each test of a door: service, player, bus."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from doors import Bus, Notes, Service, session_bus, with_program_folder
from harness import Said
from tempo_plugins.desktop import parts
from videos import make_video, texture

import tempo_edge

HOSTILE = 'it\'s "$(touch x)" `y`; %41 100%,\n-שלום.mkv'


@pytest.fixture(autouse=True)
def _no_other_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may run a service too."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in the place of ``/usr/local/share``: whoever runs the tests may be root."""
    folder = tmp_path / "system" / "share"
    monkeypatch.setattr(parts, "SYSTEM_DATA", folder)
    return folder


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service where doors look for it."""
    with Service(tmp_path / "run" / "tempo-edge" / "service.sock").running() as running:
        yield running


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    """mpv and xdg-open, taking notes."""
    notes = Notes(tmp_path / "programs")
    for name in ("mpv", "xdg-open"):
        notes.add(name)
    return notes


@pytest.fixture
def own_home(tmp_path: Path, environment: dict[str, str], notes: Notes) -> dict[str, str]:
    """The environment of a real process that sees this test's files only."""
    told = {
        **environment,
        "HOME": str(tmp_path / "home"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
    }
    return with_program_folder(told, notes.folder)


@pytest.fixture
def bus(own_home: dict[str, str]) -> Iterator[Bus]:
    """A session bus that finds what was installed for the test's user."""
    with session_bus(own_home) as running:
        yield running


@pytest.fixture
def installed(tempo: Callable[..., Said]) -> Callable[[str], Said]:
    """Installs a plugin for the test's user."""

    def install(name: str) -> Said:
        said = tempo("plugins", "install", name)
        assert said.status == 0, said.err
        return said

    return install


@pytest.fixture
def players_here(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> Notes:
    """The note-takers on the path of this process."""
    monkeypatch.setenv("PATH", f"{notes.folder}{os.pathsep}{os.environ['PATH']}")
    return notes


@pytest.fixture(scope="session")
def shelf_of_stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of three still pictures under a name that means harm, and a library of it."""
    folder = tmp_path_factory.mktemp("stills")
    folder.chmod(0o755)
    shots = [(texture(seed), 4) for seed in range(3)]
    make_video(folder / HOSTILE, shots=shots, size=(96, 64), rate=Fraction(10), gop=10)
    with tempo_edge.Library.open(folder / "library.db") as library:
        library.index(folder)
    return folder


@pytest.fixture
def film(shelf_of_stills: Path) -> Path:
    return shelf_of_stills / HOSTILE


@pytest.fixture(scope="session")
def programs(
    tmp_path_factory: pytest.TempPathFactory,
    shelf_of_stills: Path,
    shared_environment: dict[str, str],
) -> Path:
    """A folder for PATH whose tempo-edge is the one under test, with the library of stills."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "tempo-edge"
    names = {**shared_environment, "TEMPO_EDGE_LIBRARY": str(shelf_of_stills / "library.db")}
    kept = " ".join(f"{name}={shlex.quote(value)}" for name, value in names.items())
    program.write_text(f'#!/bin/sh\nexec env {kept} {sys.executable} -m tempo_edge.cli "$@"\n')
    program.chmod(0o755)
    return folder
