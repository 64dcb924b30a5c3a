"""What tests of files that are known again share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tempo_edge.indexing.digests import FileDigests


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read whole for their digest."""
    names: list[str] = []
    whole = FileDigests.whole

    def noting(self: FileDigests, found: object, *rest: object) -> bytes:
        names.append(Path(found.path).name)  # type: ignore[attr-defined]
        return whole(self, found, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FileDigests, "whole", noting)
    return names
