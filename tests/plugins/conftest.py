"""A home of its own for each test of a door: service, player, bus."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doors import Bus, Notes, Service, session_bus, with_program_folder
from harness import Said
from tempo_plugins.desktop import parts


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
    pytest.importorskip("jeepney")
    for program in ("dbus-run-session", "gdbus"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
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
