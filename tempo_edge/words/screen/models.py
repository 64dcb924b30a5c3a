"""The graphs that find and read writing: PP-OCRv6, as the package ``rapidocr`` brings them.

Nothing of that package is run, nor of what it asks for: two files of it are read.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tempo_edge._extras import install_line, lacking, pip_command
from tempo_edge.errors import MissingExtraError, ProfileError
from tempo_edge.models.checksum import sha256_of
from tempo_edge.models.sessions import open_on_cpu

__all__ = ["PACKAGE", "ModelFile", "ScreenModels", "find_models"]

#: The package that brings the graphs.
PACKAGE = "rapidocr"


@dataclass(frozen=True)
class ModelFile:
    """A graph within the package, and the SHA-256 of the one that this was tried with."""

    name: str
    sha256: str


_DETECTION = ModelFile(
    "PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
)
_RECOGNITION = ModelFile(
    "PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
)

# What the graph that reads says of itself holds the letters that it knows under this name.
_LETTERS = "character"

# It has so many; another number would be another graph.
_LETTER_COUNT = 18_708


@dataclass(frozen=True)
class ScreenModels:
    """Where the two graphs lie; both were found to be what they should be.

    Attributes:
        detection: takes a picture ``[1, 3, h, w]``, gives how likely each pixel is of writing,
            ``[1, 1, h, w]``.
        recognition: takes pieces of a picture ``[n, 3, 48, w]``, gives how likely each letter is
            at each place, ``[n, w / 8, letters + 2]``.
    """

    detection: Path
    recognition: Path

    def open(self, threads: int) -> tuple[Any, Any]:
        """Sessions of both, on the CPU, with ``threads`` threads inside an operator.

        Raises:
            ProfileError: ONNX Runtime can't run one.
            MissingExtraError: ONNX Runtime is not installed.
        """
        return open_on_cpu(self.detection, threads), open_on_cpu(self.recognition, threads)


def find_models() -> ScreenModels:
    """The graphs of the package that is installed.

    Raises:
        MissingExtraError: the package is not here, or of another version.
    """
    found = importlib.util.find_spec(PACKAGE)  # which runs nothing of it
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(lacking(PACKAGE))
    folder = Path(found.submodule_search_locations[0]) / "models"
    for each in (_DETECTION, _RECOGNITION):
        _check(folder / each.name, each)
    return ScreenModels(folder / _DETECTION.name, folder / _RECOGNITION.name)


def _check(path: Path, expected: ModelFile) -> None:
    try:
        sha256 = sha256_of(path)
    except OSError:
        sha256 = "nothing"
    if sha256 != expected.sha256:
        raise MissingExtraError(
            f"{path} has SHA-256 {sha256[:12]}, not {expected.sha256[:12]}: {PACKAGE} is another "
            f"version than the one that words on the screen are read with: {pip_command('screen')}"
        )


def letters_of(session: Any) -> list[str]:
    """What each output of the graph that reads stands for; the first one is no letter.

    Raises:
        ProfileError: it does not say so.
    """
    told = session.get_modelmeta().custom_metadata_map.get(_LETTERS, "")
    letters = str(told).splitlines()
    if len(letters) != _LETTER_COUNT:
        raise ProfileError(
            f"the graph that reads writing knows {len(letters)} letters, not {_LETTER_COUNT}: "
            f"{install_line(PACKAGE)}"
        )
    return ["", *letters, " "]
