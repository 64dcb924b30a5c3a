"""What the tests of a library's parts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up import Films

from tempo_edge.store.vectors import VectorCache


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Films]:
    made = Films(tmp_path)
    yield made
    made.catalogue.close()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often a cache is built."""
    counted: list[int] = []
    build = VectorCache._build

    def counting(self: VectorCache) -> None:
        counted.append(1)
        build(self)

    monkeypatch.setattr(VectorCache, "_build", counting)
    return counted
