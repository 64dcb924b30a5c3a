"""Names that Windows takes for others, and what it and macOS hide by marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tempo_edge._files.names import portable, unreachable_on_windows
from tempo_edge.clips.placement import name_of
from tempo_edge.indexing.exclusion import Exclusion
from tempo_edge.indexing.selection import Selection
from tempo_edge.indexing.walk import examine, find_footage
from tempo_edge.moment import Span


@pytest.mark.parametrize(
    "name",
    [
        "CON.mp4",
        "con",
        "Nul.tar.gz",
        "com1.mp4",
        "LPT¹.mov",
        "aux .mp4",
        "CONIN$.avi",
        "boat.mp4.",
        "boat ",
        "boat. .",
    ],
)
def test_names_that_windows_takes_for_others(name: str) -> None:
    assert "rename it" in unreachable_on_windows(name)


@pytest.mark.parametrize("name", ["Connie.mp4", "com.mp4", "com10.mp4", "a.con", ".mp4", "x y.mp4"])
def test_names_that_are_a_file_s(name: str) -> None:
    assert unreachable_on_windows(name) == "" and portable(name) == name


def test_a_file_with_such_a_name_is_said_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "CON.mp4").write_bytes(b"x")
    path = str(tmp_path / "CON.mp4")
    assert examine(path).problem == "", "here it is a file like others"
    found = examine(path, unreachable_on_windows)
    assert (found.size, found.mtime_ns) == (0, 0)
    assert found.problem == "has a name that Windows gives to a device: rename it to index it"


def test_a_clip_s_name_on_every_system(tmp_path: Path) -> None:
    span = Span(1.0, 2.5)
    assert name_of(Path('a:b?"c|.mp4'), span, tmp_path, for_any=True) == "a_b__c_.1.00-2.50"
    assert name_of(Path("nul.mp4"), span, tmp_path, for_any=True) == "_nul.1.00-2.50"
    assert name_of(Path("a:b.mp4"), span, tmp_path, for_any=False) == "a:b.1.00-2.50"


def test_what_is_marked_as_hidden_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    for name in ("seen/a.mp4", "marked/b.mp4", "seen/marked.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    def is_marked(path: str) -> bool:
        return Path(path).stem == "marked"

    def found(root: Path) -> list[str]:
        selection = Selection(str(root), Exclusion(), is_marked)
        return [Path(each.path).name for each in find_footage(root, selection)]

    assert found(tmp_path) == ["a.mp4"]
    assert found(tmp_path / "marked") == ["b.mp4"], "it was named"
    assert found(tmp_path / "seen" / "marked.mp4") == ["marked.mp4"]
    selection = Selection(str(tmp_path), Exclusion(), is_marked)
    assert selection.must_be_named(str(tmp_path / "marked" / "b.mp4"))
    assert selection.must_be_named(str(tmp_path / "seen" / "marked.mp4"))
    assert selection.reaches(str(tmp_path / "seen" / "a.mp4"), False)


@pytest.mark.parametrize("name", [".Trash", ".Trashes", "$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER"])
def test_what_was_thrown_away_on_other_systems(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.mp4").write_bytes(b"x")
    assert list(find_footage(tmp_path, Selection(str(tmp_path), Exclusion()))) == []
