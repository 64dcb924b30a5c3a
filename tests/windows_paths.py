"""A process in which paths are those of Windows: what is typed, listed and told has backslashes.

The files are this system's: a drive is a folder. `pathlib`, `os.path` and the calls of `os` that
take paths are as on Windows; what is opened by libraries in C is named to them as it is here.
Everything else stays this system's, so this shows how paths are spelled and nothing more.
"""

from __future__ import annotations

import builtins
import io
import ntpath
import os
import pathlib
import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from string import ascii_uppercase
from typing import Any

__all__ = ["become_windows"]

# Of `os`, what takes a path, and what takes two.
_ONE = (
    *("stat", "lstat", "open", "mkdir", "rmdir", "unlink", "remove", "readlink", "utime", "chmod"),
    *("access", "listdir", "statvfs", "pathconf"),
)
_TWO = ("rename", "replace", "link")
_CALLS = {**dict.fromkeys(_ONE, 1), **dict.fromkeys(_TWO, 2)}


class _Entry:
    """What `os.scandir` gives on Windows, of a file of this system."""

    def __init__(self, entry: os.DirEntry[str], folder: str) -> None:
        self._entry = entry
        self.name = entry.name
        self.path = ntpath.join(folder, entry.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    def __fspath__(self) -> str:
        return self.path


def become_windows(drives: dict[str, str]) -> None:
    """Turn this process into one with Windows' paths, before `tempo_edge` is imported.

    Args:
        drives: the folder that each drive is, by its letter; there are no others.
    """
    drives = {letter: drives.get(letter, f"/no-drive/{letter}") for letter in ascii_uppercase}

    def here(path: Any) -> Any:
        """A path of Windows as this system has it; what is none stays as it is."""
        if isinstance(path, os.PathLike):
            path = os.fspath(path)
        if not isinstance(path, str):
            return path
        found = re.match(r"(?:\\\\\?\\)?([A-Za-z]):(?=[\\/]|\Z)", path)
        root, rest = (drives[found[1].upper()], path[found.end() :]) if found else ("", path)
        return root + rest.replace("\\", "/")

    def taking(call: Callable[..., Any], count: int) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            return call(*map(here, given[:count]), *given[count:], **named)

        return called

    scan = os.scandir

    @contextmanager
    def scandir(folder: Any = ".") -> Iterator[Iterator[_Entry]]:
        with scan(here(folder)) as entries:
            yield (_Entry(entry, os.fspath(folder)) for entry in entries)

    for name, count in _CALLS.items():
        setattr(os, name, taking(getattr(os, name), count))
    builtins.open = io.open = taking(io.open, 1)  # type: ignore[assignment]
    os.scandir = scandir  # type: ignore[assignment]
    os.path = sys.modules["os.path"] = ntpath  # type: ignore[assignment]

    def realpath(path: Any, *, strict: bool = False) -> str:
        real = posixpath.realpath(here(path), strict=strict)
        for letter, folder in drives.items():
            if f"{real}/".startswith(f"{folder}/"):
                real = f"{letter}:{real[len(folder) :] or '/'}"
        return real.replace("/", "\\")

    ntpath.realpath = realpath  # type: ignore[assignment]

    class WindowsPath(pathlib.Path, pathlib.PureWindowsPath):
        """A path of Windows that can be opened."""

        def as_uri(self) -> str:
            return f"file://{here(self)}"

    if hasattr(pathlib, "_windows_flavour"):  # before Python 3.12
        pathlib._windows_flavour.is_supported = True
    vars(sys.modules[pathlib.Path.__module__])["PosixPath"] = WindowsPath

    os.environ["USERPROFILE"] = "C:\\Users\\me"

    import av
    import faiss
    import onnxruntime
    import tokenizers

    av.open = taking(av.open, 1)
    tokenizers.Tokenizer.from_file = taking(tokenizers.Tokenizer.from_file, 1)
    faiss.write_index = taking(faiss.write_index, 2)  # an index, and its file
    faiss.read_index = taking(faiss.read_index, 1)
    session = onnxruntime.InferenceSession
    session.__init__ = taking(session.__init__, 2)  # of itself, and its model
    _import_as_windows("tempo_edge._files.spelling")


def _import_as_windows(name: str) -> None:
    """Import a module alone as Windows would, for all that import it later."""
    package, _, inside = name.partition(".")
    folder = find_spec(package).submodule_search_locations[0]  # type: ignore[union-attr, index]
    spec = spec_from_file_location(name, f"{folder}/{inside.replace('.', '/')}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    system, sys.platform = sys.platform, "win32"
    try:
        spec.loader.exec_module(module)
    finally:
        sys.platform = system
