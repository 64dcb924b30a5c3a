"""A hub model in ONNX Runtime: its vision, its embedding, and one step of its decoder.

Its files are those that ``grounder.json`` names, as ``tempo-edge export`` writes them: three
graphs, a tokenizer, and where a graph has none of its own the weights that lie beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge.errors import ProfileError
from tempo_edge.models.chat_template import Chat
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.description import Description, file_name
from tempo_edge.models.sessions import Opener, open_session
from tempo_edge.models.tokenizer import read_tokenizer

__all__ = ["MANIFEST", "HubModel", "KvCache", "Manifest"]

MANIFEST = "grounder.json"

_VERSION = 1
_GRAPHS = ("grounder-vision.onnx", "grounder-embedding.onnx", "grounder-step.onnx")
_TOKENIZER = "grounder-tokenizer.json"
_AT_ONCE = 8  # pictures: more gain nothing and take memory

#: Keys and values ``[1, heads, p, width]`` of each layer in turn.
KvCache = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Manifest:
    """The contents of ``grounder.json``.

    Attributes:
        folder: where the files lie; ``files``: the SHA-256 of each.
        source, revision: the checkpoint that it is of.
        size: pixels a side of a picture; ``tokens``: how many stand for it.
        axes: how many numbers say where a token is.
        deep: how many layers a picture's deeper features go in behind.
        layers, heads, width: of the KV cache.
        chat: the pieces of a prompt.
        sight, end: the tokens that stand for a part of a picture, and end an answer.
    """

    folder: Path
    files: dict[str, str]
    source: str
    revision: str | None
    size: int
    tokens: int
    axes: int
    deep: int
    layers: int
    heads: int
    width: int
    chat: Chat
    sight: int
    end: int

    @staticmethod
    def read(path: Path) -> Manifest:
        """The manifest in a file.

        Raises:
            ProfileError: it can't be read, is of another version, or says what can't be.
        """
        about = Description.read(path)
        about.whole("version", _VERSION, _VERSION)
        picture, cache, tokens = about.part("picture"), about.part("cache"), about.part("tokens")
        files = about.part("files")
        manifest = Manifest(
            folder=path.parent,
            files={file_name(files, name): files.part(name).digest("sha256") for name in files},
            source=about.text("source"),
            revision=about.optional("revision", about.text),
            size=picture.whole("size", 1, 4096),
            tokens=picture.whole("tokens", 1, 65536),
            axes=about.whole("axes", 1, 3),
            deep=about.whole("deep", 0, 256),
            layers=cache.whole("layers", 1, 1024),
            heads=cache.whole("heads", 1, 1024),
            width=cache.whole("width", 1, 65536),
            chat=_chat(about.part("chat")),
            sight=tokens.whole("sight", 0, 1 << 31),
            end=tokens.whole("end", 0, 1 << 31),
        )
        for needed in (*_GRAPHS, _TOKENIZER):
            if needed not in manifest.files:
                raise ProfileError(f"{path} lacks files.{needed}")
        try:
            manifest.side  # noqa: B018 - it must have one
        except ValueError as error:
            raise ProfileError(f"{path}: {error}") from error
        return manifest

    @property
    def side(self) -> int:
        """Tokens along a side of a picture. Raises ValueError if they make no square."""
        side = math.isqrt(self.tokens)
        if side * side != self.tokens or self.axes not in (1, 3):
            raise ValueError(f"tokens {self.tokens} and axes {self.axes} must be a square and 1, 3")
        return side

    def checked(self, file: str) -> Path:
        """The path of a file whose checksum was verified.

        Raises:
            ProfileError: it is missing or altered.
        """
        path = self.folder / file
        try:
            digest = sha256_of(path)
        except OSError as error:
            raise ProfileError(f"{self.source} lacks {file}: {error}") from error
        if digest != self.files[file]:
            raise ProfileError(f"{path} has SHA-256 {digest}, expected {self.files[file]}")
        return path


def _chat(pieces: Description) -> Chat:
    """The pieces of a prompt: all of them, and no others."""
    names = [each.name for each in fields(Chat)]
    for name in pieces:
        if name not in names:
            raise ProfileError(f"{pieces} must not have {name!a}")
    return Chat(**{name: pieces.prose(name) for name in names})


class HubModel:
    """The sessions of a hub model, and its tokenizer."""

    def __init__(self, manifest: Manifest, opener: Opener = open_session) -> None:
        """Open all files, the models by ``opener``.

        Raises:
            ProfileError: one is missing or altered.
        """
        self.manifest = manifest
        for weights in (name for name in manifest.files if name.endswith(".data")):
            manifest.checked(weights)
        self.tokenizer: Any = read_tokenizer(manifest.checked(_TOKENIZER))
        self._vision, self._embedding, self._step = (
            opener(manifest.checked(name), cpu_count(), None) for name in _GRAPHS
        )

    def visual_tokens(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Tokens ``[n, tokens, hidden]`` of pictures ``[n, size, size, 3]``.

        Where there are deeper features, they follow, ``[deep, n, tokens, hidden]``.
        """
        parts = [
            self._vision.run(None, {"pictures": pictures[first : first + _AT_ONCE]})
            for first in range(0, len(pictures), _AT_ONCE)
        ]
        tokens, *deep = zip(*parts, strict=True)
        return [np.concatenate(tokens), *(np.concatenate(part, axis=1) for part in deep)]

    def embed(self, words: NDArray[np.int64]) -> NDArray[np.float32]:
        """The embeddings ``[t, hidden]`` of tokens ``[t]``."""
        read: NDArray[np.float32] = self._embedding.run(None, {"words": words[None]})[0][0]
        return read

    def empty_cache(self) -> KvCache:
        """The KV cache before anything was read."""
        about = self.manifest
        empty = np.zeros((1, about.heads, 0, about.width), np.float32)
        return [empty] * (2 * about.layers)

    def forward(
        self,
        embeds: NDArray[np.float32],
        positions: NDArray[np.int64],
        kv_cache: KvCache,
        deep: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.float32], KvCache]:
        """Logits ``[words]`` of what follows, and the KV cache with what is new.

        Args:
            embeds: what is new, ``[t, hidden]``.
            positions: where it is, ``[axes, t]``.
            deep: what goes in behind the first layers, ``[deep, t, hidden]``; nothing, if None.
        """
        about = self.manifest
        inputs: dict[str, Any] = {"embeds": embeds[None], "positions": positions[:, None]}
        if about.deep:
            none = np.zeros((about.deep, *embeds.shape), np.float32)
            inputs["deep"] = (none if deep is None else deep)[:, None]
        names = (f"past.{layer}.{kind}" for layer in range(about.layers) for kind in _PARTS)
        inputs.update(zip(names, kv_cache, strict=True))
        logits, *present = self._step.run(None, inputs)
        return logits[0], present

    def positions(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where each token of a prompt ``[t]`` is, ``[axes, t]``.

        A word is one place after what is before it. With three axes a picture begins there too,
        its tokens have places in a square, and what follows it comes after the square's side.
        """
        about = self.manifest
        if about.axes == 1:
            return np.arange(len(words))[None]
        side, at, found = about.side, 0, []
        square = np.stack([np.zeros((side, side), np.int64), *np.indices((side, side))])
        seen = words == about.sight
        index = 0
        while index < len(words):
            if seen[index]:
                found.append(at + square.reshape(3, -1))
                at, index = at + side, index + about.tokens
            else:
                found.append(np.full((3, 1), at))
                at, index = at + 1, index + 1
        return np.concatenate(found, axis=1)


_PARTS = ("keys", "values")
