"""Where a run starts: the backbones as their packages hold them, or a profile that was written.

A profile's files hold weights in half precision and in eight bits; to go on from them is to start
from what they give at run time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tempo_edge.train.data.archives import DataError
from tempo_edge.train.towers import backbones
from tempo_edge.train.towers.backbones import Tensors
from tempo_edge.train.towers.heads import ImageHead, TextHead
from tempo_edge.train.towers.recipe import TowerRecipe

__all__ = ["Start", "read_profile"]


@dataclass(frozen=True)
class Start:
    """The first weights of both towers.

    Attributes:
        trunk: folded tensors of EfficientNet-Lite0, by their names.
        reader: tensors of MiniLM, by their names.
        image_head: tensors of the image head by the names of its graph; None for a new one.
        text_head: the same of the text head.
        digest: of where they are from; empty for the backbones as they come.
    """

    trunk: Tensors
    reader: Tensors
    image_head: Tensors | None = None
    text_head: Tensors | None = None
    digest: str = ""

    @classmethod
    def from_packages(cls) -> Start:
        """Both backbones as their packages hold them, without heads."""
        return cls(backbones.fold(backbones.load_lite0()), backbones.load_minilm()[0])

    def heads(self, recipe: TowerRecipe) -> tuple[ImageHead, TextHead]:
        """The heads of a profile, of the recipe's sizes.

        Raises:
            DataError: there are none, or they are of other sizes.
        """
        if self.image_head is None or self.text_head is None:
            raise DataError("backbones as they come have no heads to go on from")
        width, classes = self.image_head["classifier"].shape
        image = ImageHead(width, classes, recipe.image_hidden, recipe.image_dropout)
        words = len(self.text_head["text_head.straight"])
        text = TextHead(words, recipe.text_hidden, recipe.text_dropout)
        try:
            image.load(self.image_head)
            text.load(self.text_head)
        except RuntimeError as error:
            raise DataError(
                f"the profile's heads are of other sizes than the recipe's: {error}"
            ) from error
        return image, text


def read_profile(folder: Path) -> Start:
    """The weights of a profile that this package trained.

    Raises:
        DataError: the folder holds no such profile.
    """
    try:
        image, text = (_weights(folder / f"{tower}.onnx") for tower in ("image", "text"))
        heads = ("attend", "mean", "scale", "image_head", "classifier", "names")
        return Start(
            trunk={name: value for name, value in image.items() if not name.startswith(heads)},
            reader=_reader(text),
            image_head={name: value for name, value in image.items() if name.startswith(heads)},
            text_head={name: text[name] for name in text if name.startswith("text_head")},
            digest=hashlib.sha256((folder / "profile.json").read_bytes()).hexdigest(),
        )
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{folder} holds no profile to start from: {error}") from error


def _weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of a graph by the hints that they were written with, widened to float32."""
    import onnx
    from google.protobuf.message import DecodeError

    from tempo_edge.train.onnx_graph import read_weights

    try:
        graph = onnx.load(path).graph
    except DecodeError as error:
        raise ValueError(f"{path.name} is no ONNX graph") from error
    named = ((name.rpartition("_")[0], value) for name, value in read_weights(graph).items())
    return {hint: value for hint, value in named if hint != "number"}


def _reader(text: dict[str, NDArray[np.float32]]) -> Tensors:
    """MiniLM's tensors from those of its graph, whose matrices are turned."""
    places = text["positions"]
    found: Tensors = {
        "embeddings.word_embeddings.weight": text["words"],
        "embeddings.position_embeddings.weight": places,
        # The graph's positions hold the first token type as well.
        "embeddings.token_type_embeddings.weight": np.zeros((2, places.shape[1]), np.float32),
    }
    for name, value in text.items():
        if "LayerNorm" in name:
            found[name] = value
        elif name.startswith("encoder") and name.endswith("_bias"):
            found[f"{name.removesuffix('_bias')}.bias"] = value
        elif name.startswith("encoder"):
            found[f"{name}.weight"] = np.array(value.T, order="C")
    return found
