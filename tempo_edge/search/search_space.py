"""Where a query looks, and what is found out about that once for all of its terms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tempo_edge.query import Query
from tempo_edge.search.calibrate import NullDistribution
from tempo_edge.search.reels import Reels
from tempo_edge.search.scope import videos_of
from tempo_edge.store.interface import Catalogue
from tempo_edge.store.vectors import Vectors

__all__ = ["SearchSpace"]


class SearchSpace:
    """Where a query looks. What is found out of that is kept for all of its terms.

    Args:
        query: what is asked for.
        catalogue: the library's rows, within a snapshot.
        vectors: gives the search among its frames, which is brought up to the rows.
        along_seconds: see :class:`Reels`.

    Attributes:
        videos: ids of the only videos that count; None for all.
        crowd: ids of the videos whose chance a moment has to stand out of; None for all.
        reels: what footage is read by.
        nulls: how vectors score by chance here, as far as that was asked for.

    Raises:
        QueryError: as :func:`videos_of`.
    """

    def __init__(
        self,
        query: Query,
        catalogue: Catalogue,
        vectors: Callable[[], Vectors],
        along_seconds: float = 0.0,
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self.videos = videos_of(query, catalogue)
        self.crowd = None if query.amid_all else self.videos
        self.reels = Reels(catalogue, along_seconds)
        self.nulls: dict[tuple[bytes, bool], NullDistribution] = {}

    @cached_property
    def frames(self) -> int:
        """How many frames there are to find."""
        return self._catalogue.count_frames(self.videos)

    @cached_property
    def crowd_frames(self) -> int:
        """How many frames of the crowd there are."""
        return self._catalogue.count_frames(self.crowd)

    @cached_property
    def sample(self) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` of some of the crowd."""
        return self._vectors().sample(self.crowd)
