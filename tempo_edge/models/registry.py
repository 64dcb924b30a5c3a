"""The registry of model profiles: named pairs of towers that share one space.

A profile is a folder with a ``profile.json`` that lists its files with their checksums. The
built-in ones lie beside this module, installed ones in the user's data, others in
``$TEMPO_EDGE_PROFILES``. Of two of one name the later in this order counts; a library records the
profile it was built with.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge.errors import ProfileError, QueryError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.sessions import cpu_count, open_session
from tempo_edge.models.shapes import PICTURES, WORDS, image_shapes, text_shapes
from tempo_edge.packing import unpack

if TYPE_CHECKING:
    from tempo_edge.models.vlm import Vlm

__all__ = [
    "BUILT_IN",
    "Profile",
    "installed_profiles",
    "load_profile",
    "profile_names",
    "profiles_in",
    "read_profile",
]

#: Where the profiles lie that come with the package.
BUILT_IN = Path(__file__).parent


def installed_profiles() -> Path:
    """The folder of the profiles that a person installed; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path("tempo-edge") / "profiles"


def profiles_in(place: Path) -> dict[str, Path]:
    """The folder of every profile that lies in a place, by its name."""
    found = [path.parent for path in place.glob("*/profile.json")]
    # What is half written begins with a dot.
    return {folder.name: folder for folder in found if not folder.name.startswith(".")}


def _folders() -> dict[str, Path]:
    """The folder of every profile by its name."""
    own = os.environ.get("TEMPO_EDGE_PROFILES")
    places = [BUILT_IN, installed_profiles(), *([Path(own).expanduser()] if own else [])]
    return {name: folder for place in places for name, folder in profiles_in(place).items()}


def profile_names() -> list[str]:
    """Names of the profiles that are installed."""
    return sorted(_folders())


def load_profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ProfileError: there is none, or its description can't be read.
    """
    folders = _folders()
    if name not in folders:
        raise ProfileError(f"profile {name!r} must be one of {sorted(folders)}")
    return read_profile(folders[name])


def read_profile(folder: Path) -> Profile:
    """The profile that lies in a folder.

    Raises:
        ProfileError: its description can't be read.
    """
    try:
        about = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
        return Profile(
            name=about["name"],
            version=about["version"],
            dim=int(about["dim"]),
            image_size=int(about["image_size"]),
            tokens_per_frame=int(about["tokens_per_frame"]),
            folder=folder,
            files={file: facts["sha256"] for file, facts in about["files"].items()},
            licence=str(about.get("licences", {}).get("weights", "not stated")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProfileError(
            f"profile {folder.name!r} can't be read from {folder}: {error!r}"
        ) from error


@dataclass(frozen=True)
class Profile:
    """An image tower and a text tower that map into one space of unit vectors.

    Attributes:
        name, version: together they say which vectors may be compared.
        dim: length of a vector.
        image_size: edge in pixels of the square pictures that the image tower takes.
        tokens_per_frame: visual tokens the image tower gives besides the vector, a square grid.
        folder: where the files are.
        files: SHA-256 of each file, by name; checked when it is opened.
        licence: of the weights.
    """

    name: str
    version: str
    dim: int
    image_size: int
    tokens_per_frame: int
    folder: Path
    files: dict[str, str]
    licence: str = "not stated"

    @property
    def fingerprint(self) -> str:
        """Changes whenever vectors of this profile stop being comparable with older ones."""
        towers = [self.files[name] for name in ("image.onnx", "text.onnx", "tokenizer.json")]
        return f"{self.name}-{hashlib.sha256(''.join(towers).encode()).hexdigest()[:16]}"

    def checked(self, file: str) -> Path:
        """The path of a file whose checksum was verified, with that of the weights beside it.

        Raises:
            ProfileError: the file is missing or its contents are not those that were published.
        """
        beside = f"{file}.data"
        for each in (file, *([beside] if beside in self.files else [])):
            self._verify(each)
        return self.folder / file

    def _verify(self, file: str) -> None:
        try:
            digest = sha256_of(self.folder / file)
        except OSError as error:
            raise ProfileError(f"profile {self.name!r} lacks {file}: {error}") from error
        if digest != self.files.get(file):
            what = "tempo-edge" if self.folder.parent == BUILT_IN else "it"
            raise ProfileError(
                f"profile {self.name!r}: {file} has SHA-256 {digest}, "
                f"expected {self.files.get(file)}: install {what} again"
            )

    @cached_property
    def image_tower(self) -> ImageTower:
        """The image tower, loaded on first use."""
        # One thread: decoding keeps the other cores busy, and a batch hardly gains from two.
        shapes = image_shapes(self.image_size)
        return ImageTower(open_session(self.checked("image.onnx"), threads=1, shapes=shapes))

    @cached_property
    def text_tower(self) -> TextTower:
        """The text tower, loaded on first use."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.checked("tokenizer.json")))
        shapes = text_shapes((tokenizer.truncation or {}).get("max_length", WORDS))
        session = open_session(self.checked("text.onnx"), threads=cpu_count(), shapes=shapes)
        return TextTower(session, tokenizer)

    @property
    def has_grounder(self) -> bool:
        """Whether a decoder that grounds comes with the towers."""
        return "grounder.onnx" in self.files

    @cached_property
    def grounder_session(self) -> Any:
        """The decoder that grounds, loaded on first use."""
        # No shapes, so no TensorRT: at a prompt's start it has an empty `past`, which TensorRT's
        # own interface allows and engines built from ONNX have not reliably run.
        return open_session(self.checked("grounder.onnx"), threads=cpu_count())

    @property
    def has_vlm(self) -> bool:
        """Whether a hub model that looks at frames comes with the towers."""
        return "grounder.json" in self.files

    @cached_property
    def vlm(self) -> Vlm:
        """The hub model, loaded on first use."""
        from tempo_edge.models.vlm import MANIFEST, Manifest, Vlm

        return Vlm(Manifest.read(self.checked(MANIFEST)))

    @cached_property
    def background(self) -> NDArray[np.float32]:
        """Unit vectors ``[m, dim]`` of many unrelated pictures: how a query scores by chance."""
        return unpack(np.load(self.checked("background.npy"), allow_pickle=False))

    @cached_property
    def calibration(self) -> dict[str, Any]:
        """The shape of a span and the confidence of each grounder, fitted on development videos.

        Raises:
            ProfileError: it was not calibrated yet.
        """
        if "calibration.json" not in self.files:
            raise ProfileError(
                f"profile {self.name!r} is not calibrated, so nobody knows which similarities mean "
                "anything: see tempo-edge export --videos"
            )
        return dict(self.read_json("calibration.json"))

    def read_json(self, file: str) -> Any:
        """A checked JSON file of the profile."""
        return json.loads(self.checked(file).read_text(encoding="utf-8"))


class ImageTower:
    """Pictures to vectors and tokens."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def encode(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Unit vectors ``[n, dim]`` and tokens ``[n, t, dim]`` of RGB pictures ``[n, s, s, 3]``."""
        parts = [
            self._session.run(["vectors", "tokens"], {"images": images[first : first + PICTURES]})
            for first in range(0, max(len(images), 1), PICTURES)
        ]
        vectors, tokens = zip(*parts, strict=True)
        return np.concatenate(vectors), np.concatenate(tokens)


class TextTower:
    """Sentences to vectors."""

    def __init__(self, session: Any, tokenizer: Any) -> None:
        self._session = session
        self._tokenizer = tokenizer

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors ``[n, dim]``, each worked out alone so that none depends on another.

        Raises:
            QueryError: a sentence is empty.
        """
        return np.stack([self._run(sentence, ["vectors"])[0][0] for sentence in sentences])

    def read(self, sentence: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The unit vector ``[dim]`` of a sentence and the states of its tokens ``[l, 384]``.

        Raises:
            QueryError: the sentence is empty.
        """
        vectors, states = self._run(sentence, ["vectors", "states"])
        return vectors[0], states[0]

    def _run(self, sentence: str, outputs: list[str]) -> list[NDArray[np.float32]]:
        if not sentence.strip():
            raise QueryError(f"query {sentence!r} is empty: say what to look for")
        coded = self._tokenizer.encode(sentence)
        inputs = {
            "input_ids": np.asarray([coded.ids], dtype=np.int64),
            "attention_mask": np.asarray([coded.attention_mask], dtype=np.int64),
        }
        found: list[NDArray[np.float32]] = self._session.run(outputs, inputs)
        return found
