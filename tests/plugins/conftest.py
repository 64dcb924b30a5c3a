"""For players: a library, and the command that they start, as it is installed."""

from __future__ import annotations

import shlex
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from videos import make_video, texture

import tempo_edge

HOSTILE = 'it\'s "$(touch x)" `y`; %41 100%,\n-שלום.mkv'


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
    tmp_path_factory: pytest.TempPathFactory, shelf_of_stills: Path, environment: dict[str, str]
) -> Path:
    """A folder for PATH whose tempo-edge is the one under test, with the library of stills."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "tempo-edge"
    names = {**environment, "TEMPO_EDGE_LIBRARY": str(shelf_of_stills / "library.db")}
    kept = " ".join(f"{name}={shlex.quote(value)}" for name, value in names.items())
    program.write_text(f'#!/bin/sh\nexec env {kept} {sys.executable} -m tempo_edge.cli "$@"\n')
    program.chmod(0o755)
    return folder
