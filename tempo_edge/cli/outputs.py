"""The files that ``find`` writes, looked at before anything is searched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tempo_edge.errors import TempoEdgeError

__all__ = ["check_outputs"]


def check_outputs(named: Mapping[str, Path | None], library: Path | None) -> None:
    """Refuse files that can't be written, one file for two things, and to replace what is kept.

    Args:
        named: by option, the file that it names, if it was given.
        library: whose footage is not replaced; by default that of the default one.

    Raises:
        TempoEdgeError: one is a folder, lies in none, or is named twice.
        FootageError: one is footage, a library, or what was not written here.
    """
    options: dict[str, str] = {}
    for option, path in named.items():
        if path is None:
            continue
        target = path.expanduser()
        _check_place(option, target)
        other = options.setdefault(os.path.realpath(target), option)
        if other != option and not _is_device(target):
            raise TempoEdgeError(f"{other} and {option} name the same file {path}: name two")
        _check_contents(option, target, None if library is None else library.expanduser())


def _is_device(path: Path) -> bool:
    """Whether it is there and no file: a pipe, say, which is written to and not replaced."""
    return path.exists() and not path.is_file()


def _check_place(option: str, path: Path) -> None:
    if path.is_dir():
        raise TempoEdgeError(f"{option} {path} is a folder: name a file in it")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise TempoEdgeError(
            f"{option} {path} can't be written: there is no folder {folder}: make it, or name "
            "another file"
        )


def _check_contents(option: str, path: Path, library: Path | None) -> None:
    from tempo_edge._files.page import check_page
    from tempo_edge.store.outputs import check_output

    is_page = option == "--explain"
    if option == "--sheet":
        from tempo_edge import sheet

        sheet.check_sheet(path)
        if sheet.is_sheet(path):
            return
        is_page = sheet.is_page(path)
    check_output(path, library)
    if is_page:
        check_page(path)
