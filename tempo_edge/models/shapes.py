"""The shapes that each model's inputs have in a search, for engines that are built for them.

Each input has three: the least, the usual and the most, as TensorRT's optimisation profiles want
them. What lies outside of them can't be run by such an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PICTURES", "WORDS", "InputShape", "Shapes", "image_shapes", "text_shapes"]

#: Pictures that the image tower takes at once, at most.
PICTURES = 16

#: Tokens of the longest sentence that a text tower reads, where its profile says nothing else.
WORDS = 64

# Tokens of an ordinary query.
_USUAL_WORDS = 16


@dataclass(frozen=True)
class InputShape:
    """The least, the usual and the most that an input holds, each a length for every axis.

    Raises:
        ValueError: they have different numbers of axes, or are not in that order on some axis.
    """

    least: tuple[int, ...]
    usual: tuple[int, ...]
    most: tuple[int, ...]

    def __post_init__(self) -> None:
        if not len(self.least) == len(self.usual) == len(self.most):
            raise ValueError(f"shapes {self} must have the same number of axes")
        for low, middle, high in zip(self.least, self.usual, self.most, strict=True):
            if not 0 <= low <= middle <= high:
                raise ValueError(f"shapes {self} must rise from 0 or more on every axis")

    def __str__(self) -> str:
        return " ".join(map(joined, (self.least, self.usual, self.most)))


#: The shapes of a model's inputs, by the input's name.
Shapes = Mapping[str, InputShape]


def joined(shape: tuple[int, ...]) -> str:
    """A shape as TensorRT's tools write it: ``1x224x224x3``."""
    return "x".join(map(str, shape))


def image_shapes(size: int) -> dict[str, InputShape]:
    """The inputs of an image tower for square pictures with an edge of ``size`` pixels."""
    picture = (size, size, 3)
    most = (PICTURES, *picture)
    return {"images": InputShape((1, *picture), most, most)}


def text_shapes(words: int = WORDS) -> dict[str, InputShape]:
    """The inputs of a text tower, which reads a sentence of at most ``words`` tokens at a time."""
    shape = InputShape((1, 1), (1, min(_USUAL_WORDS, words)), (1, words))
    return {"input_ids": shape, "attention_mask": shape}
