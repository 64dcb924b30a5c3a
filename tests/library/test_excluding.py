"""What is left out is no part of the library, and what it knew of that is forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Said, Shelf

import tempo_edge
from tempo_edge.errors import TempoEdgeError
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.indexing.selection import PARTIAL


def test_what_is_excluded_is_not_indexed_and_counted(
    tempo: Callable[..., Said], shelf: Shelf, footage: Path
) -> None:
    shutil.copytree(footage, footage / "raw")
    said = tempo("index", footage, "--exclude", "raw/", "--exclude", "*.mkv")
    assert said.err.startswith("2 indexed, 2 excluded ("), said.err
    assert shelf.states() == {"beach.mp4": "indexed", "garden.mp4": "indexed"}


def test_what_was_indexed_and_is_excluded_now_is_forgotten(shelf: Shelf, footage: Path) -> None:
    shelf.index(footage)
    report = shelf.index(footage, exclude=["street.*"])
    assert (report.unchanged, report.dropped, report.excluded) == (2, 1, 1)
    assert shelf.said("dropped") == [("dropped", "street.mkv")]
    assert shelf.found_names() == {"beach.mp4", "garden.mp4"}
    assert (footage / "street.mkv").exists()
    report = shelf.index(footage)
    assert (report.indexed, report.unchanged) == (1, 2), "a run without patterns takes it again"


def test_what_was_thrown_away_is_forgotten(shelf: Shelf, footage: Path) -> None:
    shelf.index(footage)
    (footage / "#Recycle").mkdir()
    (footage / "street.mkv").rename(footage / "#Recycle" / "street.mkv")
    assert shelf.index(footage).dropped == 1
    assert shelf.index(footage / "#Recycle").indexed == 1, "it was named"
    assert shelf.index(footage).dropped == 1
    assert set(shelf.states()) == {"beach.mp4", "garden.mp4"}


def test_what_is_hidden_or_has_no_suffix_stays_once_it_was_named(
    shelf: Shelf, footage: Path, originals: Path
) -> None:
    (footage / ".secret").mkdir()
    (footage / "street.mkv").rename(footage / ".secret" / "street.mkv")
    (footage / "beach.mp4").rename(footage / "beach")
    assert shelf.index(footage).indexed == 1
    assert shelf.index(footage / ".secret", footage / "beach").indexed == 2
    report = shelf.index(footage)
    assert (report.unchanged, report.dropped) == (3, 0)
    shutil.copy(originals / "garden.mp4", footage / "beach")
    (footage / ".secret" / "street.mkv").unlink()
    report = shelf.index(footage)
    assert (report.reused, report.dropped) == (1, 1), "it is followed like any other"


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        *((f"beach.mp4{ending}", True) for ending in PARTIAL),
        ("beach.mp4.download", False),
        (".pending-1-beach.mp4", False),
    ],
)
def test_a_file_on_its_way_is_taken_if_it_is_named(
    shelf: Shelf, footage: Path, name: str, stays: bool
) -> None:
    (footage / "street.mkv").unlink()
    (footage / "garden.mp4").unlink()
    (footage / "beach.mp4").rename(footage / name)
    assert shelf.index(footage).indexed == 0
    assert shelf.index(footage / name).indexed == 1
    report = shelf.index(footage)
    assert (report.unchanged, report.dropped) == ((1, 0) if stays else (0, 1))


def test_the_documentation_says_so_of_a_file_on_its_way() -> None:
    page = (Path(__file__).parents[2] / "docs" / "indexing.md").read_text(encoding="utf-8")
    taken, named = page.split("## What is left out\n")[1].split("**What you name is taken**")
    named = named.split("\n## ")[0]
    assert "`*.part`" in taken and "`film.mp4.part` too), stays" in named
    assert ".pending-* or *.download" in named and "forgotten by the next run" in named


def test_a_file_that_is_named_is_judged_by_its_name(shelf: Shelf, footage: Path) -> None:
    files = sorted(footage.iterdir())
    assert shelf.index(*files, exclude=["*.mkv", "footage"]).excluded == 1
    assert set(shelf.states()) == {"beach.mp4", "garden.mp4"}


def test_a_folder_that_is_named_is_never_excluded(shelf: Shelf, footage: Path) -> None:
    shutil.copytree(footage, footage / "raw")
    assert shelf.index(footage / "raw", exclude=["raw", "footage"]).indexed == 3
    assert shelf.index(footage, footage / "raw", exclude=["raw"]).dropped == 0


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "is empty: write one such as 'raw/' or"),
        ("  ", "is empty: write one such as 'raw/' or"),
        ("#recycle", r"is a comment: write \\#recycle"),
        ("./raw", "begins at no folder that is indexed: write '/raw' or 'raw/'"),
        ("~/films/raw", "begins at no folder that is indexed"),
        ("/films/raw/", "begins at the folder that is indexed: write '/raw/'"),
        ("a[", "is not one of gitignore"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(TempoEdgeError, match=reason) as caught:
        Exclusion([pattern], [Path("/films")])
    assert repr(pattern) in str(caught.value)


def test_the_command_line_refuses_it_in_one_line(tempo: Callable[..., Said], footage: Path) -> None:
    for command in (("index", footage), ("watch", footage), ("serve", "--watch", footage)):
        said = tempo(*command, "--exclude", "#tmp")
        assert said.error == (r"the pattern '#tmp' of files to leave out is a comment: write \#tmp")


def test_one_pattern_needs_no_list(library_path: Path, footage: Path) -> None:
    report = tempo_edge.index(footage, library=library_path, exclude="street.mkv")
    assert (report.indexed, report.excluded) == (2, 1)
