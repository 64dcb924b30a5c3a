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

__all__ = ["NAME", "PACKAGE", "ScreenModels", "check_is_here", "find_models", "letters_of"]

#: What the graphs are called, and the package that brings them.
NAME, PACKAGE = "PP-OCRv6 small", "rapidocr"


@dataclass(frozen=True)
class _ModelFile:
    """A graph within the package, and the SHA-256 of the one that this was tried with."""

    name: str
    sha256: str


_DETECTION = _ModelFile(
    "PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
)
_RECOGNITION = _ModelFile(
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


def check_is_here() -> None:
    """Refuse to begin where the graphs are not here; nothing of them is read.

    Raises:
        MissingExtraError: the package is not here, or has no such graphs.
    """
    if not all(path.is_file() for path in _paths()):
        raise MissingExtraError(_another_version(f"{_DETECTION.name} is not in it"))
    if importlib.util.find_spec("PIL") is None:
        raise MissingExtraError(lacking("PIL", "screen"))


def find_models() -> ScreenModels:
    """The graphs of the package that is installed.

    Raises:
        MissingExtraError: the package is not here, or of another version.
    """
    paths = _paths()
    for path, expected in zip(paths, (_DETECTION, _RECOGNITION), strict=True):
        _check(path, expected)
    return ScreenModels(*paths)


def _paths() -> tuple[Path, Path]:
    """Where the two graphs are, if they are.

    Raises:
        MissingExtraError: the package is not here.
    """
    found = importlib.util.find_spec(PACKAGE)  # which runs nothing of it
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(lacking(PACKAGE))
    folder = Path(found.submodule_search_locations[0]) / "models"
    return folder / _DETECTION.name, folder / _RECOGNITION.name


def _another_version(what: str) -> str:
    return (
        f"{what}: this is another version of {PACKAGE} than the one that words on the screen are "
        f"read with: {pip_command('screen')}"
    )


def _check(path: Path, expected: _ModelFile) -> None:
    try:
        sha256 = sha256_of(path)
    except OSError:
        sha256 = "nothing"
    if sha256 != expected.sha256:
        what = f"{path} has SHA-256 {sha256[:12]}, not {expected.sha256[:12]}"
        raise MissingExtraError(_another_version(what))


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
