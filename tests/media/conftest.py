"""A gallery of files, each made once when a test first asks for it, and every decoder there is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
from gallery import make
from videos import Truth

from tempo_edge.errors import MissingExtraError
from tempo_edge.media import DECODERS, open_video


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Truth]:
    """A function from the name of a file in the gallery to what is true of it."""
    return cache(partial(make, tmp_path_factory.mktemp("gallery")))


@pytest.fixture(params=DECODERS)
def decoder(request: pytest.FixtureRequest, gallery: Callable[[str], Truth]) -> str:
    """The name of each decoder of the registry that is installed."""
    name: str = request.param
    try:
        open_video(gallery("plain.mp4").path, name).close()
    except MissingExtraError as error:
        pytest.skip(str(error))
    return name
