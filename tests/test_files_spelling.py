"""How a library spells paths: Windows', by pure functions; and no others at all."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tempo_edge._files import spelling
from tempo_edge._files.spelling import (
    beginning,
    is_inside,
    joined,
    name_of,
    spelled,
    windows_folder_of,
    windows_spelled,
)
from tempo_edge.store.listing import paths_inside

# Windows tells no cases apart, a library does: letters of one case are the same to both.
_PART = st.text("ab0 .-_~é日", min_size=1, max_size=4).filter(
    lambda name: name == name.rstrip(". ") and name.strip()
)
_PARTS = st.lists(_PART, max_size=4)
_ROOT = st.sampled_from(["C:\\", "d:\\", "\\\\nas\\films\\", "\\\\10.0.0.1\\d$\\"])
_PATHS = st.builds(lambda root, parts: PureWindowsPath(root, *parts), _ROOT, _PARTS)


def _long(path: PureWindowsPath) -> str:
    """The path with what Windows puts before long ones."""
    text = str(path)
    return f"\\\\?\\UNC\\{text[2:]}" if text.startswith("\\\\") else f"\\\\?\\{text}"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("C:\\Films\\boat.mp4", "C:/Films/boat.mp4"),
        ("c:/Films\\boat.mp4", "C:/Films/boat.mp4"),
        ("C:\\", "C:/"),
        ("\\\\?\\c:\\Films", "C:/Films"),
        ("\\\\?\\C:\\", "C:/"),
        ("\\\\nas\\films\\boat.mp4", "//nas/films/boat.mp4"),
        ("\\\\nas\\films", "//nas/films/"),
        ("\\\\?\\UNC\\nas\\films\\boat.mp4", "//nas/films/boat.mp4"),
        ("\\\\?\\unc\\nas\\films", "//nas/films/"),
        # What has no letter and no share keeps its name.
        ("\\\\?\\Volume{b75e2c83}\\a.mp4", "//?/Volume{b75e2c83}/a.mp4"),
        ("\\\\.\\PhysicalDrive0", "//./PhysicalDrive0"),
    ],
)
def test_windows_paths(typed: str, kept: str) -> None:
    assert windows_spelled(typed) == kept
    assert windows_spelled(kept) == kept


@given(_PATHS)
def test_a_windows_path_comes_back(path: PureWindowsPath) -> None:
    kept = windows_spelled(path)
    assert PureWindowsPath(kept) == path
    assert "\\" not in kept
    assert windows_spelled(kept) == windows_spelled(_long(path)) == kept


@given(_PATHS)
def test_folders_on_windows(path: PureWindowsPath) -> None:
    kept = windows_spelled(path)
    assert windows_folder_of(kept) == windows_spelled(path.parent)
    assert name_of(kept) == path.name
    if path.name:
        assert joined(windows_folder_of(kept), name_of(kept)) == kept


@given(_PATHS, _PATHS, _PARTS)
def test_what_lies_in_a_folder_on_windows(
    one: PureWindowsPath, other: PureWindowsPath, below: list[str]
) -> None:
    for path in (one, other, other.joinpath(*below)):
        kept, folder = windows_spelled(path), windows_spelled(other)
        first, end = paths_inside(folder)
        assert is_inside(kept, folder) == path.is_relative_to(other)
        assert (first <= kept < end and kept != folder) == (other in path.parents)


@given(st.text(min_size=1))
def test_elsewhere_a_path_is_as_it_is(text: str) -> None:
    assert spelled(text) is text


def test_elsewhere_a_backslash_is_a_letter() -> None:
    assert spelled(PurePosixPath("/a\\b/c:\\d.mp4")) == "/a\\b/c:\\d.mp4"
    assert spelling.folder_of("/a\\b") == spelling.folder_of("/") == "/"
    assert spelling.folder_of("/a/b\\c") == "/a"
    assert beginning("/") == "/" and beginning("/a") == "/a/"
