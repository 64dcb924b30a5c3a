"""The part of a store's interface that finds frames by their vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Hits", "Vectors"]


@dataclass(frozen=True)
class Hits:
    """Nearest frames, best first: ``ids`` and ``similarities``, both ``[k]``."""

    ids: NDArray[np.int64]
    similarities: NDArray[np.float32]


class Vectors(ABC):
    """The frames of one library, searchable by cosine similarity."""

    @abstractmethod
    def refresh(self, *, writing: bool = False, must_save: bool = False) -> None:
        """Bring what is searched up to the catalogue, within a snapshot of that.

        Args:
            writing: the caller writes the library, and has time to leave a good cache behind.
            must_save: complain where a changed cache can't be written; otherwise it is just used.

        Raises:
            LibraryError: it must be saved and can't be.
        """

    @abstractmethod
    def search(
        self, query: NDArray[np.float32], k: int, videos: Sequence[int] | None = None
    ) -> Hits:
        """The ``k`` frames nearest to a unit vector ``[d]``; fewer where there are fewer.

        Similarities are cosines, of eight bits a component or better. Frames that were deleted
        before the last :meth:`refresh` are never given.

        Args:
            videos: ids of the only videos whose frames may be given.
        """

    @abstractmethod
    def sample(self, videos: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Unit vectors ``[n, d]`` spread over all frames, or over those of some videos.

        A few thousand at most, or all where there are fewer, and for the same rows the same: they
        tell how a query scores by chance.
        """
