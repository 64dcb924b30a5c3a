"""The towers of a profile: pictures and sentences to unit vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import QueryError
from tempo_edge.models.running import (
    DeviceArray,
    Shape,
    on_host,
    reads_device_memory,
    run,
    run_there,
)
from tempo_edge.models.shapes import PICTURES
from tempo_edge.models.tokenizer import encode

__all__ = ["ImageTower", "TextTower"]


class ImageTower:
    """Pictures to vectors and tokens.

    Args:
        session: the model.
        path: its file, for errors.
        dim: length of the vectors that it must give; None for whatever it gives.
        tokens: how many it must give of a picture; None for however many.
    """

    def __init__(
        self,
        session: Any,
        path: Path | None = None,
        dim: int | None = None,
        tokens: int | None = None,
    ) -> None:
        self._session, self._path, self._dim, self._tokens = session, path, dim, tokens

    def encode(
        self, images: NDArray[np.uint8] | DeviceArray
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Unit vectors ``[n, dim]`` and tokens ``[n, t, dim]`` of RGB pictures ``[n, s, s, 3]``.

        Pictures on a card are read there, if the model runs on it.

        Raises:
            ProfileError: the model can't be run, or gives something else.
        """
        wanted = {"vectors": (None, self._dim), "tokens": (None, self._tokens, self._dim)}
        firsts = range(0, max(images.shape[0], 1), PICTURES)
        if not isinstance(images, np.ndarray) and reads_device_memory(self._session):
            some = (images[first : first + PICTURES] for first in firsts)
            parts = [run_there(self._session, wanted, "images", each, self._path) for each in some]
        else:
            here = on_host(images)
            batches = ({"images": here[first : first + PICTURES]} for first in firsts)
            parts = [run(self._session, wanted, batch, self._path) for batch in batches]
        vectors, tokens = zip(*parts, strict=True)
        return np.concatenate(vectors), np.concatenate(tokens)


class TextTower:
    """Sentences to vectors.

    Args:
        session: the model; ``path``: its file, for errors.
        tokenizer: that of the ``tokenizers`` library.
        dim: length of the vectors that it must give; None for whatever it gives.
    """

    def __init__(
        self, session: Any, tokenizer: Any, path: Path | None = None, dim: int | None = None
    ) -> None:
        self._session, self._tokenizer, self._path, self._dim = session, tokenizer, path, dim

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors ``[n, dim]``, each worked out alone so that none depends on another.

        Raises:
            QueryError: a sentence is empty.
            ProfileError: the tokenizer or the model can't be run, or gives something else.
        """
        return np.stack([self._read(sentence, ["vectors"])[0][0] for sentence in sentences])

    def read(self, sentence: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The unit vector ``[dim]`` of a sentence and the states of its tokens ``[l, 384]``.

        Raises:
            QueryError: the sentence is empty.
            ProfileError: the model can't be run, or gives something else.
        """
        vectors, states = self._read(sentence, ["vectors", "states"])
        return vectors[0], states[0]

    def mean_states(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """The mean state ``[n, 384]`` of each sentence's tokens.

        Raises:
            ProfileError: the model can't be run, or gives something else.
        """
        beside = None if self._path is None else self._path.with_name("tokenizer.json")
        coded = [encode(self._tokenizer, sentence, beside).ids for sentence in sentences]
        shape = len(coded), max(map(len, coded))
        ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, tokens in enumerate(coded):
            ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        (states,) = run(self._session, {"states": (*shape, None)}, inputs, self._path)
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((states * weights).sum(1) / weights.sum(1), dtype=np.float32)

    def _read(self, sentence: str, outputs: list[str]) -> list[NDArray[np.float32]]:
        if not sentence.strip():
            raise QueryError(f"query {sentence!r} is empty: say what to look for")
        beside = None if self._path is None else self._path.with_name("tokenizer.json")
        coded = encode(self._tokenizer, sentence, beside)
        inputs = {
            "input_ids": np.asarray([coded.ids], dtype=np.int64),
            "attention_mask": np.asarray([coded.attention_mask], dtype=np.int64),
        }
        shapes: dict[str, Shape] = {"vectors": (1, self._dim), "states": (1, None, None)}
        wanted = {name: shapes[name] for name in outputs}
        return run(self._session, wanted, inputs, self._path)
