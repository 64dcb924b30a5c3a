"""The registry of model profiles: named pairs of towers that share one space.

A profile is a folder with a ``profile.json`` that lists its files with their checksums. The
built-in ones lie beside this module, installed ones in the user's data, others in
``$TEMPO_EDGE_PROFILES``. Of two of one name the later in this order counts; a library records the
profile it was built with.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tempo_edge._cores import cpu_count
from tempo_edge.errors import ProfileError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.description import NAME, Description, file_name
from tempo_edge.models.profile_manifest import MANIFEST
from tempo_edge.models.published import ENCODERS
from tempo_edge.models.published_towers import (
    INTERPOLATIONS,
    Layout,
    PublishedImageTower,
    PublishedTextTower,
    Words,
)
from tempo_edge.models.sessions import Opener, open_session
from tempo_edge.models.shapes import WORDS, image_shapes, text_shapes
from tempo_edge.models.stored_vectors import kept_sentences, read_vectors
from tempo_edge.models.tokenizer import MOST_TOKENS, read_tokenizer
from tempo_edge.models.towers import ImageTower, TextTower

if TYPE_CHECKING:
    from tempo_edge.models.hub_model import HubModel

__all__ = [
    "BUILT_IN",
    "EXAMPLE_CALIBRATION",
    "GENERAL_CALIBRATION",
    "LINE_CALIBRATION",
    "VOCABULARY",
    "Profile",
    "installed_profiles",
    "load_profile",
    "profile_names",
    "profiles_in",
    "read_profile",
]

#: The pieces of a large tokenizer, in a file that loads faster.
VOCABULARY = "vocabulary.db"

#: Where the profiles lie that come with the package.
BUILT_IN = Path(__file__).parent

#: The calibration of profiles that bring none of their own.
GENERAL_CALIBRATION = BUILT_IN / "calibration.json"

#: How likely lines of words answer a query, whatever the profile.
LINE_CALIBRATION = BUILT_IN / "line_calibration.json"

#: How likely a span shows what an example shows, whatever the profile.
EXAMPLE_CALIBRATION = BUILT_IN / "example_calibration.json"


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
        how = f": tempo-edge models use {name}" if name in ENCODERS else ""
        raise ProfileError(f"profile {name!r} must be one of {sorted(folders)}{how}")
    return read_profile(folders[name])


def read_profile(folder: Path) -> Profile:
    """The profile that lies in a folder.

    Raises:
        ProfileError: its description can't be read.
    """
    about = Description.read(folder / MANIFEST)
    files = about.part("files")
    return Profile(
        name=about.name("name", NAME),
        version=about.text("version"),
        dim=about.whole("dim", 1, 65536),
        image_size=about.whole("image_size", 1, 4096),
        tokens_per_frame=_tokens(about),
        folder=folder,
        files={file_name(files, file): files.part(file).digest("sha256") for file in files},
        licence=_licence(about),
        text_max_tokens=about.optional("text_max_tokens", _length(about)) or WORDS,
        languages=about.optional("languages", about.text) or "not stated",
        interpolation=about.optional("interpolation", _interpolation(about)) or INTERPOLATIONS[0],
        crop=about.optional("crop", about.truth) or False,
        layout=Layout.of(about.part("layout")) if "layout" in about else None,
        published=_published(about),
    )


def _published(about: Description) -> dict[str, str]:
    if "published" not in about:
        return {}
    files = about.part("published")
    return {file_name(files, file): files.digest(file) for file in files}


def _interpolation(about: Description) -> Callable[[str], str]:
    return lambda name: about.choice(name, INTERPOLATIONS)


def _length(about: Description) -> Callable[[str], int]:
    return lambda name: about.whole(name, 1, MOST_TOKENS)


def _tokens(about: Description) -> int:
    """Visual tokens a frame: a square grid whose cells a byte can number."""
    tokens = about.whole("tokens_per_frame", 1, 256)
    if math.isqrt(tokens) ** 2 != tokens:
        about.refuse("tokens_per_frame", "must be a square number from 1 to 256")
    return tokens


def _licence(about: Description) -> str:
    if "licences" not in about or "weights" not in (licences := about.part("licences")):
        return "not stated"
    return licences.text("weights", longest=1000)


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
        text_max_tokens: tokens of the longest sentence, where the tokenizer doesn't say.
        languages: what queries may be in.
        interpolation, crop: how pictures become square; see ``Frame.thumbnail`` of the media.
        layout: what the graphs take and give, where they are as somebody else published them.
        published: SHA-256 of what a file was made of, where it lies here in another form.
        opener: what opens its models.
    """

    name: str
    version: str
    dim: int
    image_size: int
    tokens_per_frame: int
    folder: Path
    files: dict[str, str]
    licence: str = "not stated"
    text_max_tokens: int = WORDS
    languages: str = "not stated"
    interpolation: str = INTERPOLATIONS[0]
    crop: bool = False
    layout: Layout | None = None
    published: dict[str, str] = field(default_factory=dict)
    opener: Opener = field(default=open_session, repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        """Changes whenever vectors of this profile stop being comparable with older ones."""
        files = ("image.onnx", "text.onnx", "tokenizer.json")
        towers = [self.published.get(name) or self._digest(name) for name in files]
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
        expected = self._digest(file)
        try:
            digest = sha256_of(self.folder / file)
        except OSError as error:
            raise ProfileError(f"profile {self.name!r} lacks {file}: {error}") from error
        if digest != expected:
            what = "tempo-edge" if self.folder.parent == BUILT_IN else "it"
            raise ProfileError(
                f"profile {self.name!r}: {file} has SHA-256 {digest}, "
                f"expected {expected}: install {what} again"
            )

    def _digest(self, file: str) -> str:
        """The SHA-256 that a file must have."""
        if file not in self.files:
            raise ProfileError(f"{self.folder / MANIFEST} lacks files.{file}")
        return self.files[file]

    @cached_property
    def image_tower(self) -> ImageTower:
        """The image tower, loaded on first use."""
        path = self.checked("image.onnx")
        # One thread: decoding keeps the other cores busy, and a batch hardly gains from two.
        if self.layout is not None:
            # No shapes, so no TensorRT: engines of such graphs have never been tried.
            session = self.opener(path, 1, None)
            return PublishedImageTower(session, path, self.layout, self.image_size, self.dim)
        shapes = image_shapes(self.image_size)
        session = self.opener(path, 1, shapes)
        return ImageTower(session, path, self.dim, self.tokens_per_frame)

    @cached_property
    def text_tower(self) -> TextTower:
        """The text tower, loaded on first use."""
        if self.layout is not None:
            path, words = self.checked("text.onnx"), self._words()
            session = self.opener(path, cpu_count(), None)
            return PublishedTextTower(session, words, path, self.layout, self.image_size, self.dim)
        tokenizer = read_tokenizer(self.checked("tokenizer.json"))
        longest = (tokenizer.truncation or {}).get("max_length", self.text_max_tokens)
        shapes = text_shapes(longest)
        path = self.checked("text.onnx")
        session = self.opener(path, cpu_count(), shapes)
        return TextTower(session, tokenizer, path, self.dim)

    def _words(self) -> Words:
        """The tokenizer of a published text tower, by way of its pieces where they lie beside."""
        if VOCABULARY in self.files:
            return Words(self.folder / "tokenizer.json", self.checked(VOCABULARY))
        return Words(self.checked("tokenizer.json"))

    @property
    def has_grounder(self) -> bool:
        """Whether a decoder that grounds comes with the towers."""
        return "grounder.onnx" in self.files

    @cached_property
    def grounder_session(self) -> Any:
        """The decoder that grounds, loaded on first use."""
        # No shapes, so no TensorRT: at a prompt's start it has an empty `past`, which TensorRT's
        # own interface allows and engines built from ONNX have not reliably run.
        return self.opener(self.checked("grounder.onnx"), cpu_count(), None)

    @cached_property
    def vlm(self) -> HubModel:
        """The hub model, loaded on first use."""
        from tempo_edge.models.hub_model import MANIFEST, HubModel, Manifest

        return HubModel(Manifest.read(self.checked(MANIFEST)), self.opener)

    @cached_property
    def background(self) -> NDArray[np.float32]:
        """Unit vectors ``[m, dim]`` of many unrelated pictures: how a query scores by chance.

        None, ``[0, dim]``, where a profile brings neither these nor a calibration that wants them.

        Raises:
            ProfileError: the file is no array of int8 of that width.
        """
        if not {"background.npy", "calibration.json"} & self.files.keys():
            return np.zeros((0, self.dim), np.float32)
        return read_vectors(self.checked("background.npy"), self.dim)

    @cached_property
    def sentences(self) -> NDArray[np.float32]:
        """Unit vectors ``[m, dim]`` of generic sentences: what might have been asked of a frame.

        A profile that doesn't bring them has them encoded once; they are kept in the user's cache.

        Raises:
            ProfileError: the file is no array of int8 of that width, or the text tower can't be
                run.
        """
        if "sentences.npy" in self.files:
            return read_vectors(self.checked("sentences.npy"), self.dim)
        return kept_sentences(self.fingerprint, self.dim, self.text_tower.encode)

    @cached_property
    def calibration(self) -> Description:
        """The shape of a span and the confidence of each grounder, fitted on development videos.

        A profile that was never calibrated has the general one, fitted on others.

        Raises:
            ProfileError: its calibration can't be read.
        """
        if "calibration.json" not in self.files:
            return Description.read(GENERAL_CALIBRATION)
        return Description.read(self.checked("calibration.json"))
