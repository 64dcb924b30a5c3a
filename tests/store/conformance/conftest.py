"""A library in every store there is: each test of this folder runs once for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from keepers import KEEPERS, Keeper

from tempo_edge.store.interface import Catalogue, WritableCatalogue


@pytest.fixture(params=KEEPERS)
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Keeper:
    """Somewhere to keep a library."""
    folder = tmp_path / "kept"
    folder.mkdir()
    return KEEPERS[request.param](folder)


@pytest.fixture
def writer(keeper: Keeper) -> Iterator[WritableCatalogue]:
    with keeper.store().writer() as catalogue:
        yield catalogue


@pytest.fixture
def reader(writer: WritableCatalogue, keeper: Keeper) -> Iterator[Catalogue]:
    """Another connection to the same library."""
    with keeper.store().reader() as catalogue:
        yield catalogue
