"""Made-up windows with their pictures, for models that look for themselves.

The same windows and questions as :mod:`tempo_edge.train.grounder.synthetic.windows` draws, but no
tower has seen the pictures: which of them are alike is told by their captions.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tempo_edge.train.data.archives import Archive, DataError
from tempo_edge.train.grounder.examples import Example
from tempo_edge.train.grounder.synthetic.camera import STOPS, film
from tempo_edge.train.grounder.synthetic.feature_bank import of_captions
from tempo_edge.train.grounder.synthetic.filming import Shot
from tempo_edge.train.grounder.synthetic.mix import Mix
from tempo_edge.train.grounder.synthetic.windows import draw_staged


class PicturedWindows:
    """Draws examples from an archive's captioned pictures, without end.

    The archive must stay open. Frames are squares of ``size`` pixels. Every shot is one take, and
    what is kept of a fade is shown as if it were a cut; so no window is without.
    """

    def __init__(self, archive: Archive, split: str, mix: Mix, *, size: int = 224) -> None:
        """Take up an archive's split; all settings of `mix` but ``doubt`` and ``uncut`` count.

        Raises:
            DataError: a picture has no captions.
        """
        self._archive, self._records = archive, archive.split(split)
        self._mix, self._size = dataclasses.replace(mix, uncut=0.0), size
        bare = next((record.file for record in self._records if not record.captions), None)
        if bare is not None:
            raise DataError(f"archive {archive.name!r}: {bare} has no captions")
        self._feature_bank = of_captions([record.captions for record in self._records])

    def draw(self, rng: np.random.Generator) -> Example:
        """One example; the same generator state draws the same one."""
        example, shots = draw_staged(self._feature_bank, self._mix, rng)
        films = [self._film(shot, int(rng.integers(2**32))) for shot in shots]
        numbers = [
            max(i for i, shot in enumerate(shots) if shot.start <= look.seconds)
            for look in example.looks
        ]
        frames = [
            films[number][_stop(shots[number], float(look.seconds))]
            for number, look in zip(numbers, example.looks, strict=True)
        ]
        return dataclasses.replace(example, pictures=np.stack(frames))

    def _film(self, shot: Shot, seed: int) -> NDArray[np.uint8]:
        """One take over a shot's picture, uint8 ``[STOPS, size, size, 3]``."""
        picture = self._archive.picture(self._records[shot.picture])
        take: NDArray[np.uint8] = film(picture, (seed,), self._size)[0]
        return take


def _stop(shot: Shot, seconds: float) -> int:
    """The number of the take's stop that a camera is nearest to."""
    return round((seconds - shot.start) / (shot.end - shot.start) * (STOPS - 1))
