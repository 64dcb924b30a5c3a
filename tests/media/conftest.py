"""A gallery of files, each made once when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
from gallery import make
from videos import Truth


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Truth]:
    """A function from the name of a file in the gallery to what is true of it."""
    return cache(partial(make, tmp_path_factory.mktemp("gallery")))
