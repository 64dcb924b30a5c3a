"""What the tests of a library's parts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up import Films

from tempo_edge.store.embedded.vectors import FaissVectors


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Films]:
    made = Films(tmp_path)
    yield made
    made.catalogue.close()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often a cache is built."""
    counted: list[int] = []
    build = FaissVectors._build

    def counting(self: FaissVectors) -> None:
        counted.append(1)
        build(self)

    monkeypatch.setattr(FaissVectors, "_build", counting)
    return counted
