"""A library with names that are hard to carry, and a service of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from door import TOKEN, Service, running
from shown import NAMES, Footage
from videos import make_not_a_video, make_video, texture

import tempo_edge
from tempo_edge._files import make_private
from tempo_edge._system import unix_sockets
from tempo_edge.service.transport import places


@pytest.fixture(autouse=True)
def _the_token_is_at_hand(_nothing_of_the_users: None) -> None:
    """What asks in this process is the services' user, where a token has to tell it."""
    if not unix_sockets.are_used():
        make_private(places.token_path().parent)
        places.token_path().write_text(TOKEN)


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
def service(named: Footage, shared_environment: dict[str, str]) -> Iterator[Service]:
    """A service that no test may change anything of."""
    with running(named.library, shared_environment, "--port", "0") as started:
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
