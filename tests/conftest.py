"""What every test may use. Being here puts this folder on the path: `from videos import ...`."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from cores import workers
from harness import Said, Shelf
from hypothesis import HealthCheck, settings
from shelves import Archive, make_archive, make_takes
from videos import make_video, motion, texture

import tempo_edge
from tempo_edge import cli, models
from tempo_edge._console import pulse
from tempo_edge.indexing.footage import FootageReader


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker a core for folders of tests; a file by name is run where it is asked for."""
    words = [str(word).partition("::")[0] for word in config.invocation_params.args]
    named = [Path(word) for word in words if Path(word).exists()]
    if named and all(path.is_file() for path in named):
        return 0
    return workers()


# How long an example takes is the business of whatever else the machine does meanwhile.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Tests that are marked as slow run where they are asked for: `pytest -m slow`."""
    if not config.option.markexpr:
        config.option.markexpr = "not slow"


@pytest.fixture(scope="session", autouse=True)
def _models_are_loaded_once() -> Iterator[None]:
    """The real profile, but its towers are loaded once for all tests of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load_profile", functools.cache(models.load_profile))
        yield


@pytest.fixture(autouse=True)
def _nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the library, the settings or the patience of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("TEMPO_EDGE_LIBRARY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TEMPO_EDGE_PROFILES", raising=False)
    monkeypatch.delenv("TEMPO_EDGE_PROVIDERS", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(os, "nice", lambda step: 0)
    # On a busy machine any command may take as long as what is said of long work.
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 1e6)


@pytest.fixture(autouse=True)
def _nobody_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to another machine."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def here(host: object) -> bool:
        return host in (None, "localhost", "127.0.0.1", "::1")

    def checked_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not here(address[0]):
            raise OSError(f"no test may reach {address}")
        connect(self, address)

    def checked_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if not here(host):
            raise OSError(f"no test may reach {host}")
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", checked_connect)
    monkeypatch.setattr(socket, "getaddrinfo", checked_look_up)


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short videos, made once: beach.mp4 of 4 s, street.mkv of 3 s, garden.mp4 of 2 s."""
    folder = tmp_path_factory.mktemp("originals")
    small = functools.partial(make_video, size=(128, 96), rate=Fraction(10))
    small(folder / "beach.mp4", shots=[(texture(1), 2), (motion(2), 2)])
    small(folder / "street.mkv", shots=[(motion(3), 1), (texture(4), 2)])
    small(folder / "garden.mp4", shots=[(texture(5), 2)], audio=True)
    return folder


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 150 s, long enough for the indexer to tell how far it is; to be copied."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    make_video(path, shots=[(motion(1), 150)], size=(64, 48), rate=Fraction(4), gop=8)
    return path


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A library of sixty videos, a copy, a skipped file and one offline; not to be written to."""
    return make_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one.avi and two.avi, films of 3 MiB that begin alike; to be copied."""
    folder = tmp_path_factory.mktemp("takes")
    make_takes(folder)
    return folder


@pytest.fixture
def footage(originals: Path, tmp_path: Path) -> Path:
    """A folder of the test's own with the three videos."""
    folder = tmp_path / "footage"
    shutil.copytree(originals, folder)
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were really read."""
    names: list[str] = []
    read = FootageReader.read

    def noting(self: FootageReader, path: Path, *rest: object) -> object:
        names.append(path.name)
        return read(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FootageReader, "read", noting)
    return names


@pytest.fixture(scope="session")
def built(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the originals, to be copied and not written to."""
    path = tmp_path_factory.mktemp("built") / "library.db"
    with tempo_edge.Library.open(path) as library:
        library.index(originals)
    return path


@pytest.fixture
def library_path(tmp_path: Path) -> Path:
    """Where a library of the test's own goes."""
    return tmp_path / "kept" / "library.db"


@pytest.fixture
def shelf(library_path: Path) -> Shelf:
    return Shelf(library_path)


@pytest.fixture
def tempo(
    library_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Runs a command in this process: `tempo("find", "a dog")`, on the test's own library."""

    def run(*arguments: str | Path) -> Said:
        capsys.readouterr()
        monkeypatch.setenv("TEMPO_EDGE_LIBRARY", str(library_path))
        monkeypatch.setattr(sys, "argv", ["tempo-edge", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return run


@pytest.fixture
def command(library_path: Path) -> Callable[..., list[str]]:
    """The command line of a real process: `command("find", "a dog")`."""

    def build(name: str, *arguments: str | Path) -> list[str]:
        start = [sys.executable, "-m", "tempo_edge.cli", name]
        return [*start, "--library", str(library_path), *map(str, arguments)]

    return build


@pytest.fixture(scope="session")
def shared_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For real processes that several tests share: nothing of the user's, warnings shown."""
    kept = (
        "PATH",
        "LANG",
        "LC_ALL",
        "PYTHONPATH",
        "LD_LIBRARY_PATH",
        "NUMBA_CACHE_DIR",
        "OMP_NUM_THREADS",
        "VIRTUAL_ENV",
        "TEMPO_EDGE_UNIX_SOCKETS",
    )
    given = {k: os.environ[k] for k in kept if k in os.environ}
    return {**given, "HOME": str(tmp_path_factory.mktemp("home")), "PYTHONWARNINGS": "default"}


@pytest.fixture
def environment(shared_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """For real processes of one test, in a home that nothing has lived in."""
    return {**shared_environment, "HOME": str(tmp_path / "home")}
