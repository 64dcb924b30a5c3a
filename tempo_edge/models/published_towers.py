"""Towers that run graphs as they were published: what goes in, what comes out, in NumPy.

Such a graph takes pixels of the scale of its training and tokens of its family's length, and gives
vectors of any length. What belongs to it is written in the profile, its :class:`Layout`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError, QueryError
from tempo_edge.models.description import Description
from tempo_edge.models.running import DeviceArray, on_host, run
from tempo_edge.models.shapes import PICTURES
from tempo_edge.models.tokenizer import MOST_TOKENS, encode, plain_tokenizer
from tempo_edge.models.towers import ImageTower, TextTower
from tempo_edge.models.vocabulary import Vocabulary

__all__ = ["INTERPOLATIONS", "Layout", "PublishedImageTower", "PublishedTextTower", "Words"]

#: The ways to make a picture smaller that profiles may name.
INTERPOLATIONS = ("AREA", "BILINEAR", "BICUBIC")

_OUTPUTS = ("pooler_output", "image_embeds", "text_embeds")


@dataclass(frozen=True)
class Layout:
    """The meaning of published graphs' inputs and outputs.

    Attributes:
        image_output, text_output: the outputs that hold the vectors.
        mean, std: of each colour from 0 to 1, which pixels are told by.
        alone: one picture at a time, because the graph takes its scales from all it is given.
        lower: whether sentences are read in small letters.
        begin, end: the marks around a sentence; no mark before it, if empty.
        most_tokens: of a sentence with its marks; ``pad``: what fills it up to these, if not None.
    """

    image_output: str
    text_output: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    alone: bool
    lower: bool
    begin: str
    end: str
    most_tokens: int
    pad: int | None

    @staticmethod
    def of(about: Description) -> Layout:
        """The layout in a description.

        Raises:
            ProfileError: a field of it is missing or out of bounds.
        """
        return Layout(
            image_output=about.choice("image_output", _OUTPUTS),
            text_output=about.choice("text_output", _OUTPUTS),
            mean=tuple(about.numbers("mean", 3, 0.0, 1.0)),
            std=tuple(about.numbers("std", 3, 1e-3, 10.0)),
            alone=about.truth("alone"),
            lower=about.truth("lower"),
            begin=about.text("begin"),
            end=about.text("end"),
            most_tokens=about.whole("most_tokens", 3, MOST_TOKENS),
            pad=about.optional("pad", lambda name: about.whole(name, 0, 1 << 30)),
        )

    def describe(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return asdict(self)


class _Graph:
    """A session that is run for one output; inputs that it wants besides are filled with nothing.

    One graph may have both towers. What leads to another output is not run.
    """

    def __init__(self, session: Any, size: int, most_tokens: int) -> None:
        import onnxruntime

        self._session = session
        self._wanted = {each.name for each in session.get_inputs()}
        self._options = onnxruntime.RunOptions()
        self._options.only_execute_path_to_fetches = True
        words = np.zeros((1, most_tokens), np.int64)
        self._nothing = {
            "pixel_values": np.zeros((1, 3, size, size), np.float32),
            "input_ids": words,
            "attention_mask": words + 1,
        }

    def run(self, outputs: list[str], inputs: dict[str, NDArray[Any]]) -> Any:
        fed = {**self._nothing, **inputs}
        taken = {name: value for name, value in fed.items() if name in self._wanted}
        return self._session.run(outputs, taken, self._options)


class PublishedImageTower(ImageTower):
    """Pictures to vectors, by a graph as it was published; a picture's one token is its vector.

    Args:
        session: the model; ``path``: its file, for errors.
        layout: what it takes and gives; ``size``: pixels a side of its pictures.
        dim: length of the vectors that it must give; None for whatever it gives.
    """

    def __init__(
        self, session: Any, path: Path, layout: Layout, size: int, dim: int | None = None
    ) -> None:
        super().__init__(_Graph(session, size, layout.most_tokens), path, dim, 1)
        self._layout = layout
        self._at_once = 1 if layout.alone else PICTURES

    def encode(
        self, images: NDArray[np.uint8] | DeviceArray
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Unit vectors ``[n, dim]`` and tokens ``[n, 1, dim]`` of RGB pictures ``[n, s, s, 3]``.

        Pictures on a card come to the host, where they are made what the graph takes.

        Raises:
            ProfileError: the model can't be run, or gives something else.
        """
        images = on_host(images)
        mean, std = (np.asarray(each, np.float32) for each in (self._layout.mean, self._layout.std))
        found = []
        for first in range(0, max(len(images), 1), self._at_once):
            part = images[first : first + self._at_once]
            pixels = (part.astype(np.float32) / 255 - mean) / std
            inputs = {"pixel_values": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))}
            wanted = {self._layout.image_output: (None, self._dim)}
            found.append(run(self._session, wanted, inputs, self._path)[0])
        vectors = _unit(np.concatenate(found))
        return vectors, vectors[:, None]


@dataclass(frozen=True)
class Words:
    """The tokens of sentences, by a profile's own tokenizer.

    Attributes:
        path: its file; ``vocabulary``: its pieces in a file that loads faster, if there is one.
    """

    path: Path
    vocabulary: Path | None = None

    def __post_init__(self) -> None:
        source: Any
        if self.vocabulary is not None:
            source = Vocabulary(self.vocabulary).tokenizer
        else:
            whole = plain_tokenizer(self.path.read_text(encoding="utf-8"), self.path)
            source = lambda text: whole  # noqa: E731
        object.__setattr__(self, "_tokenizer", source)

    def ids(self, sentence: str, layout: Layout) -> NDArray[np.int64]:
        """Token ids ``[1, l]`` of a sentence, with its marks and filled up as the layout says.

        Raises:
            ProfileError: the tokenizer can't be run, or has no such marks.
        """
        from tokenizers import normalizers

        text = normalizers.Lowercase().normalize_str(sentence) if layout.lower else sentence
        tokenizer = self._tokenizer(text)  # type: ignore[attr-defined]
        marks = [tokenizer.token_to_id(mark) for mark in (layout.begin, layout.end) if mark]
        if None in marks:
            raise ProfileError(f"{self.path} has no {layout.begin!a} or no {layout.end!a}")
        ids = encode(tokenizer, text, self.path, framed=False).ids
        *begin, end = marks
        ids = [*begin, *ids[: layout.most_tokens - len(marks)], end]
        if layout.pad is not None:
            ids += [layout.pad] * (layout.most_tokens - len(ids))
        return np.asarray([ids], np.int64)


class PublishedTextTower(TextTower):
    """Sentences to vectors, by a graph as it was published; a sentence's one state is its vector.

    Args:
        session: the model; ``words``: what makes tokens of a sentence.
        path: the model's file, for errors.
        layout: what it takes and gives; ``size``: pixels a side of the other tower's pictures.
        dim: length of the vectors that it must give; None for whatever it gives.
    """

    def __init__(
        self,
        session: Any,
        words: Words,
        path: Path,
        layout: Layout,
        size: int,
        dim: int | None = None,
    ) -> None:
        super().__init__(_Graph(session, size, layout.most_tokens), words, path, dim)
        self._layout = layout

    def _read(self, sentence: str, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        if not sentence.strip():
            raise QueryError(f"query {sentence!r} is empty: say what to look for")
        ids = self._tokenizer.ids(sentence, self._layout)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        wanted = {self._layout.text_output: (1, self._dim)}
        vectors = _unit(run(self._session, wanted, inputs, self._path)[0])
        given = {"vectors": vectors, "states": vectors[:, None]}
        return [given[name] for name in outputs]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
