"""The part of a store's interface that finds lines of words by what they mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tempo_edge.store.vectors import Hits

__all__ = ["LineVectors"]


class LineVectors(ABC):
    """The lines of one library that have a sentence vector, searchable by cosine similarity."""

    @abstractmethod
    def refresh(self, *, writing: bool = False) -> None:
        """Bring what is searched up to the catalogue, within a snapshot of that.

        Args:
            writing: the caller writes the library, and has time to leave a good cache behind.
        """

    @abstractmethod
    def count(self) -> int:
        """How many lines are searched, about: some may have been deleted."""

    @abstractmethod
    def sample(self) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` spread over all lines."""

    @abstractmethod
    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
    ) -> Hits:
        """The lines nearest to a unit vector ``[d]``: about the ``k`` nearest, the best first.

        Similarities are cosines, of eight bits a component. Lines that were deleted are not given.

        Args:
            kinds: of :data:`tempo_edge.words.line.KINDS`, those that count; by default all.
            videos: ids of the only videos whose lines may be given.
        """

    def begin(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        kinds: Collection[str] | None = None,
        videos: Collection[int] | None = None,
    ) -> Callable[[], Hits]:
        """A search that may go on beside other work until what it gives is called for, once.

        Args are those of :meth:`search`, and so is what it gives, within the same snapshot.
        """
        return partial(self.search, query, k, kinds=kinds, videos=videos)
